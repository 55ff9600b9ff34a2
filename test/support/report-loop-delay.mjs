/** Loaded into a process before its program: tells its parent the longest delay of its event loop since it last told. */
import { monitorEventLoopDelay } from 'node:perf_hooks';

const delays = monitorEventLoopDelay({ resolution: 5 });
delays.enable();
process.on('message', (message) => {
  if (message !== 'loop delay') return;
  process.send?.({ loopDelayMs: Math.round(delays.max / 1e6) });
  delays.reset();
});

/**
 * A program that asks a server all the time whether it is alive, each time on a new connection, until its parent sends
 * a message. Then it tells how many answers came, and how long the slowest one took.
 */
import { get } from 'node:http';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const PERIOD_MS = 10;
const [, , url] = process.argv;
const own = monitorEventLoopDelay({ resolution: 5 });
own.enable();
const seen = { answers: 0, failures: 0, slowestMs: 0 };
let isOver = false;

/** @returns whether the answer was 200. */
const ask = () =>
  new Promise((resolve) => {
    get(`${url}/health/alive`, { agent: false }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode === 200));
    }).once('error', () => resolve(false));
  });

process.once('message', () => {
  isOver = true;
});
// The first answers of a process are slow.
await ask();
own.reset();
process.send?.('ready');
while (!isOver) {
  const began = performance.now();
  const isGood = await ask();
  seen.slowestMs = Math.max(seen.slowestMs, Math.round(performance.now() - began));
  seen[isGood ? 'answers' : 'failures'] += 1;
  await new Promise((resolve) => setTimeout(resolve, PERIOD_MS));
}
process.send?.({ ...seen, ownDelayMs: Math.round(own.max / 1e6) }, () => process.disconnect());

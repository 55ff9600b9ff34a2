import { baseConfig } from './config/base.ts';
import { ConfigurationError } from './config/environment.ts';
import { log } from './log.ts';

export interface Running {
  stop(): Promise<void>;
}

/**
 * The life of a process: starts, tells a parent that it is ready, and ends in order on SIGTERM, on SIGINT, when its
 * terminal closes, or when the parent is gone. A second signal, or a stop that takes longer than `stopSeconds`, ends it
 * at once.
 *
 * @param stopSeconds  DRAIN_SECONDS and 5 s unless told otherwise.
 */
export async function runProcess(
  name: string,
  start: () => Promise<Running & { readonly address?: string }>,
  { stopSeconds = baseConfig.drainSeconds + 5 }: { stopSeconds?: number } = {},
) {
  let running: Running | null = null;
  let isStopping = false;
  const stop = async (reason: string) => {
    if (isStopping) process.exit(1);
    isStopping = true;
    log.info({ process: name, reason }, 'stopping');
    setTimeout(() => process.exit(1), stopSeconds * 1000).unref();
    await running?.stop();
    log.info({ process: name }, 'stopped');
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => void stop(signal));
  process.on('disconnect', () => {
    if (!isStopping) void stop('the parent is gone');
  });
  process.on('unhandledRejection', (error) => {
    log.fatal({ err: error, process: name }, 'unhandled rejection');
    process.exit(1);
  });
  try {
    const started = await start();
    running = started;
    log.info({ process: name, address: started.address }, 'started');
    // A parent that went away in this very moment is told of by `disconnect`.
    process.send?.({ ready: name, address: started.address }, undefined, undefined, () => {});
  } catch (error) {
    if (error instanceof ConfigurationError) process.stderr.write(`${error.message}\n`);
    else log.fatal({ err: error, process: name }, 'could not start');
    process.exit(1);
  }
}

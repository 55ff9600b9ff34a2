import { baseConfig } from './config/base.ts';
import { ConfigurationError } from './config/environment.ts';
import { log } from './log.ts';

type Step = () => Promise<unknown> | unknown;

/** What a process does when it ends. */
export interface Ending {
  /**
   * Adds a step; the last one added runs first. Add what ends a thing before it begins, or in the same breath.
   *
   * @throws EndingError when the process is ending already: nothing more may begin.
   */
  add(step: Step): void;
}

class EndingError extends Error {
  override name = 'EndingError';
}

/**
 * The life of a process: starts, tells a parent that it is ready, and ends in order on SIGTERM, on SIGINT, when its
 * terminal closes, when the parent is gone, or when it cannot start. In order means that the steps of `ending` run, also
 * when the start is not over. A second signal, or steps that take longer than `stopSeconds`, end it at once.
 *
 * @param stopSeconds  DRAIN_SECONDS and 5 s unless told otherwise.
 */
export async function runProcess(
  name: string,
  start: (ending: Ending) => Promise<{ readonly address?: string }>,
  { stopSeconds = baseConfig.drainSeconds + 5 }: { stopSeconds?: number } = {},
): Promise<void> {
  const steps: Step[] = [];
  let isEnding = false;

  const add = (step: Step) => {
    if (isEnding) throw new EndingError(`the ${name} is ending`);
    steps.push(step);
  };
  const end = async () => {
    isEnding = true;
    setTimeout(() => process.exit(1), stopSeconds * 1000).unref();
    for (const step of steps.reverse()) {
      try {
        await step();
      } catch (error) {
        log.error({ err: error, process: name }, 'a step of the shutdown failed');
      }
    }
  };
  const stop = async (reason: string) => {
    if (isEnding) process.exit(1);
    log.info({ process: name, reason }, 'stopping');
    await end();
    log.info({ process: name }, 'stopped');
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => void stop(signal));
  const onOrphaned = () => {
    if (!isEnding) void stop('the parent process has ended');
  };
  process.on('disconnect', onOrphaned);
  process.on('unhandledRejection', (error) => {
    log.fatal({ err: error, process: name }, 'unhandled rejection');
    process.exit(1);
  });
  // A parent that went away before we listened is told of by no event.
  if (process.connected === false) return onOrphaned();

  try {
    const { address } = await start({ add });
    if (isEnding) return;
    log.info({ process: name, address }, 'started');
    // A parent that went away in this very moment is told of by `disconnect`.
    process.send?.({ ready: name, address }, undefined, undefined, () => {});
  } catch (error) {
    // What fails because it was interrupted is no failure.
    if (isEnding) return;
    if (error instanceof ConfigurationError) process.stderr.write(`${error.message}\n`);
    else log.fatal({ err: error, process: name }, 'could not start');
    await end();
    process.exit(1);
  }
}

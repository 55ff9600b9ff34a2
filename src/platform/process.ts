import { baseConfig } from './config/base.ts';
import { ConfigurationError } from './config/environment.ts';
import { log } from './log.ts';
import { releaseMemory } from './release-memory.ts';

type Step = () => Promise<unknown> | unknown;

/** The steps that a process runs when it ends. */
export interface Ending {
  /**
   * Adds a step. Steps run in the opposite order. Add the step that ends something before you start that thing, or
   * directly after.
   *
   * @throws EndingError if the process is already ending: nothing more may start.
   */
  add(step: Step): void;
}

class EndingError extends Error {
  override name = 'EndingError';
}

/**
 * The life of a process. It starts, tells its parent when it is ready, and ends in order on SIGTERM, on SIGINT, when
 * its terminal closes, when its parent has ended, or when it cannot start. To end in order, it runs the steps of
 * `ending`, even if the start has not finished. After a second signal, or if the steps take longer than `stopSeconds`,
 * it ends at once.
 *
 * @param stopSeconds  by default DRAIN_SECONDS and 5 s.
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
  // If the parent ended before we listened, there is no event.
  if (process.connected === false) return onOrphaned();

  // All modules are loaded, and nothing has begun yet.
  releaseMemory();
  try {
    const { address } = await start({ add });
    if (isEnding) return;
    log.info({ process: name, address }, 'started');
    // If the parent ends at this moment, the event `disconnect` tells us.
    process.send?.({ ready: name, address }, undefined, undefined, () => {});
  } catch (error) {
    // An error is not a failure if the process is ending anyway.
    if (isEnding) return;
    if (error instanceof ConfigurationError) process.stderr.write(`${error.message}\n`);
    else log.fatal({ err: error, process: name }, 'could not start');
    await end();
    process.exit(1);
  }
}

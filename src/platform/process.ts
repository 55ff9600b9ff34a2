import { ConfigurationError, config } from './config.ts';
import { log } from './log.ts';

export interface Running {
  stop(): Promise<void>;
}

/**
 * The life of a process: starts, tells a parent that it is ready, and ends in order on SIGTERM, on SIGINT, or when the
 * parent is gone. A second signal, or a stop that takes longer than DRAIN_SECONDS and 5 s, ends it at once.
 */
export async function runProcess(
  name: string,
  start: () => Promise<Running & { readonly address?: string }>,
) {
  let running: Running | null = null;
  let isStopping = false;
  const stop = async (reason: string) => {
    if (isStopping) process.exit(1);
    isStopping = true;
    log.info({ process: name, reason }, 'stopping');
    setTimeout(() => process.exit(1), (config.drainSeconds + 5) * 1000).unref();
    await running?.stop();
    log.info({ process: name }, 'stopped');
    process.exit(0);
  };
  process.on('SIGTERM', () => void stop('SIGTERM'));
  process.on('SIGINT', () => void stop('SIGINT'));
  process.on('disconnect', () => void stop('the parent is gone'));
  process.on('unhandledRejection', (error) => {
    log.fatal({ err: error, process: name }, 'unhandled rejection');
    process.exit(1);
  });
  try {
    const started = await start();
    running = started;
    log.info({ process: name, address: started.address }, 'started');
    process.send?.({ ready: name, address: started.address });
  } catch (error) {
    if (error instanceof ConfigurationError) process.stderr.write(`${error.message}\n`);
    else log.fatal({ err: error, process: name }, 'could not start');
    process.exit(1);
  }
}

import { setTimeout as sleep } from 'node:timers/promises';
import {
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
  startEmbeddedPostgres,
} from '../platform/database/embedded.ts';
import { log } from '../platform/log.ts';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

export interface SupervisedDatabase {
  /** Null if it does not run. */
  readonly pid: number | null;
  /** @throws Error if it does not start. */
  start(): Promise<EmbeddedPostgres>;
  /** Stops it permanently, even if it is just starting. */
  stop(): Promise<void>;
}

/**
 * The embedded PostgreSQL, which is started again whenever it ends. Its address stays the same, unless another process
 * took its port in the meantime.
 *
 * @param onChange called when the process id or the address has changed.
 */
export function superviseDatabase(
  options: EmbeddedPostgresOptions,
  onChange: (server: EmbeddedPostgres | null) => void,
): SupervisedDatabase {
  let server: EmbeddedPostgres | null = null;
  let starting: Promise<unknown> | null = null;
  let isStopping = false;

  async function launch(): Promise<EmbeddedPostgres> {
    const started = await startEmbeddedPostgres(options);
    server = started;
    started.onExit((reason) => {
      server = null;
      onChange(server);
      if (isStopping) return;
      log.error({ process: 'postgres', reason }, 'a process ended unexpectedly and is started again');
      starting = relaunch();
    });
    onChange(server);
    return started;
  }

  async function relaunch(): Promise<void> {
    for (let pauseMs = FIRST_PAUSE_MS; !isStopping; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      try {
        await launch();
        return;
      } catch (error) {
        log.error({ err: error, process: 'postgres', pauseMs }, 'PostgreSQL did not start; trying again');
        await sleep(pauseMs);
      }
    }
  }

  return {
    get pid() {
      return server?.pid ?? null;
    },
    start() {
      const first = launch();
      starting = first;
      return first;
    },
    async stop() {
      isStopping = true;
      await starting?.catch(() => undefined);
      await server?.stop();
    },
  };
}

import { setTimeout as sleep } from 'node:timers/promises';
import { startEmbeddedPostgres } from '../platform/database/embedded.ts';
import { log } from '../platform/log.ts';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

export interface SupervisedDatabase {
  readonly url: string;
  /** Null while there is none. */
  readonly pid: number | null;
  stop(): Promise<void>;
}

/**
 * The embedded PostgreSQL, started again whenever it ends. Its address stays, unless its port was taken meanwhile.
 *
 * @param onChange  called when process id or address have changed.
 * @throws Error when the first start fails.
 */
export async function superviseDatabase(folder: string, onChange: () => void): Promise<SupervisedDatabase> {
  let server: Awaited<ReturnType<typeof startEmbeddedPostgres>> | null = null;
  let restarting: Promise<void> | null = null;
  let isStopping = false;
  const state = { url: '' };

  async function launch(): Promise<void> {
    const started = await startEmbeddedPostgres({ folder });
    server = started;
    state.url = started.url;
    started.onExit((reason) => {
      server = null;
      onChange();
      if (isStopping) return;
      log.error({ process: 'postgres', reason }, 'ended unasked, starts again');
      restarting = relaunch();
    });
    onChange();
  }

  async function relaunch(): Promise<void> {
    for (let pauseMs = FIRST_PAUSE_MS; !isStopping; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      try {
        return await launch();
      } catch (error) {
        log.error({ err: error, process: 'postgres', pauseMs }, 'did not start, is tried again');
        await sleep(pauseMs);
      }
    }
  }

  await launch();
  return {
    get url() {
      return state.url;
    },
    get pid() {
      return server?.pid ?? null;
    },
    async stop() {
      isStopping = true;
      await restarting;
      await server?.stop();
    },
  };
}

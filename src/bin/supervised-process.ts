import { type ChildProcess, fork } from 'node:child_process';
import { baseConfig } from '../platform/config/base.ts';
import { ConfigurationError } from '../platform/config/environment.ts';
import { log } from '../platform/log.ts';
import { nodeFlags } from '../platform/node-flags.ts';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
/** A process that ran for this long starts again without a pause. */
const STEADY_MS = 10_000;

export interface SupervisedProcess {
  /** Null if it does not run. */
  readonly pid: number | null;
  /**
   * Starts the process. Resolves when it is ready, with its address if it has one.
   *
   * @throws ConfigurationError if the process ends before it is ready.
   */
  start(): Promise<string | undefined>;
  /** Ends the process in order and starts it again, because its program or its environment has changed. */
  restart(): void;
  /** Ends the process in order and permanently. If that takes too long, it is killed. */
  stop(): Promise<void>;
}

/**
 * A child process that is started again whenever it ends: at once if it ran for a while, and otherwise after a pause
 * that doubles each time.
 *
 * @param environment  called at each start.
 * @param onChange  called when the process id has changed.
 */
export function superviseProcess(
  name: string,
  script: string,
  environment: () => NodeJS.ProcessEnv,
  onChange: () => void,
): SupervisedProcess {
  let child: ChildProcess | null = null;
  let pauseMs = FIRST_PAUSE_MS;
  let timer: NodeJS.Timeout | undefined;
  let wasReady = false;
  let isStopping = false;
  let isRestarting = false;

  function launch(): ChildProcess {
    const startedAt = Date.now();
    const launched = fork(script, {
      execArgv: [...process.execArgv, ...nodeFlags],
      env: environment(),
      // The child has its own process group: Ctrl-C in a terminal reaches only the supervisor, which ends its children
      // in order.
      detached: true,
    });
    child = launched;
    launched.once('exit', (code, signal) => {
      child = null;
      onChange();
      if (isStopping || !wasReady) return;
      if (isRestarting || Date.now() - startedAt > STEADY_MS) pauseMs = FIRST_PAUSE_MS;
      if (!isRestarting)
        log.error(
          { process: name, code, signal, pauseMs },
          'a process ended unexpectedly and is started again',
        );
      timer = setTimeout(launch, isRestarting ? 0 : pauseMs);
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
      isRestarting = false;
    });
    onChange();
    return launched;
  }

  return {
    get pid() {
      return child?.pid ?? null;
    },
    start: () =>
      new Promise((resolve, reject) => {
        if (isStopping) throw new Error(`the ${name} is stopping`);
        const first = launch();
        first.once('message', ({ address }: { address?: string }) => {
          wasReady = true;
          resolve(address);
        });
        first.once('exit', (code, signal) => {
          const why = code === 1 ? 'it says why above' : `it ended with ${signal ?? `exit code ${code}`}`;
          reject(new ConfigurationError(`The ${name} did not start: ${why}.`));
        });
      }),
    restart() {
      if (isStopping || isRestarting || child === null) return;
      isRestarting = true;
      child.kill('SIGTERM');
    },
    async stop() {
      isStopping = true;
      clearTimeout(timer);
      const last = child;
      if (last === null) return;
      const ended = new Promise((resolve) => last.once('exit', resolve));
      last.kill('SIGTERM');
      const force = setTimeout(() => last.kill('SIGKILL'), (baseConfig.drainSeconds + 10) * 1000);
      await ended;
      clearTimeout(force);
    },
  };
}

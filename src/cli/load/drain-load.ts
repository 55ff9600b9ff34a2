import { CliError } from '../cli-error.ts';
import { Latencies } from './latencies.ts';
import type { LoadExecutor, LoadRun } from './load-executor.ts';
import { allOrFirstError } from './submit-load.ts';

export interface DrainOptions {
  readonly jobs: number;
  readonly executors: readonly LoadExecutor[];
  readonly signal: AbortSignal;
  /** So long may pass without the end of a job. */
  readonly patienceMs?: number;
  onFinished(jobs: number): void;
}

export interface Drained {
  /** The calls that brought jobs. */
  readonly lease: Latencies;
  readonly finish: Latencies;
}

const WAIT_SECONDS = 2;
const PATIENCE_MS = 60_000;

/** Leases and finishes so many jobs. Ends early when the signal fires. @throws CliError if nothing moves any more. */
export async function drainLoad(options: DrainOptions): Promise<Drained> {
  const { jobs, executors, signal, patienceMs = PATIENCE_MS, onFinished } = options;
  const [lease, finish] = [new Latencies(), new Latencies()];
  let finished = 0;
  let movedAt = Date.now();
  let failure: unknown = null;

  async function report(executor: LoadExecutor, runs: readonly LoadRun[]): Promise<void> {
    const outcomes = await finish.measure(
      () => executor.finish(runs),
      () => runs.length,
    );
    // A run that was fenced has lost its job to another run, which will finish it.
    const done = outcomes.filter((outcome) => outcome !== 'FENCED').length;
    finished += done;
    movedAt = Date.now();
    onFinished(done);
  }

  async function work(executor: LoadExecutor): Promise<void> {
    while (finished < jobs && failure === null && !signal.aborted) {
      const runs = await lease.measure(
        () => executor.lease(WAIT_SECONDS),
        ({ length }) => length,
      );
      if (runs.length > 0) await report(executor, runs);
      if (Date.now() - movedAt > patienceMs)
        throw new CliError('DEADLINE_EXCEEDED', `no job was finished for ${patienceMs / 1000} s`, {
          hint: 'does a scheduler run on the database of the server?',
        });
    }
  }

  await allOrFirstError(
    executors.map((executor) =>
      work(executor).catch((error) => {
        failure ??= error;
        throw error;
      }),
    ),
  );
  return { lease, finish };
}

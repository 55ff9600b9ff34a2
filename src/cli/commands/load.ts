import type { Ask } from '../client.ts';
import { bareLoop, requireBareLoop } from '../load/bare-loop.ts';
import { type Drained, drainLoad } from '../load/drain-load.ts';
import { type Latencies, type Measure, measureOf } from '../load/latencies.ts';
import { LoadExecutor } from '../load/load-executor.ts';
import type { LoadOptions } from '../load/load-options.ts';
import { createQueues, deleteQueues } from '../load/load-queues.ts';
import { submitLoad } from '../load/submit-load.ts';

export interface LoadAsks {
  /** As the user who creates queues and submits jobs. */
  readonly user: Ask;
  /** As the service account of the executors. */
  readonly executor: Ask;
}

export interface LoadHooks {
  /** Ends the load. What it has made is deleted all the same. */
  readonly signal: AbortSignal;
  /** A step begins, with so many jobs. @returns what is told how many are done. */
  onStep(name: string, jobs: number): (done: number) => void;
}

export interface LoadResult {
  readonly measures: readonly Measure[];
  /** What could not be deleted, and why. */
  readonly leftovers: readonly string[];
  /** How fast jobs are leased and finished, as a part of what the bare loop does; null without one. */
  readonly partOfBare: number | null;
}

/**
 * Submits jobs that do nothing, leases them as several executors, and reports that they have succeeded, all through the
 * public API. The jobs have a pool of their own, so no other executor takes them.
 *
 * @param id  ends the names of the queues and of the pool.
 */
export async function load(
  asks: LoadAsks,
  id: string,
  options: LoadOptions,
  hooks: LoadHooks,
): Promise<LoadResult> {
  const name = `load-${id}`;
  const queues: string[] = [];
  const executors = Array.from(
    { length: options.executors },
    (_, at) =>
      new LoadExecutor(asks.executor, {
        // Always the same names, so that many loads leave no more executors behind than the largest one.
        name: `load-${at + 1}`,
        pool: name,
        slots: options.slots,
        instance: null,
      }),
  );
  let measures: Measure[] = [];
  let leftovers: readonly string[] = [];
  let drained: Drained | null = null;
  if (options.compareWith !== null) await requireBareLoop(options.compareWith);
  try {
    await createQueues(asks.user, name, options.weights, (queue) => queues.push(queue));
    const { jobs, batch, submitters } = options;
    const submitted = await submitLoad(asks.user, {
      ...{ jobs, queues, pool: name, batch, submitters },
      ...{ signal: hooks.signal, onSubmitted: hooks.onStep('submitted', jobs) },
    });
    drained = await drainLoad({
      ...{ jobs, executors, signal: hooks.signal, onFinished: hooks.onStep('finished', jobs) },
    });
    measures = [
      measureOf('submit', submitted),
      measureOf('lease', drained.lease),
      measureOf('finish', drained.finish),
    ];
  } finally {
    // Executors confirm what was cancelled, and only then the queues are empty.
    const deleting = options.keep ? Promise.resolve([]) : deleteQueues(asks.user, queues);
    const signingOff = signOffUntil(deleting, executors);
    leftovers = await deleting;
    await signingOff;
  }
  if (options.compareWith === null || hooks.signal.aborted) return { measures, leftovers, partOfBare: null };
  const bare = await bareLoop(options.compareWith, `slipway_${name.replaceAll('-', '_')}`, options);
  return {
    measures: [...measures, measureOf('bare SQL', bare)],
    leftovers,
    partOfBare: partOf(drained.finish, bare),
  };
}

/** The executors stop what the server wants stopped until all is deleted. */
async function signOffUntil(deleting: Promise<unknown>, executors: readonly LoadExecutor[]): Promise<void> {
  let isDeleted = false;
  const done = deleting.finally(() => {
    isDeleted = true;
  });
  await Promise.all(
    executors.map(async (executor) => {
      while (!isDeleted && executor.knownRuns.length > 0) await executor.lease(1, { room: 0 });
    }),
  );
  await done;
  await Promise.all(executors.map((executor) => executor.signOff()));
}

const partOf = (ours: Latencies, bare: Latencies) =>
  bare.perSecond === 0 ? null : Number((ours.perSecond / bare.perSecond).toFixed(3));

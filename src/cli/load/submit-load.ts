import type { Ask } from '../client.ts';
import { submitJobsDocument } from './documents.ts';
import { Latencies } from './latencies.ts';
import { refusal } from './sign-in.ts';

interface Batch {
  readonly queue: string;
  readonly count: number;
}

/** Jobs for queues in turn, so that all queues fill at the same time. */
function* batchesOf(jobs: number, queues: readonly string[], batch: number): Generator<Batch> {
  const left = queues.map((_queue, at) => Math.floor((jobs + queues.length - 1 - at) / queues.length));
  while (left.some((count) => count > 0))
    for (const [at, queue] of queues.entries()) {
      const count = Math.min(left[at] ?? 0, batch);
      left[at] = (left[at] ?? 0) - count;
      if (count > 0) yield { queue, count };
    }
}

export interface SubmitOptions {
  readonly jobs: number;
  readonly queues: readonly string[];
  readonly pool: string;
  readonly batch: number;
  readonly submitters: number;
  readonly signal: AbortSignal;
  onSubmitted(jobs: number): void;
}

/** Submits jobs that do nothing, over several calls at the same time. Ends early when the signal fires. */
export async function submitLoad(ask: Ask, options: SubmitOptions): Promise<Latencies> {
  const latencies = new Latencies();
  const batches = batchesOf(options.jobs, options.queues, options.batch);
  const job = { pool: options.pool, container: { image: 'none', command: ['true'] } };
  async function submitter(): Promise<void> {
    for (const { queue, count } of batches) {
      if (options.signal.aborted) return;
      const input = { queue, jobSet: 'load', jobs: Array.from({ length: count }, () => job) };
      const { submitJobs } = await latencies.measure(
        () => ask(submitJobsDocument, { input }),
        () => count,
      );
      if (submitJobs?.__typename !== 'SubmitJobsPayload') throw refusal(`submitting to ${queue}`, submitJobs);
      options.onSubmitted(count);
    }
  }
  await allOrFirstError(Array.from({ length: options.submitters }, submitter));
  return latencies;
}

/** Waits until all have ended, so that nothing goes on behind an error. @throws the first error. */
export async function allOrFirstError(works: readonly Promise<void>[]): Promise<void> {
  const ends = await Promise.allSettled(works);
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

import type { JobEventKind } from '../generated/prisma/enums.ts';
import { newsOf } from '../platform/database/news.ts';
import { FailedPreconditionError } from '../platform/errors.ts';
import {
  type JobEventRow,
  type JobSetName,
  type JobSetRow,
  readJobEventsAfter,
  readJobSetEnd,
  readJobSets,
} from './store/job-set-events.ts';

const PAGE = 500;
/** News may be lost, so a watcher without news looks at the tables this often. */
const LOOK_MS = 5_000;
/** There is no news of a job set that does not exist yet, so its watchers look this often. */
const LOOK_FOR_SET_MS = 1_000;

export interface JobSetWatch {
  /** The number of the event before the first one. */
  readonly after: bigint;
  /** Only events of these jobs; null for all. */
  readonly jobIds: ReadonlySet<string> | null;
  /** Only these kinds of events; null for all. */
  readonly kinds: ReadonlySet<JobEventKind> | null;
  /** Whether to end when all jobs of the set have ended. */
  readonly untilFinished: boolean;
  readonly signal: AbortSignal;
}

/**
 * Yields the events of a job set after `after`, each exactly once: first the stored ones, then each new one. Ends when
 * the signal fires, when the job set is deleted, and, if the watch says so, when all events were sent and all jobs have
 * ended at that moment.
 *
 * @throws FailedPreconditionError if events were deleted before they could be sent.
 */
export async function* watchJobSet(jobSet: JobSetRow, watch: JobSetWatch): AsyncGenerator<JobEventRow> {
  const { jobIds, kinds, untilFinished, signal } = watch;
  // Listen before the first read, so that events in between are not missed.
  const news = newsOf('job-set', jobSet.ownerId ?? jobSet.id, signal);
  let sequence = watch.after;
  let last = sequence;
  try {
    while (!signal.aborted) {
      const events = await readJobEventsAfter(jobSet.id, sequence, PAGE);
      requireNext(sequence, events);
      for (const event of events) {
        // Events that are left out count as seen, too. Otherwise the watch would read them again and again.
        sequence = event.sequence;
        if ((!kinds || kinds.has(event.kind)) && (!jobIds || jobIds.has(event.jobId))) yield event;
      }
      if (events.length > 0) continue;
      const end = await readJobSetEnd(jobSet.id);
      if (!end) {
        if (untilFinished || last > sequence) throw expired();
        return;
      }
      if (end.expiredSequence > sequence) throw expired();
      last = end.lastSequence;
      if (last > sequence) continue;
      if (untilFinished && end.isFinished) return;
      await news.next(LOOK_MS);
    }
  } finally {
    news.close();
  }
}

/**
 * Numbers have no gaps, so the event after a number is missing only if it was deleted.
 *
 * @throws FailedPreconditionError if events between this number and the first one of these were deleted.
 */
export function requireNext(sequence: bigint, [first]: readonly JobEventRow[]): void {
  if (first && first.sequence !== sequence + 1n) throw expired();
}

export const expired = () =>
  new FailedPreconditionError('the event belongs to another job set, or is not stored any more', {
    path: ['after'],
    reason: 'STREAM_EXPIRED',
  });

/** Waits until something is submitted to the job set. Null if the signal fires before. */
export async function untilJobSet(
  tenantId: string,
  name: JobSetName,
  signal: AbortSignal,
): Promise<JobSetRow | null> {
  // Nobody sends this news. It only waits, and ends at once when the signal fires.
  const news = newsOf('job-set', tenantId, signal);
  try {
    while (!signal.aborted) {
      const [found] = await readJobSets(tenantId, [name]);
      if (found) return found;
      await news.next(LOOK_FOR_SET_MS);
    }
    return null;
  } finally {
    news.close();
  }
}

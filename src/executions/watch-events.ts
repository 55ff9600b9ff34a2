import type { ExecutionEventKind } from '../generated/prisma/enums.ts';
import { newsOf } from '../platform/database/news.ts';
import { NotFoundError } from '../platform/errors.ts';
import { type EventRow, readEventsAfter, readStreamEnd } from './store/reads.ts';

const PAGE = 500;
/** News may be lost, so a watcher without news looks at the table this often. */
const LOOK_MS = 5_000;

/**
 * Yields the events of an execution after `after`, each exactly once: first the stored ones, then each new one. Ends
 * after the last event of an execution that has ended, or when the signal fires.
 *
 * @throws NotFoundError if the execution is deleted before the watcher has seen its last event.
 */
export async function* watchEvents(
  executionId: string,
  {
    after,
    kinds,
    signal,
  }: {
    after: bigint;
    kinds: ReadonlySet<ExecutionEventKind>;
    signal: AbortSignal;
  },
): AsyncGenerator<EventRow> {
  // Listen before the first read, so that events in between are not missed.
  const news = newsOf('execution', executionId, signal);
  let sequence = after;
  try {
    while (!signal.aborted) {
      const events = await readEventsAfter(executionId, sequence, PAGE);
      for (const event of events) {
        sequence = event.sequence;
        if (kinds.has(event.kind)) yield event;
      }
      if (events.length > 0) continue;
      const end = await readStreamEnd(executionId);
      if (!end) throw new NotFoundError('execution', executionId);
      if (end.lastSequence > sequence) continue;
      if (end.ended) return;
      await news.next(LOOK_MS);
    }
  } finally {
    news.close();
  }
}

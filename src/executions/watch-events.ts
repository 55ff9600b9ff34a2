import type { ExecutionEventKind } from '../generated/prisma/enums.ts';
import { newsOf } from '../platform/database/news.ts';
import { type EventRow, readEventsAfter, readStreamEnd } from './store/reads.ts';

const PAGE = 500;
/** News may be lost; so a quiet watcher looks at the table this often in any case. */
const LOOK_MS = 5_000;

/**
 * An execution's events after `after`, without gap or repeat: first those that are there, then each as it comes. Ends
 * after the last event of an execution that has ended, or when the signal fires.
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
  // Listening starts before the first look, so that what happens in between is not missed.
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
      if (!end || (end.ended && end.lastSequence <= sequence)) return;
      if (end.lastSequence <= sequence) await news.next(LOOK_MS);
    }
  } finally {
    news.close();
  }
}

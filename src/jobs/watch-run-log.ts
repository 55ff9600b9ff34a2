import { newsOf } from '../platform/database/news.ts';
import { readLogAfter, readLogEnd } from './store/logs.ts';
import type { LogChunkRow } from './store/reads.ts';

const PAGE = 200;
/** News may be lost, so a watcher without news looks at the tables this often. */
const LOOK_MS = 5_000;

export interface RunLogWatch {
  /** The number of the piece before the first one; -1 for the first piece of the log. */
  readonly after: number;
  readonly signal: AbortSignal;
}

/** Why the log of a run ends for a watcher before it is complete. */
export type RunLogLoss = 'DELETED';

/**
 * Yields the pieces of the log of a run after `after`, each exactly once: first the stored ones, then each new one. It
 * reads at most 256 KiB at a time, and only when the watcher wants more. Ends when the signal fires, and when all pieces
 * were sent, the run has ended, and its executor has said that nothing more comes, or has said nothing for a minute.
 *
 * @returns DELETED if the log was deleted before all of it was sent.
 */
export async function* watchRunLog(
  runId: string,
  { after, signal }: RunLogWatch,
): AsyncGenerator<LogChunkRow, RunLogLoss | null> {
  // Listen before the first read, so that pieces in between are not missed.
  const news = newsOf('run-log', runId, signal);
  let sequence = after;
  try {
    while (!signal.aborted) {
      const chunks = await readLogAfter(runId, sequence, PAGE);
      for (const chunk of chunks) {
        sequence = chunk.sequence;
        yield chunk;
      }
      if (chunks.length > 0) continue;
      const end = await readLogEnd(runId);
      if (!end || end.isDeleted) return !end || end.next > sequence + 1 ? 'DELETED' : null;
      if (end.next > sequence + 1) continue;
      if (end.isAbandoned || (end.isComplete && end.isEnded)) return null;
      if (end.isComplete) await untilEnded(runId, end.jobSetNews, signal);
      else await news.next(LOOK_MS);
    }
    return null;
  } finally {
    news.close();
  }
}

/** The executor reports the end of a run right after the end of its log. The report is news of the job set. */
async function untilEnded(runId: string, jobSetNews: string, signal: AbortSignal): Promise<void> {
  const news = newsOf('job-set', jobSetNews, signal);
  try {
    while (!signal.aborted) {
      const end = await readLogEnd(runId);
      if (!end || end.isEnded) return;
      await news.next(LOOK_MS);
    }
  } finally {
    news.close();
  }
}

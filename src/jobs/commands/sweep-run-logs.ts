import { inTransaction } from '../../platform/database/transaction.ts';
import { deletePieces, markOldLogs } from '../store/old-logs.ts';

/**
 * Deletes some of the logs of runs that ended before this moment. A log is marked as deleted before the first of its
 * pieces goes, so nobody takes a part of it for the whole. If the process dies, the next call goes on.
 *
 * @returns whether there is more to do at once.
 */
export async function sweepRunLogs(before: Date): Promise<boolean> {
  const marked = await inTransaction((tx) => markOldLogs(tx, before));
  const hasMore = await inTransaction(deletePieces);
  return marked > 0 || hasMore;
}

import { inTransaction } from '../../platform/database/transaction.ts';
import { newId } from '../../platform/ids.ts';
import { assignJobs } from '../domain/assign.ts';
import { listRoom, listWaitingJobs, type Pool, storeRuns, tryLockPool } from '../store/leases.ts';

/** The largest number of runs that one turn creates. */
const MAX_ASSIGNMENTS = 500;
/**
 * Assigns the queued jobs of a pool to executors with room. Only one process at a time assigns the jobs of a pool; the
 * others do nothing.
 *
 * @returns how many jobs were assigned. After a full turn, there may be more.
 */
export async function assignPool(
  pool: Pool,
  leaseSeconds: number,
): Promise<{ assigned: number; mayHaveMore: boolean }> {
  return await inTransaction(async (tx) => {
    const none = { assigned: 0, mayHaveMore: false };
    if (!(await tryLockPool(tx, pool))) return none;
    // An executor calls several times during a lease. If it was silent for longer than a lease, it gets no new work.
    const rooms = await listRoom(tx, pool, leaseSeconds);
    const limit = Math.min(
      MAX_ASSIGNMENTS,
      rooms.reduce((sum, { room }) => sum + Math.max(room, 0), 0),
    );
    if (limit === 0) return none;
    const assignments = assignJobs(await listWaitingJobs(tx, pool, limit), rooms);
    if (assignments.length === 0) return none;
    const runs = assignments.map((assignment) => ({ ...assignment, runId: newId() }));
    const assigned = await storeRuns(tx, runs, leaseSeconds);
    return { assigned, mayHaveMore: assignments.length === limit };
  });
}

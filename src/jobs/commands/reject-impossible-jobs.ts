import { inTransaction } from '../../platform/database/transaction.ts';
import { whyImpossible } from '../domain/scheduling/possibility.ts';
import type { Pool } from '../store/leases.ts';
import { type Rejection, rejectJobs } from '../store/rejections.ts';
import {
  listQueueStates,
  listWaitingGangs,
  listWaitingJobs,
  listWaitingShapes,
  type QueueRow,
  tryLockPool,
} from '../store/rounds.ts';
import { readKnownFleet } from './read-known-fleet.ts';
import { gangLists, limitsOf, shapeOf } from './read-round.ts';

/** The code of the error of a job that can never run. */
export const CANNOT_RUN = 'CannotRun';

/** How many single jobs one call rejects. Gangs are rejected whole. */
const MAX_REJECTIONS = 1000;

/**
 * Rejects queued jobs that could not run even if nothing else ran: no node of their pool has the resources, labels and
 * taints, a gang does not fit on all nodes together, or the limits of the queue are too low. What cordoned, silent and
 * former nodes have counts too, and jobs in cordoned queues are left alone. Each kind of job is judged once.
 *
 * Only one process at a time does this for a pool, and not at the same time as a round.
 *
 * @param memorySeconds  a node counts so long after it was seen last.
 * Source: Armada's submit check.
 */
export async function rejectImpossibleJobs(
  pool: Pool,
  memorySeconds: number,
): Promise<{ rejected: number; mayHaveMore: boolean }> {
  return await inTransaction(async (tx) => {
    const none = { rejected: 0, mayHaveMore: false };
    if (!(await tryLockPool(tx, pool))) return none;
    const fleet = await readKnownFleet(tx, pool, memorySeconds);
    if (!fleet) return none;
    const shapes = await listWaitingShapes(tx, pool);
    const gangs = gangLists(await listWaitingGangs(tx, pool));
    const queueIds = new Set([...shapes, ...gangs].map(({ queueId }) => queueId));
    const queues = new Map((await listQueueStates(tx, [...queueIds])).map((queue) => [queue.id, queue]));
    const limits = (queueId: string) => limitsOf(queues.get(queueId) as QueueRow, pool.name, fleet.totals);

    const why = new Map<string, string>();
    for (const columns of shapes) {
      const shape = shapeOf(columns);
      const job = { id: '', shape, avoidedNodes: [], priority: 0, submittedAt: 0 };
      const reason = whyImpossible({ jobs: [job], uniformityLabel: null }, fleet, limits(columns.queueId));
      if (reason !== null) why.set(kindOf(columns), reason);
    }
    const impossible = shapes.filter((columns) => why.has(kindOf(columns)));
    const now = impossible.slice(0, MAX_REJECTIONS);
    const perKind = Math.floor(MAX_REJECTIONS / Math.max(now.length, 1));
    const rows = now.length === 0 ? [] : await listWaitingJobs(tx, pool, now, perKind);
    const singles = rows.map((row): Rejection => ({ jobId: row.id, message: why.get(kindOf(row)) ?? '' }));
    const members = gangs.flatMap(({ queueId, items }) =>
      items.flatMap((item): Rejection[] => {
        const message = whyImpossible(item, fleet, limits(queueId));
        return message === null ? [] : item.jobs.map(({ id: jobId }) => ({ jobId, message }));
      }),
    );
    const all = [...singles, ...members];
    if (all.length === 0) return none;
    const rejected = await rejectJobs(tx, CANNOT_RUN, all);
    return { rejected, mayHaveMore: impossible.length > now.length || singles.length >= perKind };
  });
}

const kindOf = ({ queueId, shape }: { queueId: string; shape: string }) => `${queueId}/${shape}`;

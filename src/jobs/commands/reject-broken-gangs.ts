import { LRUCache } from 'lru-cache';
import { inTransaction } from '../../platform/database/transaction.ts';
import type { Pool } from '../store/leases.ts';
import { type GangPlace, listGangsThatWait, listWaitingMembers, rejectJobs } from '../store/rejections.ts';
import { CANNOT_RUN } from './reject-impossible-jobs.ts';

/** How many gangs one call looks at, and how many jobs it rejects. */
const LIMITS = { gangs: 1000, jobs: 1000 };

/** Where the next call goes on, by pool. If it is forgotten, a call begins with the first gang. */
const places = new LRUCache<string, GangPlace>({ max: 1000 });

/**
 * Rejects jobs that wait for their gang although another job of the gang has ended, because a gang starts only as a
 * whole. This happens when a job of a gang that is not complete is cancelled, and when the others of a gang had to make
 * room and wait again. Each call looks at the next 1,000 gangs of the pool, and begins anew after the last one. Any number
 * of processes may do this at the same time.
 *
 * @returns how many jobs were rejected.
 */
export async function rejectBrokenGangs(pool: Pool, limits = LIMITS): Promise<number> {
  const key = `${pool.tenantId}/${pool.name}`;
  const { rejected, last } = await inTransaction(async (tx) => {
    const gangs = await listGangsThatWait(tx, pool, places.get(key) ?? null, limits.gangs);
    const why = new Map(
      gangs.flatMap(({ gangId, endedId, endedState }) =>
        endedId === null
          ? []
          : [[gangId, `the gang can never start as a whole: its job ${endedId} is ${endedState}`] as const],
      ),
    );
    const members = await listWaitingMembers(tx, [...why.keys()], limits.jobs);
    const rejections = members.map(({ jobId, gangId }) => ({ jobId, message: why.get(gangId) ?? '' }));
    return {
      rejected: await rejectJobs(tx, CANNOT_RUN, rejections, { inPart: true }),
      last: gangs.length === limits.gangs ? gangs.at(-1) : undefined,
    };
  });
  if (last) places.set(key, last);
  else places.delete(key);
  return rejected;
}

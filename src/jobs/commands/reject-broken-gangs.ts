import { inTransaction } from '../../platform/database/transaction.ts';
import type { Pool } from '../store/leases.ts';
import { rejectJobs } from '../store/rejections.ts';
import {
  type GangPlace,
  listGangsThatWait,
  listWaitingMembers,
  type WaitingGang,
} from '../store/waiting-gangs.ts';
import { CANNOT_RUN } from './reject-impossible-jobs.ts';

/** What one call does at most. A gang has at most 1,000 jobs. */
const LIMITS = {
  gangs: 1000,
  /** It looks at no further gang when those before have so many jobs. */
  jobs: 10_000,
  /** It rejects the jobs of no further gang if they would be more. */
  rejections: 1000,
};

/**
 * Rejects jobs that wait for their gang although another job of the gang has ended, because a gang starts only as a
 * whole. This happens when a job of a gang that is not complete is cancelled, and when the others of a gang had to make
 * room and wait again. Jobs of the gang that run go on. Any number of processes may do this at the same time.
 *
 * Each call looks at the next gangs of the pool, or of all pools and tenants without a pool: up to 1,000 gangs, and about
 * 10,000 jobs. Jobs in cordoned queues and in pools without executors are rejected, too.
 *
 * @param after  where the last call ended; null begins with the first gang.
 * @returns how many jobs were rejected, and where the next call goes on: null after the last gang.
 */
export async function rejectBrokenGangs(
  pool: Pool | null,
  after: GangPlace | null,
  limits = LIMITS,
): Promise<{ readonly rejected: number; readonly next: GangPlace | null }> {
  return await inTransaction(async (tx) => {
    const found = await listGangsThatWait(tx, pool, after, limits);
    const gangs = firstOf(found, limits.rejections);
    const why = new Map(
      gangs.filter(({ isBroken }) => isBroken).map((gang) => [gang.gangId, reasonOf(gang)]),
    );
    const members = why.size === 0 ? [] : await listWaitingMembers(tx, [...why.keys()]);
    const rejections = members.map(({ jobId, gangId }) => ({ jobId, message: why.get(gangId) ?? '' }));
    const rejected = await rejectJobs(tx, CANNOT_RUN, rejections, { inPart: true });
    const looked = found.reduce((sum, { submitted }) => sum + submitted, 0);
    const isLast = gangs.length === found.length && found.length < limits.gangs && looked < limits.jobs;
    return { rejected, next: isLast ? null : (gangs.at(-1) ?? null) };
  });
}

/** Those gangs from the front of which at most so many jobs are to be rejected, and at least one gang. */
function firstOf(gangs: readonly WaitingGang[], limit: number): readonly WaitingGang[] {
  let sum = 0;
  const end = gangs.findIndex(({ isBroken, waiting }, index) => {
    sum += isBroken ? waiting : 0;
    return sum > limit && index > 0;
  });
  return end < 0 ? gangs : gangs.slice(0, end);
}

function reasonOf({ endedId, endedState }: WaitingGang): string {
  const cause = endedId === null ? 'one of its jobs has ended' : `its job ${endedId} is ${endedState}`;
  return `the gang can never start as a whole: ${cause}`;
}

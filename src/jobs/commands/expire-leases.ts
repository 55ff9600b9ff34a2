import { expireLeases as endExpired, listExpiredLeases } from '../store/runs.ts';

const BATCH = 500;

/**
 * Ends the leases that were not renewed in time, by the database's clock. The job waits again, an attempt counted if its
 * executor had taken the run up; the run is dead: what its executor reports later is dropped.
 *
 * @returns how many ended, at most 500 a call.
 */
export async function expireLeases(): Promise<number> {
  const expired = await listExpiredLeases(BATCH);
  if (expired.length === 0) return 0;
  const endings = expired.map(({ runId }, position) => ({
    position,
    runId,
    reason: 'the lease was not renewed in time',
    attempted: null,
  }));
  return (await endExpired(endings)).length;
}

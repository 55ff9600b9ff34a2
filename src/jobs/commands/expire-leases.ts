import { expireLeases as endExpired, listExpiredLeases } from '../store/runs.ts';

const BATCH = 500;

/**
 * Ends leases that were not renewed in time, by the clock of the database. The job waits again; the lease counts as an
 * attempt if the executor had confirmed the run. Later reports about the run are ignored.
 *
 * @returns how many leases ended, at most 500 in one call.
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

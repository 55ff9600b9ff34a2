import { controlPlaneConfig } from '../../platform/config/control-plane.ts';
import { expireLeases as endExpired, type LeaseLimits, listExpiredLeases } from '../store/runs.ts';

const BATCH = 500;

const limitsOfConfig: LeaseLimits = {
  leaseSeconds: controlPlaneConfig.leaseSeconds,
  lostSeconds: controlPlaneConfig.executorLimits.lostSeconds,
};

/**
 * Ends leases that were not renewed in time, and those of executors that are lost, by the clock of the database. The job
 * waits again; the lease counts as an attempt if the executor had confirmed the run. Later reports about the run are
 * ignored.
 *
 * @returns how many leases ended, at most 500 in one call.
 */
export async function expireLeases(limits = limitsOfConfig): Promise<number> {
  const expired = await listExpiredLeases(BATCH, limits);
  if (expired.length === 0) return 0;
  const endings = expired.map(({ runId, isOverdue }, position) => ({
    position,
    runId,
    reason: isOverdue
      ? 'the lease was not renewed in time'
      : `the executor has not called for ${limits.lostSeconds} s`,
    attempted: null,
  }));
  return (await endExpired(endings, limits)).length;
}

import type { Caller } from '../../platform/caller.ts';
import { isId } from '../../platform/ids.ts';
import { renewRuns } from '../store/leases.ts';

/**
 * Keeps leases alive, until `leaseSeconds` from now.
 *
 * @returns the runs to go on with. The others must be stopped: they were cancelled, have ended, or never were. The lease
 * of a cancelled one is kept too, until its end is reported.
 */
export async function renewLeases(
  caller: Caller,
  runIds: readonly string[],
  leaseSeconds: number,
): Promise<string[]> {
  const held = await renewRuns(caller.userId, runIds.filter(isId), leaseSeconds);
  return held.filter((run) => !run.isCancelled).map((run) => run.id);
}

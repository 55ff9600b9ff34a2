import type { Caller } from '../../platform/caller.ts';
import { isId } from '../../platform/ids.ts';
import { renewRuns } from '../store/leases.ts';

/**
 * Keeps leases alive.
 *
 * @returns the runs that are still held, until `leaseSeconds` from now. Those missing have ended, by whatever cause, or
 * never were: stop them.
 */
export function renewLeases(
  caller: Caller,
  runIds: readonly string[],
  leaseSeconds: number,
): Promise<string[]> {
  return renewRuns(caller.userId, runIds.filter(isId), leaseSeconds);
}

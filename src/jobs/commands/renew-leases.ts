import type { Caller } from '../../platform/caller.ts';
import { isId } from '../../platform/ids.ts';
import { renewRuns } from '../store/leases.ts';

/**
 * Renews leases until `leaseSeconds` from now.
 *
 * @returns the runs to continue. The executor must stop the others, because they are cancelled, have ended or never
 * existed. The lease of a cancelled run is renewed too, until its end is reported.
 */
export async function renewLeases(
  caller: Caller,
  runIds: readonly string[],
  leaseSeconds: number,
): Promise<string[]> {
  const held = await renewRuns(caller.userId, runIds.filter(isId), leaseSeconds);
  return held.filter((run) => !run.mustStop).map((run) => run.id);
}

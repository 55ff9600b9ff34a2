import type { Caller } from '../../platform/caller.ts';
import { InvalidArgumentError } from '../../platform/errors.ts';
import { isId } from '../../platform/ids.ts';
import { renewRuns } from '../store/leases.ts';
import { resumeRuns } from '../store/runs.ts';

/** How many leases one call renews: as many runs as `leaseJobs` takes. */
export const MAX_RENEWALS = 2500;

/**
 * Renews leases until `leaseSeconds` from now. If a lease has ended because it was not renewed in time, its holder gets it
 * back, unless another executor has the job.
 *
 * @returns the runs to continue. The executor must stop the others, because they are cancelled, have ended or never
 * existed. The lease of a cancelled run is renewed too, until its end is reported.
 * @throws InvalidArgumentError for more than 2500 runs. Source: Armada's RenewLease.
 */
export async function renewLeases(
  caller: Caller,
  runIds: readonly string[],
  leaseSeconds: number,
): Promise<string[]> {
  if (runIds.length > MAX_RENEWALS)
    throw InvalidArgumentError.of(['input', 'runs'], `must have at most ${MAX_RENEWALS} runs`, 'TooLarge');
  const ids = runIds.filter(isId);
  await resumeRuns(caller, ids, leaseSeconds);
  const held = await renewRuns(caller.userId, ids, leaseSeconds);
  return held.filter((run) => !run.mustStop).map((run) => run.id);
}

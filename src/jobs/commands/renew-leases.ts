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
  const held = await renewRuns(caller.userId, ids, leaseSeconds);
  const renewed = new Set(held.map(({ id }) => id));
  const ended = ids.filter((id) => !renewed.has(id));
  // Afterwards, so that a lease that expires in between is not lost.
  await resumeRuns(caller, ended, leaseSeconds);
  // A call of the executor may have got some back in the meantime, so what was resumed is not all.
  held.push(...(await renewRuns(caller.userId, ended, leaseSeconds)));
  return held.filter((run) => !run.mustStop).map((run) => run.id);
}

import { isAllowed } from '../../authorization/can.ts';
import type { Caller } from '../../platform/caller.ts';
import { FailedPreconditionError } from '../../platform/errors.ts';
import { jobTarget } from '../domain/targets.ts';
import { findJobSet } from '../store/changes.ts';

/**
 * The id of a job set that belongs to no execution; null if there is none, or if the caller may not see it.
 *
 * @throws FailedPreconditionError for the job set of an execution that the caller may see.
 */
export async function findPlainJobSet(
  caller: Caller,
  queueId: string,
  name: string,
  use: string,
): Promise<string | null> {
  const set = await findJobSet(caller.tenantId, queueId, name);
  if (!set || set.ownerId === null) return set?.id ?? null;
  if (!(await isAllowed(caller, 'job:read', { target: async () => jobTarget(set) }))) return null;
  throw new FailedPreconditionError(`the job set belongs to an execution; ${use}`, {
    path: ['input', 'jobSet'],
  });
}

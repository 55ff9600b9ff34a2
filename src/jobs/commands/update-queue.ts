import { refusal } from '../../authorization/can.ts';
import { changeGrants, grantChanges, subjectKey } from '../../authorization/replace-grants.ts';
import { forgetGrants } from '../../authorization/subject-grants.ts';
import type { Queue } from '../../generated/prisma/client.ts';
import type { Caller } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { NotFoundError } from '../../platform/errors.ts';
import type { QueueRequest } from '../domain/queue-settings.ts';
import { queueTarget } from '../domain/targets.ts';
import { lockGrantsOn } from '../store/queue-owners.ts';
import { lockQueue, storeQueue, wakePoolsOf } from '../store/queue-writes.ts';
import { keepRetryPolicies } from '../store/retry-policies.ts';
import { withOwner } from './create-queue.ts';
import { requireRetryPolicies, resolveQueue } from './resolve-queue.ts';

/**
 * Replaces a whole queue: what the request leaves out gets its default, as in a new queue. So the users and groups that it
 * does not name lose their grants on the queue. Grants that hide the queue from somebody stay, because the request cannot
 * say them, unless it names this user or group.
 *
 * A queue of a project gets no owner by default, because the grants on the project decide about it.
 *
 * @param path  of the queue in the input.
 * @throws InvalidArgumentError with all problems; NotFoundError; PermissionDeniedError if grants would change and the
 * caller may not change them.
 * Source: Armada's UpdateQueue.
 */
export async function updateQueue(
  caller: Caller,
  request: QueueRequest,
  path: readonly string[] = ['input'],
): Promise<Queue> {
  const { columns, grants } = await resolveQueue(caller, request, path);
  const { name } = request;
  const queue = await inTransaction(async (tx) => {
    // Before the queue, because the deletion of a policy locks the policy first.
    const policies = await keepRetryPolicies(tx, caller.tenantId, columns.retryPolicies);
    const before = await lockQueue(tx, caller.tenantId, { name });
    if (!before) throw new NotFoundError('queue', name, [...path, 'name']);
    const { id, projectId, retryPolicies } = before;
    await requireRetryPolicies(caller, columns.retryPolicies, policies, retryPolicies, path);
    const after = await storeQueue(tx, id, columns);
    await wakePoolsOf(tx, caller.tenantId, id);
    const wanted = projectId ? grants : withOwner(caller, request, grants);
    const named = new Set(wanted.map(subjectKey));
    const current = (await lockGrantsOn(tx, caller.tenantId, id)).filter(
      (grant) => grant.level !== 'NO_PERMISSIONS' || named.has(subjectKey(grant)),
    );
    const changes = grantChanges(current, wanted);
    if (changes.put.length + changes.revoked.length > 0) {
      const target = async () => queueTarget(before);
      const refused = await refusal(caller, 'permission:grant', { kind: 'queue', key: name, id, target });
      if (refused) throw refused;
    }
    await changeGrants(tx, caller, { type: 'QUEUE', id, name }, changes);
    return after;
  });
  forgetGrants(caller);
  return queue;
}

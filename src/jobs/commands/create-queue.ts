import { closedTo } from '../../authorization/can.ts';
import { nameConflict } from '../../authorization/name-conflict.ts';
import { changeGrants, grantChanges, type NamedGrant } from '../../authorization/replace-grants.ts';
import { forgetGrants } from '../../authorization/subject-grants.ts';
import type { Queue } from '../../generated/prisma/client.ts';
import type { Caller } from '../../platform/caller.ts';
import { isUniqueViolation } from '../../platform/database/failures.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { newId } from '../../platform/ids.ts';
import { nameProblems, type QueueRequest } from '../domain/queue-settings.ts';
import { queueTarget } from '../domain/targets.ts';
import { insertQueue } from '../store/queue-writes.ts';
import { readQueues } from '../store/queues.ts';
import { keepRetryPolicies } from '../store/retry-policies.ts';
import { requireRetryPolicies, resolveQueue } from './resolve-queue.ts';

/**
 * Creates a queue. If no user is named as its owner, the caller is the owner.
 *
 * @param path  of the queue in the input.
 * @throws InvalidArgumentError with all problems; AlreadyExistsError if a queue that the caller may read has the name;
 * InvalidArgumentError `NameUnavailable` if a hidden queue has it. An existing queue does not change.
 * PermissionDeniedError if the sign-in may not grant rights to others.
 * Source: Armada's CreateQueue.
 */
export async function createQueue(
  caller: Caller,
  request: QueueRequest,
  path: readonly string[] = ['input'],
): Promise<Queue> {
  const { columns, grants } = await resolveQueue(caller, request, path, nameProblems(request.name, path));
  const owners = withOwner(caller, request, grants);
  const { tenantId, userId } = caller;
  const onlyOwn = owners.every(({ subject }) => 'userId' in subject && subject.userId === userId);
  const refused = onlyOwn ? null : closedTo(caller, 'permission:grant');
  if (refused) throw refused;
  const { name } = request;
  try {
    const queue = await inTransaction(async (tx) => {
      const policies = await keepRetryPolicies(tx, tenantId, columns.retryPolicies);
      await requireRetryPolicies(caller, columns.retryPolicies, policies, [], path);
      const made = await insertQueue(tx, { id: newId(), tenantId, name }, columns);
      await changeGrants(tx, caller, { type: 'QUEUE', id: made.id, name }, grantChanges([], owners));
      return made;
    });
    forgetGrants(caller);
    return queue;
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    const [holder] = await readQueues(tenantId, [{ name }]);
    const conflict = { kind: 'queue', name, path: [...path, 'name'] } as const;
    throw await nameConflict(caller, holder ? queueTarget(holder) : null, conflict);
  }
}

/** The grants of a queue that belongs to no project: without another user as owner, the caller is the owner. */
export function withOwner(
  { userId, username }: Caller,
  { userOwners }: Pick<QueueRequest, 'userOwners'>,
  grants: readonly NamedGrant[],
): NamedGrant[] {
  if (userOwners.length > 0) return [...grants];
  const isOwn = ({ subject }: NamedGrant) => 'userId' in subject && subject.userId === userId;
  return [
    { subject: { userId, name: username }, level: 'MANAGE' },
    ...grants.filter((grant) => !isOwn(grant)),
  ];
}

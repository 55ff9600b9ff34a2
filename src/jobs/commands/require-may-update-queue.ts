import { refusal } from '../../authorization/can.ts';
import type { Caller } from '../../platform/caller.ts';
import { queueTarget } from '../domain/targets.ts';
import { readQueues } from '../store/queues.ts';

/**
 * Asks for `queue:update` on one queue of a call about many.
 *
 * @throws NotFoundError if it is absent or hidden; PermissionDeniedError.
 */
export async function requireMayUpdateQueue(
  caller: Caller,
  name: string,
  path: readonly string[],
): Promise<void> {
  const [queue] = await readQueues(caller.tenantId, [{ name }]);
  const target = async () => (queue ? queueTarget(queue) : null);
  const refused = await refusal(caller, 'queue:update', {
    kind: 'queue',
    key: name,
    path: [...path, 'name'],
    target,
  });
  if (refused) throw refused;
}

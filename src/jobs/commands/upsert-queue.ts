import { closedTo, isSeen, refusal } from '../../authorization/can.ts';
import type { Queue } from '../../generated/prisma/client.ts';
import type { Caller } from '../../platform/caller.ts';
import { AlreadyExistsError, NotFoundError, UnavailableError } from '../../platform/errors.ts';
import type { QueueRequest } from '../domain/queue-settings.ts';
import { queueTarget } from '../domain/targets.ts';
import { readQueues } from '../store/queues.ts';
import { createQueue } from './create-queue.ts';
import { updateQueue } from './update-queue.ts';

/** How often to look again, because others create or delete a queue with the same name. */
const MAX_TRIES = 10;

/**
 * Creates a queue, or replaces it if the caller may read a queue with this name. It asks for the permission of what it
 * does: `queue:create`, or `queue:update` on the queue.
 *
 * @throws as `createQueue` and `updateQueue`, except that a queue with this name is no error.
 * Source: Armada's CreateQueue before 2021, which created or updated.
 */
export async function upsertQueue(caller: Caller, request: QueueRequest): Promise<Queue> {
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const made = await once(caller, request);
    if (made) return made;
  }
  throw new UnavailableError('others create and delete this queue at the same time, try again');
}

/** Null if the queue was created or deleted in between. */
async function once(caller: Caller, request: QueueRequest): Promise<Queue | null> {
  const name = { kind: 'queue', key: request.name } as const;
  const [holder] = await readQueues(caller.tenantId, [{ name: request.name }]);
  const target = holder ? queueTarget(holder) : null;
  const exists = await isSeen(caller, name, target);
  const refused = exists
    ? await refusal(caller, 'queue:update', { ...name, target: async () => target })
    : closedTo(caller, 'queue:create');
  if (refused) throw refused;
  try {
    return exists ? await updateQueue(caller, request) : await createQueue(caller, request);
  } catch (error) {
    if (exists ? error instanceof NotFoundError : error instanceof AlreadyExistsError) return null;
    throw error;
  }
}

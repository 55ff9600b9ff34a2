import type { Queue } from '../../generated/prisma/client.ts';
import { addressText } from '../../platform/address-text.ts';
import type { Caller } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { MAX_REASON } from '../domain/job-changes.ts';
import { lockQueue, storeQueue, wakePoolsOf } from '../store/queue-writes.ts';
import type { QueueBy } from '../store/queues.ts';

/**
 * Cordons a queue: it accepts jobs, and they wait. Jobs that an executor has go on. A queue that is cordoned already gets
 * the new reason.
 *
 * @throws InvalidArgumentError for the reason; NotFoundError. Source: Armada's CordonQueue.
 */
export async function cordonQueue(caller: Caller, by: QueueBy, reason: string | null): Promise<Queue> {
  if ((reason?.length ?? 0) > MAX_REASON)
    throw InvalidArgumentError.of(['input', 'reason'], `must have at most ${MAX_REASON} characters`);
  return await setCordon(caller, by, { cordoned: true, cordonReason: reason });
}

/**
 * Lets the jobs of a queue start again, at once. A queue that is not cordoned does not change.
 *
 * @throws NotFoundError. Source: Armada's UncordonQueue.
 */
export const uncordonQueue = (caller: Caller, by: QueueBy): Promise<Queue> =>
  setCordon(caller, by, { cordoned: false, cordonReason: null });

function setCordon(
  caller: Caller,
  by: QueueBy,
  cordon: { readonly cordoned: boolean; readonly cordonReason: string | null },
): Promise<Queue> {
  return inTransaction(async (tx) => {
    const before = await lockQueue(tx, caller.tenantId, by);
    if (!before) throw new NotFoundError('queue', addressText(by), ['input', 'by']);
    if (before.cordoned === cordon.cordoned && before.cordonReason === cordon.cordonReason) return before;
    const after = await storeQueue(tx, before.id, cordon);
    if (!after.cordoned) await wakePoolsOf(tx, caller.tenantId, after.id);
    return after;
  });
}

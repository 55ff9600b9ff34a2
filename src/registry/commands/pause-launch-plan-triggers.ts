import type { Caller } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { FailedPreconditionError } from '../../platform/errors.ts';
import { checkPauseReason } from '../domain/pause-reason.ts';
import { lockTriggers, pauseTriggers } from '../store/triggers.ts';

/**
 * Pauses all triggers of an active version: they start nothing until they are resumed, and what ends until then does not
 * count. What has ended before and was not started yet is given up. A pause that is there already stays as it is.
 *
 * @param plan  the version. The caller has EDIT on it.
 * @throws InvalidArgumentError for an empty or long reason; FailedPreconditionError if no triggers of the version act.
 */
export async function pauseLaunchPlanTriggers(
  { userId }: Caller,
  plan: { readonly id: string },
  reason: string,
): Promise<void> {
  checkPauseReason(reason);
  await inTransaction(async (tx) => {
    if (!(await lockTriggers(tx, plan.id))) throw noTriggers();
    await pauseTriggers(tx, plan.id, userId, reason);
  });
}

export const noTriggers = () =>
  new FailedPreconditionError('the version is not active or has no triggers', { path: ['input', 'by'] });

import type { Caller } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { FailedPreconditionError } from '../../platform/errors.ts';
import { checkPauseReason } from '../domain/pause-reason.ts';
import { lockSchedule, pauseSchedule } from '../store/schedules.ts';

/**
 * Pauses the schedule of an active version: it starts nothing until it is resumed. A pause that is there already stays
 * as it is.
 *
 * @param plan  the version. The caller has EDIT on it.
 * @throws InvalidArgumentError for an empty or long reason; FailedPreconditionError if no schedule of the version runs.
 */
export async function pauseLaunchPlanSchedule(
  { userId }: Caller,
  plan: { readonly id: string },
  reason: string,
): Promise<void> {
  checkPauseReason(reason);
  await inTransaction(async (tx) => {
    const schedule = await lockSchedule(tx, plan.id);
    if (!schedule) throw noSchedule();
    if (!schedule.pausedAt) await pauseSchedule(tx, schedule.id, userId, reason);
  });
}

export const noSchedule = () =>
  new FailedPreconditionError('the version is not active or has no schedule', { path: ['input', 'by'] });

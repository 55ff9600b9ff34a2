import { inTransaction } from '../../platform/database/transaction.ts';
import { slotsOf } from '../domain/slots.ts';
import { lockSchedule, resumeSchedule } from '../store/schedules.ts';
import { noSchedule } from './pause-launch-plan-schedule.ts';

/**
 * Lets a paused schedule go on. Its catch-up policy decides about the slots of the pause; NONE gives all of them up.
 * Resuming a schedule that is not paused changes nothing.
 *
 * @param plan  the version. The caller has EDIT on it.
 * @throws FailedPreconditionError if no schedule of the version runs.
 */
export async function resumeLaunchPlanSchedule(plan: { readonly id: string }): Promise<void> {
  await inTransaction(async (tx) => {
    const row = await lockSchedule(tx, plan.id);
    if (!row) throw noSchedule();
    if (!row.pausedAt) return;
    const { schedule, activatedAt, lastSlotAt, now } = row;
    const slots = slotsOf(schedule, activatedAt);
    const givesUp = schedule.catchUp?.policy === 'NONE';
    const lastSlot = givesUp ? new Date(Math.max(now.getTime(), lastSlotAt.getTime())) : lastSlotAt;
    const [newest = null] = givesUp ? slots.newest(1, lastSlotAt, now) : [];
    // The scheduler decides about the other policies, with the time at which it looks.
    await resumeSchedule(tx, row.id, { lastSlot, skipped: newest, wakeAt: slots.after(lastSlot) });
  });
}

import { takeNotice } from '../../executions/store/notices.ts';
import { schedulerConfig } from '../../platform/config/scheduler.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { workErrorOf } from '../../platform/work-error.ts';
import { planned } from '../domain/deliveries.ts';
import { insertDeliveries } from '../store/deliveries.ts';

/**
 * Writes the notifications of an execution that has ended. The transaction that ended it has left a notice; this one
 * takes the notice away. So each end is notified once, whatever dies.
 */
export async function planDeliveries(executionId: string): Promise<void> {
  await inTransaction(async (tx) => {
    const notice = await takeNotice(tx, executionId);
    if (!notice) return;
    const { notifications, tenantId, projectId, errorCode, errorMessage, errorKind, ...ended } = notice;
    const error = workErrorOf({ errorCode, errorMessage, errorKind });
    const texts = { subject: schedulerConfig.notificationSubject, text: schedulerConfig.notificationText };
    const deliveries = planned(notifications, { ...ended, error }, texts);
    await insertDeliveries(tx, { id: notice.id, tenantId, projectId, phase: notice.phase }, deliveries);
  });
}

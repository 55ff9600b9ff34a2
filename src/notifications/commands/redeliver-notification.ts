import { FailedPreconditionError } from '../../platform/errors.ts';
import { type DeliveryRow, restartDelivery } from '../store/deliveries.ts';

/**
 * Sends a notification again that was delivered or given up, with the same content and id.
 *
 * @throws FailedPreconditionError if it waits to be sent already.
 */
export async function redeliverNotification({ id }: DeliveryRow): Promise<void> {
  if (!(await restartDelivery(id)))
    throw new FailedPreconditionError('the notification already waits to be sent', {
      current: 'PENDING',
      path: ['input', 'id'],
    });
}

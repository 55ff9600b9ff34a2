import type { NotificationRequest } from '../domain/frozen-notifications.ts';
import { readNotifications } from '../store/notices.ts';
import type { ExecutionRow } from '../store/reads.ts';

/** A request for the notifications that an earlier execution has: the same, or none. */
export async function notificationsOf({ id }: ExecutionRow): Promise<NotificationRequest> {
  const [notifications = []] = await readNotifications([id]);
  return { notifications, disableNotifications: notifications.length === 0 };
}

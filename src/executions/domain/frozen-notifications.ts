import { entityMetadataIn } from '../../registry/domain/entity-metadata.ts';
import { type Notification, notifications } from '../../registry/domain/notifications.ts';
import { type Outcome, outcomeOf } from '../../values/problem-list.ts';
import { isAbsent } from '../../values/readers.ts';

/** What the creator of an execution asks for. */
export interface NotificationRequest {
  /** Unchecked; in place of those of the launch plan, unless it is empty. */
  readonly notifications?: unknown;
  readonly disableNotifications?: boolean | null;
}

/**
 * Whom to tell about the end of an execution. This is decided once, when the execution is created. Source: Flyte's
 * CreateExecution.
 *
 * @param planSpec  the stored document of the launch plan.
 */
export function frozenNotifications(
  asked: NotificationRequest,
  planSpec: unknown,
): Outcome<readonly Notification[]> {
  const given = isAbsent(asked.notifications)
    ? ({ ok: true, value: [] } as const)
    : outcomeOf(['input', 'notifications'], (place) => notifications(asked.notifications, place));
  if (!given.ok || given.value.length > 0) return given;
  if (asked.disableNotifications) return { ok: true, value: [] };
  return { ok: true, value: entityMetadataIn(planSpec).notifications ?? [] };
}

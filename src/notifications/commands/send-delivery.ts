import { schedulerConfig } from '../../platform/config/scheduler.ts';
import { log } from '../../platform/log.ts';
import type { EmailContent } from '../domain/deliveries.ts';
import { type AttemptResult, MAX_ATTEMPTS, pauseSeconds } from '../domain/retries.ts';
import { sendEmail } from '../send-email.ts';
import { sendWebhook } from '../send-webhook.ts';
import { webhookSigningKeys } from '../signing-keys.ts';
import { type ClaimedDelivery, claimDelivery, recordAttempt } from '../store/deliveries.ts';

/**
 * Tries once to send a notification, and stores how it ended. Nothing is locked meanwhile. If the scheduler dies after
 * it has sent and before it has stored that, the notification is sent again; it has the same id.
 */
export async function sendDelivery(id: string): Promise<void> {
  const claimed = await claimDelivery(id);
  if (!claimed) return;
  const result = await attempt(claimed);
  const attempts = claimed.attempts + 1;
  const isLast = result.isFinal === true || attempts >= MAX_ATTEMPTS;
  const state = result.isDelivered ? 'DELIVERED' : isLast ? 'DEAD' : 'PENDING';
  const { statusCode = null, error = null } = result;
  await recordAttempt(claimed, state, pauseSeconds(attempts), {
    ...{ at: new Date().toISOString(), statusCode, error },
  });
  const detail = {
    deliveryId: id,
    executionId: claimed.executionId,
    sink: claimed.sink,
    attempts,
    statusCode,
  };
  if (result.isDelivered) log.info(detail, 'notification delivered');
  else log.warn({ ...detail, reason: error }, isLast ? 'notification given up' : 'notification failed');
}

async function attempt(claimed: ClaimedDelivery): Promise<AttemptResult> {
  const { id: deliveryId, projectId, url, recipients, content } = claimed;
  try {
    if (url === null) {
      const message = { ...(content as EmailContent), deliveryId, recipients };
      return await sendEmail(
        { ...message, from: schedulerConfig.notificationSender },
        schedulerConfig.smtpUrl,
      );
    }
    const body = JSON.stringify({ id: deliveryId, createdAt: claimed.createdAt.toISOString(), ...content });
    const allowed = schedulerConfig.webhookAllowedNetworks;
    return await sendWebhook({ deliveryId, url, body, keys: webhookSigningKeys(projectId) }, { allowed });
  } catch (error) {
    log.error({ err: error, deliveryId }, 'sending a notification failed');
    return { isDelivered: false, error: 'the server could not send it' };
  }
}

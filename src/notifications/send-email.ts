import { isEmailAddress } from '../registry/domain/notifications.ts';
import type { EmailContent } from './domain/deliveries.ts';
import type { AttemptResult } from './domain/retries.ts';

export interface EmailMessage extends EmailContent {
  readonly deliveryId: string;
  readonly from: string;
  readonly recipients: readonly string[];
}

const TIMEOUT_MS = 10_000;

/**
 * Sends one e-mail by SMTP. nodemailer is loaded with the first one. Recipients that are no addresses, such as the name
 * of a channel, get nothing, and the result says so.
 */
export async function sendEmail(message: EmailMessage, smtpUrl: string | undefined): Promise<AttemptResult> {
  if (smtpUrl === undefined)
    return { isDelivered: false, isFinal: true, error: 'this server sends no e-mails: SMTP_URL is not set' };
  const addresses = message.recipients.filter(isEmailAddress);
  if (addresses.length === 0)
    return { isDelivered: false, isFinal: true, error: 'none of the recipients is an e-mail address' };
  const { createTransport } = await import('nodemailer');
  const transport = createTransport({
    url: smtpUrl,
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  try {
    const { rejected } = await transport.sendMail({
      from: message.from,
      to: addresses.map((address) => ({ name: '', address })),
      subject: message.subject,
      text: message.text,
      messageId: `<${message.deliveryId}@slipway>`,
      headers: { 'X-Slipway-Delivery': message.deliveryId },
    });
    const without = message.recipients.length - addresses.length;
    const faults = [
      ...(rejected.length > 0 ? [`the mail server refused ${rejected.length} recipients`] : []),
      ...(without > 0 ? [`${without} recipients are no e-mail addresses`] : []),
    ];
    return { isDelivered: true, error: faults.join('; ') || null };
  } catch (error) {
    const { responseCode } = error as { responseCode?: number };
    const status = responseCode === undefined ? '' : ` with code ${responseCode}`;
    return {
      isDelivered: false,
      error:
        responseCode === undefined
          ? 'the mail server could not be reached'
          : `the mail server refused it${status}`,
    };
  } finally {
    transport.close();
  }
}

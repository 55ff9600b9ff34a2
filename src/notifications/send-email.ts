import type { EmailContent } from './domain/deliveries.ts';
import type { AttemptResult } from './domain/retries.ts';

export interface EmailMessage extends EmailContent {
  readonly deliveryId: string;
  readonly from: string;
  readonly recipients: readonly string[];
}

const TIMEOUT_MS = 10_000;

/** Sends one e-mail by SMTP. nodemailer is loaded with the first one. */
export async function sendEmail(message: EmailMessage, smtpUrl: string | undefined): Promise<AttemptResult> {
  if (smtpUrl === undefined)
    return { isDelivered: false, isFinal: true, error: 'this server sends no e-mails: SMTP_URL is not set' };
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
      to: message.recipients.map((address) => ({ name: '', address })),
      subject: message.subject,
      text: message.text,
      messageId: `<${message.deliveryId}@slipway>`,
      headers: { 'X-Slipway-Delivery': message.deliveryId },
    });
    const refused = rejected.length > 0 ? `the mail server refused ${rejected.length} recipients` : null;
    return { isDelivered: true, error: refused };
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

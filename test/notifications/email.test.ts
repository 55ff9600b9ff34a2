/** One e-mail: what is sent at all. */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { sendEmail } from '../../src/notifications/send-email.ts';
import { startMailServer } from '../support/mail-server.ts';
import { startWebhookReceiver } from '../support/webhook-receiver.ts';

let mail: Awaited<ReturnType<typeof startMailServer>>;
beforeAll(async () => {
  mail = await startMailServer();
});
afterAll(() => mail.stop());

const message = {
  ...{ deliveryId: 'd1', from: 'slipway@example.com', recipients: ['ada@example.com'] },
  ...{ subject: 'News', text: 'It has failed.' },
};

describe('an e-mail', () => {
  it('is delivered without a fault', async () => {
    expect(await sendEmail(message, mail.url)).toEqual({ isDelivered: true, error: null });
    expect(mail.mails.map(({ to }) => to)).toEqual([['ada@example.com']]);
  });

  it('is given up at once if the operator has configured no mail server', async () => {
    expect(await sendEmail(message, undefined)).toEqual({
      ...{ isDelivered: false, isFinal: true },
      error: 'this server sends no e-mails: SMTP_URL is not set',
    });
  });

  it('never takes its text from a file or from another server', async () => {
    const server = await startWebhookReceiver();
    onTestFinished(() => server.stop());
    const before = mail.mails.length;
    for (const place of [{ path: fileURLToPath(import.meta.url) }, { href: server.url }]) {
      const text = place as unknown as string;
      expect(await sendEmail({ ...message, text }, mail.url), JSON.stringify(place)).toMatchObject({
        isDelivered: false,
      });
    }
    expect(mail.mails).toHaveLength(before);
    expect(server.received).toEqual([]);
  });
});

/** One webhook: what is sent, where it may go, and what its answer means. */
import { createHmac } from 'node:crypto';
import type { lookup } from 'node:dns';
import { BlockList } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendWebhook } from '../../src/notifications/send-webhook.ts';
import { isPublicAddress, mayReach } from '../../src/platform/public-addresses.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts';

const loopback = new BlockList();
loopback.addAddress('127.0.0.1', 'ipv4');
const nothing = new BlockList();

let receiver: WebhookReceiver;
beforeAll(async () => {
  receiver = await startWebhookReceiver();
});
afterAll(() => receiver.stop());

const message = (url = receiver.url) => ({ deliveryId: 'd1', url, body: '{"a":"é"}', keys: ['k1', 'k2'] });

/** A resolver that answers with these addresses, one list after the other. */
function resolver(...answers: string[][]) {
  let asked = 0;
  const resolve = (_name: string, { all }: { all?: boolean }, callback: (...found: unknown[]) => void) => {
    const found = (answers[Math.min(asked, answers.length - 1)] ?? []).map((address) => ({
      ...{ address, family: address.includes(':') ? 6 : 4 },
    }));
    asked += 1;
    if (all) callback(null, found);
    else callback(null, found[0]?.address, found[0]?.family);
  };
  return Object.assign(resolve as unknown as typeof lookup, { times: () => asked });
}

describe('a webhook', () => {
  it('is a signed POST of JSON', async () => {
    expect(await sendWebhook(message(), { allowed: loopback })).toEqual({
      isDelivered: true,
      statusCode: 204,
    });
    const { method, path, headers, body } = receiver.received.at(-1) ?? {};
    expect({ method, path, body }).toEqual({ method: 'POST', path: '/hook', body: '{"a":"é"}' });
    expect(headers).toMatchObject({ 'content-type': 'application/json', 'slipway-delivery': 'd1' });
    const [, time, first, second] = /^t=(\d+),v1=([0-9a-f]{64}),v1=([0-9a-f]{64})$/.exec(
      String(headers?.['slipway-signature']),
    ) as string[];
    const right = (key: string) => createHmac('sha256', key).update(`${time}.${body}`).digest('hex');
    expect([first, second]).toEqual([right('k1'), right('k2')]);
  });

  it.each([
    [200, { isDelivered: true, statusCode: 200 }],
    [299, { isDelivered: true, statusCode: 299 }],
    [300, { isDelivered: false, isFinal: false, statusCode: 300 }],
    [302, { isDelivered: false, isFinal: false, statusCode: 302 }],
    [404, { isDelivered: false, isFinal: false, statusCode: 404 }],
    [410, { isDelivered: false, isFinal: true, statusCode: 410 }],
    [503, { isDelivered: false, isFinal: false, statusCode: 503 }],
  ])('that is answered with %i: %j', async (status, expected) => {
    const before = receiver.received.length;
    receiver.answerWith((_request, response) => response.writeHead(status, { location: receiver.url }).end());
    expect(await sendWebhook(message(), { allowed: loopback })).toMatchObject(expected);
    // A redirect is not followed.
    expect(receiver.received).toHaveLength(before + 1);
  });

  it('waits for an answer only for a while', async () => {
    receiver.answerWith(() => {});
    expect(await sendWebhook(message(), { allowed: loopback, timeoutMs: 50 })).toEqual({
      isDelivered: false,
      error: 'the webhook did not answer in time',
    });
  });

  it('reads only the beginning of an answer without end', async () => {
    let isClosed = () => {};
    const closed = new Promise<void>((resolve) => {
      isClosed = resolve;
    });
    receiver.answerWith((_request, response) => {
      response.writeHead(200);
      const more = () => {
        if (!response.destroyed) response.write('x'.repeat(4096), () => setImmediate(more));
      };
      response.on('close', isClosed);
      more();
    });
    expect(await sendWebhook(message(), { allowed: loopback })).toEqual({
      isDelivered: true,
      statusCode: 200,
    });
    await closed;
  });

  it.each([
    ['reads no end of an answer of more than 16 KiB', 1, 60_000, { isDelivered: true, statusCode: 200 }],
    ['waits for the end of an answer of 16 KiB', 0, 500, { error: 'the webhook did not answer in time' }],
  ])('%s', async (_what, more, timeoutMs, expected) => {
    receiver.answerWith((_request, response) => response.writeHead(200).write('x'.repeat(16 * 1024 + more)));
    expect(await sendWebhook(message(), { allowed: loopback, timeoutMs })).toMatchObject(expected);
  });

  it('whose answer breaks off after its head counts by its status', async () => {
    receiver.answerWith((_request, response) => {
      response.writeHead(200, { 'content-length': 10 }).write('x', () => response.destroy());
    });
    expect(await sendWebhook(message(), { allowed: loopback })).toEqual({
      isDelivered: true,
      statusCode: 200,
    });
  });

  it('says what went wrong without telling about our network', async () => {
    const gone = await startWebhookReceiver();
    await gone.stop();
    expect(await sendWebhook(message(gone.url), { allowed: loopback })).toEqual({
      isDelivered: false,
      error: 'the webhook refused the connection',
    });
    const absent = message('http://nowhere.invalid/');
    const { isDelivered, error } = await sendWebhook(absent, { allowed: loopback });
    expect({ isDelivered, error }).toEqual({
      isDelivered: false,
      error: expect.stringMatching(/^the name of the webhook/),
    });
  });
});

describe('an address', () => {
  it.each([
    ...['127.0.0.1', '10.1.2.3', '172.31.255.255', '192.168.0.1', '169.254.169.254', '100.64.0.1', '0.0.0.0'],
    ...['224.0.0.1', '255.255.255.255', '::', '::1', 'fe80::1', 'fd00::1', 'ff02::1', '::ffff:10.0.0.1'],
    ...['64:ff9b::a00:1', '2002:a00:1::1', '2001:db8::1', '2001::1', 'not an address', ''],
  ])('is not public: %s', (address) => expect(isPublicAddress(address)).toBe(false));

  it.each(['8.8.8.8', '172.32.0.1', '192.167.255.255', '100.128.0.1', '2606:4700::1', '::ffff:8.8.8.8'])(
    'is public: %s',
    (address) => expect(isPublicAddress(address)).toBe(true),
  );

  /** The addresses around and at both ends of each network that is not public. */
  it.each([
    ['0.0.0.0', '0.255.255.255', '1.0.0.0'],
    ['10.0.0.0', '10.255.255.255', '11.0.0.0'],
    ['100.64.0.0', '100.127.255.255', '100.128.0.0'],
    ['127.0.0.0', '127.255.255.255', '128.0.0.0'],
    ['169.254.0.0', '169.254.255.255', '169.255.0.0'],
    ['172.16.0.0', '172.31.255.255', '172.32.0.0'],
    ['192.0.0.0', '192.0.0.255', '192.0.1.0'],
    ['192.0.2.0', '192.0.2.255', '192.0.3.0'],
    ['192.88.99.0', '192.88.99.255', '192.88.100.0'],
    ['192.168.0.0', '192.168.255.255', '192.169.0.0'],
    ['198.18.0.0', '198.19.255.255', '198.20.0.0'],
    ['198.51.100.0', '198.51.100.255', '198.51.101.0'],
    ['203.0.113.0', '203.0.113.255', '203.0.114.0'],
    ['224.0.0.0', '239.255.255.255', '223.255.255.255'],
    ['240.0.0.0', '255.255.255.255', '223.255.255.255'],
    ['2001::', '2001:1ff:ffff::', '2001:200::'],
    ['2001:db8::', '2001:db8:ffff::', '2001:db9::'],
    ['2002::', '2002:ffff::', '2003::'],
    ['3fff::', '3fff:fff:ffff::', '3fff:1000::'],
    ['4000::', '1fff:ffff::', '2000::'],
  ])('from %s to %s is not public, but %s is', (first, last, beside) => {
    expect([first, last, beside].map(isPublicAddress)).toEqual([false, false, true]);
  });

  it('that is not public is reached only in a network that the operator allows', () => {
    const network = new BlockList();
    network.addSubnet('fd00::', 8, 'ipv6');
    network.addSubnet('10.0.0.0', 8, 'ipv4');
    const asked = [
      'fd00::1',
      'fe80::1',
      '10.1.1.1',
      '127.0.0.1',
      '8.8.8.8',
      '2606:4700::1',
      'not an address',
    ];
    expect(asked.filter((address) => mayReach(address, network))).toEqual([
      ...['fd00::1', '10.1.1.1', '8.8.8.8', '2606:4700::1'],
    ]);
  });

  const refused = { isDelivered: false, error: 'the address of the webhook is in a private network' };

  it.each([
    'http://127.0.0.1:PORT/',
    'http://[::1]:PORT/',
    'http://2130706433:PORT/',
    'http://0x7f.1:PORT/',
    'http://[::ffff:127.0.0.1]:PORT/',
  ])('in the URL is refused if it is private: %s', async (form) => {
    const before = receiver.received.length;
    const url = form.replace('PORT', String(receiver.port));
    expect(await sendWebhook(message(url), { allowed: nothing })).toMatchObject(refused);
    expect(receiver.received).toHaveLength(before);
  });

  it('of a name is refused if any of them is private', async () => {
    const before = receiver.received.length;
    const url = `http://hook.example:${receiver.port}/`;
    for (const found of [['127.0.0.1'], ['8.8.8.8', '127.0.0.1'], ['::ffff:127.0.0.1'], []])
      expect(await sendWebhook(message(url), { allowed: nothing, lookup: resolver(found) })).toMatchObject(
        refused,
      );
    expect(
      await sendWebhook(message(`http://localhost:${receiver.port}/`), { allowed: nothing }),
    ).toMatchObject(refused);
    expect(receiver.received).toHaveLength(before);
  });

  it('that a name gets after the check is never reached (DNS rebinding)', async () => {
    receiver.answerWith((_request, response) => response.writeHead(204).end());
    const before = receiver.received.length;
    // First an allowed address, on which somebody listens; then another one of the same machine, which is not allowed.
    const rebinding = resolver(['127.0.0.1'], ['127.0.0.2']);
    const url = `http://hook.example:${receiver.port}/`;
    expect(await sendWebhook(message(url), { allowed: loopback, lookup: rebinding })).toMatchObject({
      isDelivered: true,
    });
    expect(rebinding.times()).toBe(1);
    expect(receiver.received).toHaveLength(before + 1);
    expect(await sendWebhook(message(url), { allowed: loopback, lookup: rebinding })).toMatchObject(refused);
    expect(receiver.received).toHaveLength(before + 1);
  });

  it('of a private network is reached if the operator allows the network', async () => {
    const network = new BlockList();
    network.addSubnet('127.0.0.0', 8, 'ipv4');
    receiver.answerWith((_request, response) => response.writeHead(204).end());
    expect(await sendWebhook(message(), { allowed: network })).toMatchObject({ isDelivered: true });
  });
});

import type { lookup } from 'node:dns';
import { type ClientRequest, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { type BlockList, isIP, type LookupFunction } from 'node:net';
import { checkedLookup, mayReach } from '../platform/public-addresses.ts';
import type { AttemptResult } from './domain/retries.ts';
import { signatureHeader } from './domain/signature.ts';

export interface WebhookMessage {
  readonly deliveryId: string;
  readonly url: string;
  readonly body: string;
  readonly keys: readonly string[];
}

export interface WebhookOptions {
  readonly allowed: BlockList;
  readonly timeoutMs?: number;
  /** Only tests replace it. */
  readonly lookup?: typeof lookup;
}

/** From the look-up of the name to the head of the answer. */
const TIMEOUT_MS = 10_000;

/** The receiver has no more content than this that we read; the rest is cut off. */
const MAX_ANSWER_BYTES = 16 * 1024;

const FORBIDDEN = 'the address of the webhook is in a private network';

class ForbiddenAddressError extends Error {
  override name = 'ForbiddenAddressError';
}

/**
 * Sends one request. All addresses of its name are checked before. Redirects are not followed.
 *
 * What the receiver answers is not kept, except for the status: users could read answers of other servers otherwise.
 */
export function sendWebhook(message: WebhookMessage, options: WebhookOptions): Promise<AttemptResult> {
  const url = new URL(message.url);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) && !mayReach(host, options.allowed))
    return Promise.resolve({ isDelivered: false, isFinal: true, error: FORBIDDEN });
  return new Promise((answer) => {
    const request = open(
      url,
      message,
      checkedLookup({
        ...(options.lookup ? { lookup: options.lookup } : {}),
        isAllowed: (address) => mayReach(address, options.allowed),
        refuse: () => new ForbiddenAddressError(FORBIDDEN),
      }),
    );
    const timer = setTimeout(
      () => request.destroy(new Error('the webhook did not answer in time')),
      options.timeoutMs ?? TIMEOUT_MS,
    );
    const finish = (result: AttemptResult) => {
      clearTimeout(timer);
      request.destroy();
      answer(result);
    };
    request.on('error', (error) => finish(failureOf(error)));
    request.on('response', (response) => {
      const result = resultOf(response.statusCode ?? 0);
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > MAX_ANSWER_BYTES) finish(result);
      });
      response.on('end', () => finish(result));
      response.on('error', () => finish(result));
    });
    request.end(message.body);
  });
}

function open(url: URL, { deliveryId, body, keys }: WebhookMessage, lookup: LookupFunction): ClientRequest {
  const request = url.protocol === 'https:' ? requestHttps : requestHttp;
  return request(url, {
    method: 'POST',
    agent: false,
    lookup,
    headers: {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'user-agent': 'Slipway',
      'slipway-delivery': deliveryId,
      'slipway-signature': signatureHeader(keys, body, new Date()),
    },
  });
}

function resultOf(statusCode: number): AttemptResult {
  if (Math.floor(statusCode / 100) === 2) return { isDelivered: true, statusCode };
  // 410: the receiver wants no more of it.
  return {
    isDelivered: false,
    isFinal: statusCode === 410,
    statusCode,
    error: `the webhook answered with status ${statusCode}`,
  };
}

const reasons: Readonly<Record<string, string>> = {
  ENOTFOUND: 'the name of the webhook has no address',
  EAI_AGAIN: 'the name of the webhook could not be looked up',
  ECONNREFUSED: 'the webhook refused the connection',
  ECONNRESET: 'the webhook broke the connection',
};

function failureOf(error: NodeJS.ErrnoException): AttemptResult {
  const isForbidden = error instanceof ForbiddenAddressError;
  const isOurs = isForbidden || error.message.startsWith('the webhook did not');
  const reason = isOurs ? error.message : (reasons[error.code ?? ''] ?? 'the webhook could not be reached');
  return { isDelivered: false, error: reason };
}

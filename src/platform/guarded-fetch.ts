import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP } from 'node:net';
import { checkedLookup, isPublicAddress } from './public-addresses.ts';

export interface GuardedRequest {
  readonly method?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** A text, or what becomes one. */
  readonly body?: unknown;
}

const TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 1024 * 1024;

class ForbiddenAddressError extends Error {
  override name = 'ForbiddenAddressError';

  constructor() {
    super('the address is in a private network');
  }
}

/**
 * Sends a request to an address that an administrator of a tenant has chosen, and reads the whole answer. The answer
 * must come within 10 seconds and have at most 1 MiB. Redirects are not followed.
 *
 * @param isPrivateAllowed  whether the address may be in a private network or on this machine.
 * @throws Error if there is no such answer, or if the address is not allowed.
 */
export function guardedFetch(
  address: string,
  { method = 'GET', headers = {}, body }: GuardedRequest,
  isPrivateAllowed: boolean,
): Promise<Response> {
  const url = new URL(address);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const isAllowed = (one: string) => isPrivateAllowed || isPublicAddress(one);
  const request = url.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    if (isIP(host) && !isAllowed(host)) return reject(new ForbiddenAddressError());
    const lookup = checkedLookup({ isAllowed, refuse: () => new ForbiddenAddressError() });
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const sent = request(url, { method, headers, agent: false, lookup, signal });
    sent.on('error', reject);
    sent.on('upgrade', (_response, socket) => {
      socket.destroy();
      reject(new Error('the answer changes the protocol'));
    });
    sent.on('response', (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('error', reject);
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > MAX_ANSWER_BYTES)
          response.destroy(new Error(`the answer is longer than ${MAX_ANSWER_BYTES} bytes`));
        chunks.push(chunk);
      });
      response.on('end', () => {
        try {
          resolve(answerOf(response, chunks));
        } catch (error) {
          reject(error);
        }
      });
    });
    sent.end(body === undefined || body === null ? undefined : String(body));
  });
}

/** @throws RangeError for a status that HTTP does not have, such as 999. */
function answerOf({ statusCode: status = 500, headers }: IncomingMessage, chunks: Buffer[]): Response {
  const type = headers['content-type'];
  const hasBody = status >= 200 && ![204, 205, 304].includes(status);
  return new Response(hasBody ? Buffer.concat(chunks) : null, {
    status,
    headers: type === undefined ? {} : { 'content-type': type },
  });
}

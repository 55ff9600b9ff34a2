import type { IncomingMessage } from 'node:http';

/** The path and the query of a request; null if they are not valid. The host says nothing about the server. */
export function requestUrl({ url = '/' }: IncomingMessage): URL | null {
  const base = 'http://slipway.invalid';
  return URL.canParse(url, base) ? new URL(url, base) : null;
}

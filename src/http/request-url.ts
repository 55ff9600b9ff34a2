import type { IncomingMessage } from 'node:http';

/** The path and the query of a request. The host says nothing about the server. */
export interface RequestUrl {
  readonly pathname: string;
  /** With its question mark; empty if there is no query. */
  readonly search: string;
  readonly searchParams: URLSearchParams;
}

/** Most paths. There is nothing in them that a URL would write in another way. */
const PLAIN = /^(\/[\w-]+)+$/;

/** Null if the address is not valid. */
export function requestUrl({ url = '/' }: IncomingMessage): RequestUrl | null {
  if (PLAIN.test(url)) return { pathname: url, search: '', searchParams: new URLSearchParams() };
  const base = 'http://slipway.invalid';
  return URL.canParse(url, base) ? new URL(url, base) : null;
}

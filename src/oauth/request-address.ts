import type { IncomingMessage } from 'node:http';

const addresses = new WeakMap<IncomingMessage, string>();

/** Remembers the IP address of the client of a request, which may have come through proxies. */
export function noteAddress(request: IncomingMessage, address: string | null): void {
  if (address !== null) addresses.set(request, address);
}

/** Null if it is not known. */
export const addressOf = (request: IncomingMessage | undefined): string | null =>
  (request && addresses.get(request)) ?? null;

import type { IncomingMessage, ServerResponse } from 'node:http';
import { errors, type Provider } from 'oidc-provider';

/**
 * Whether a request comes from the browser that a challenge was made for. A signed cookie, which only the page of the
 * challenge gets, says so. Without this check, somebody could begin a sign-in and let another person finish it.
 */
export async function isBrowserOf(
  provider: Provider,
  challenge: string,
  { request, response }: { readonly request: IncomingMessage; readonly response: ServerResponse },
): Promise<boolean> {
  try {
    return (await provider.interactionDetails(request, response)).uid === challenge;
  } catch (error) {
    if (error instanceof errors.SessionNotFound) return false;
    throw error;
  }
}

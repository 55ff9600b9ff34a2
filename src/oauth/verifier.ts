import { isSignature, sign } from '../platform/secrets.ts';

/**
 * The verifier of a challenge is in the address to which the answer of an app leads the browser, and nowhere else. So a
 * browser that has it comes from the app. It opens nothing without the cookie of the browser that has begun.
 */

const PURPOSE = 'oauth-verifier';
const PARAMETER = 'verifier';

/** Where a browser continues, with the verifier. */
export function withVerifier(returnTo: string, challenge: string): string {
  const url = new URL(returnTo);
  url.searchParams.set(PARAMETER, sign(PURPOSE, challenge));
  return url.href;
}

export function hasVerifier(search: URLSearchParams, challenge: string): boolean {
  return isSignature(PURPOSE, challenge, search.get(PARAMETER) ?? '');
}

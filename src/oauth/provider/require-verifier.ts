import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import { hasVerifier } from '../verifier.ts';

/** Where a browser comes back from a login app or a consent app. */
const resumePath = /\/oauth2\/(?:auth|device\/verify)\/([^/]+)$/;

/**
 * Before the engine continues with a browser: it must come from the app that has answered. The cookie of the engine says
 * only that the browser has begun. Without the verifier, somebody could send the address of a login page to another
 * person, and his own browser would be signed in as her. The engine takes a browser without its cookie for one that has
 * come too late. Source: Hydra's `login_verifier` and `consent_verifier`.
 */
export function requireVerifier(
  provider: Provider,
  { path, cookies, req, querystring }: KoaContextWithOIDC,
): void {
  const [, uid] = resumePath.exec(path) ?? [];
  if (uid === undefined) return;
  // The engine comes back without the verifier after it has signed another person out.
  const name = `${provider.cookieName('resume')}_verified`;
  if (cookies.get(name, { signed: true }) === uid) return;
  if (hasVerifier(new URLSearchParams(querystring), uid))
    cookies.set(name, uid, { signed: true, httpOnly: true, sameSite: 'lax', path });
  else delete req.headers.cookie;
}

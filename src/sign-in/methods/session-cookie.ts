import { PermissionDeniedError, UnauthenticatedError } from '../../platform/errors.ts';
import { isAllowedOrigin } from '../origins.ts';
import { ownBearer } from './bearer.ts';
import type { SignInMethodHandler, SignInRequest } from './method.ts';

const NAME = 'slipway_session';

/**
 * The session of a browser: a token of ours in a cookie that no script can read, set by `POST /session` alone. The
 * browser sends it by itself, so a request that signs in with it must also come from a page of ours or a listed one. An
 * Authorization header always goes before it. Source: ClearML's `clearml_token_basic`.
 */
export const sessionCookie: SignInMethodHandler = {
  challenge: null,
  async signIn(request) {
    const token = sessionToken(request);
    if (token === null || request.headers.authorization !== undefined) return null;
    requireOurPage(request);
    const authorization = `Bearer ${token}`;
    try {
      return await ownBearer.signIn({ ...request, headers: { authorization } });
    } catch (error) {
      // A dead session would otherwise stand in the way of everything that strangers may ask.
      if (error instanceof UnauthenticatedError)
        request.setHeader?.('set-cookie', expiredCookie(request.publicUrl));
      throw error;
    }
  },
};

/**
 * Proof that a page did not send this on behalf of a foreign one. Browsers tell it in `Origin`, which no page can set,
 * and where they leave that out in `Sec-Fetch-Site`; what tells neither is no browser, and can send a header of its own.
 *
 * @throws PermissionDeniedError
 */
export function requireOurPage({ headers, publicUrl }: Pick<SignInRequest, 'headers' | 'publicUrl'>): void {
  const { origin, 'sec-fetch-site': site } = headers;
  // The browser has compared the page's address with ours as it knows it, which may be another than the configured one.
  if (site === 'same-origin') return;
  const isOurs = origin === undefined ? site === 'none' : isAllowedOrigin(origin, publicUrl);
  if (!isOurs)
    throw new PermissionDeniedError(
      'only pages of this server and of CORS_ORIGINS can use the session cookie',
    );
}

/** The cookie's value; null without one. */
export function sessionToken({ headers }: Pick<SignInRequest, 'headers'>): string | null {
  for (const part of (headers.cookie ?? '').split(';')) {
    const at = part.indexOf('=');
    if (part.slice(0, at).trim() === NAME) return part.slice(at + 1).trim();
  }
  return null;
}

/**
 * Lax, not Strict: a person who follows a link from another site to a page of ours, or to the OAuth server's consent,
 * arrives signed in. What changes anything is POST, where Lax sends no cookie from other sites, and `requireOurPage`
 * stands behind that.
 */
export function cookieOf(token: string, seconds: number, publicUrl: string): string {
  const secure = publicUrl.startsWith('https:') ? '; Secure' : '';
  return `${NAME}=${token}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Lax${secure}`;
}

/** Makes the browser forget the cookie. */
export const expiredCookie = (publicUrl: string): string => cookieOf('', 0, publicUrl);

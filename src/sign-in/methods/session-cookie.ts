import { PermissionDeniedError, UnauthenticatedError } from '../../platform/errors.ts';
import { isAllowedOrigin } from '../origins.ts';
import { ownBearer } from './bearer.ts';
import type { SignInMethodHandler, SignInRequest } from './method.ts';

const NAME = 'slipway_session';

/**
 * The session of a browser: one of our tokens in a cookie that scripts cannot read. Only `POST /session` sets it.
 * Browsers send it automatically, so a request that signs in with it must come from one of our pages or a listed one.
 * An Authorization header takes precedence. Source: ClearML's `clearml_token_basic`.
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
      // An ended session must not prevent what callers without a sign-in may do.
      if (error instanceof UnauthenticatedError)
        request.setHeader?.('set-cookie', expiredCookie(request.publicUrl));
      throw error;
    }
  },
};

/**
 * Makes sure that a foreign page has not sent the request. Browsers say it in `Origin`, which pages cannot set, or, if
 * they leave it out, in `Sec-Fetch-Site`. A client that sends neither is not a browser; it can set any header anyway.
 *
 * @throws PermissionDeniedError
 */
export function requireOurPage({ headers, publicUrl }: Pick<SignInRequest, 'headers' | 'publicUrl'>): void {
  const { origin, 'sec-fetch-site': site } = headers;
  // The browser has compared the page's address with our address as the browser knows it, which may differ from the
  // configured one.
  if (site === 'same-origin') return;
  const isOurs = origin === undefined ? site === 'none' : isAllowedOrigin(origin, publicUrl);
  if (!isOurs)
    throw new PermissionDeniedError(
      'only pages of this server and of CORS_ORIGINS can use the session cookie',
    );
}

/** The value of the cookie; null if there is none. */
export function sessionToken({ headers }: Pick<SignInRequest, 'headers'>): string | null {
  for (const part of (headers.cookie ?? '').split(';')) {
    const at = part.indexOf('=');
    if (part.slice(0, at).trim() === NAME) return part.slice(at + 1).trim();
  }
  return null;
}

/**
 * Lax and not Strict: a person who follows a link from another site to one of our pages, or to the consent page of the
 * OAuth server, arrives signed in. Changes need a POST. With Lax, browsers send no cookie with a POST from another
 * site, and `requireOurPage` checks this too.
 */
export function cookieOf(token: string, seconds: number, publicUrl: string): string {
  const secure = publicUrl.startsWith('https:') ? '; Secure' : '';
  return `${NAME}=${token}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Lax${secure}`;
}

/** Makes the browser delete the cookie. */
export const expiredCookie = (publicUrl: string): string => cookieOf('', 0, publicUrl);

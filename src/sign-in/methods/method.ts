import type { IncomingHttpHeaders } from 'node:http';
import type { Caller } from '../../platform/caller.ts';
import type { Principal } from '../principals.ts';

/** What a way to sign in is given. */
export interface SignInRequest {
  readonly headers: IncomingHttpHeaders;
  /** The IP address that the request came from. */
  readonly address: string | null;
  /** Where callers reach the server: pages from there are our own. */
  readonly publicUrl: string;
  /** The same object for every request of one connection: some ways to sign in take more than one. */
  readonly connection: object;
  /** Sets a header of the answer, where the answer has headers: not over a WebSocket. */
  setHeader?(name: string, value: string): void;
}

/** Who signed in, and with what. */
export interface SignedIn
  extends Pick<
    Caller,
    | 'method'
    | 'credentialId'
    | 'sessionId'
    | 'signedInAt'
    | 'vouchedUntil'
    | 'expiresAt'
    | 'sessionEndsAt'
    | 'scopes'
    | 'confinedTo'
    | 'groupIds'
    | 'real'
  > {
  readonly principal: Principal;
}

/**
 * One way to sign in. Methods are asked in order: one that finds nothing for it in the request answers null, and the
 * next is asked; one that finds something wrong throws, which ends the attempt: a wrong password never becomes an
 * anonymous caller. Source: Armada's chain of authentication services.
 */
export interface SignInMethodHandler {
  /** What a 401 offers in `WWW-Authenticate`; null for none. */
  readonly challenge: string | null;
  /** Reads and checks, before the server listens, what it was configured with. @throws ConfigurationError */
  prepare?(): Promise<void>;
  /**
   * @throws UnauthenticatedError, with the same words for an unknown user and a wrong secret.
   * @throws PermissionDeniedError when a page that is not ours uses a browser's session.
   */
  signIn(request: SignInRequest): Promise<SignedIn | null>;
}

/** `Basic YWxhZGRpbjpvcGVuc2VzYW1l` as scheme, in lower case, and value; null without the header. */
export function authorizationOf({ headers }: SignInRequest): { scheme: string; value: string } | null {
  const { authorization } = headers;
  if (!authorization) return null;
  const space = authorization.indexOf(' ');
  return {
    scheme: (space < 0 ? authorization : authorization.slice(0, space)).toLowerCase(),
    value: space < 0 ? '' : authorization.slice(space + 1).trim(),
  };
}

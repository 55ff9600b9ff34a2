import type { IncomingHttpHeaders } from 'node:http';
import type { Caller } from '../../platform/caller.ts';
import type { Principal } from '../principals.ts';

/** The parts of a request that a way to sign in may use. */
export interface SignInRequest {
  readonly headers: IncomingHttpHeaders;
  /** The IP address of the client. */
  readonly address: string | null;
  /** The URL of the server for its callers. Pages from there are our own pages. */
  readonly publicUrl: string;
  /** The same object for all requests of one connection, because some ways to sign in need several requests. */
  readonly connection: object;
  /** The request that a DPoP proof must name. Left out over a WebSocket, because an operation there is no HTTP request. */
  readonly target?: {
    readonly method: string;
    /** As the caller knows it, without query. */
    readonly url: string;
  };
  /** Sets a header of the answer. There are no headers over a WebSocket. */
  setHeader?(name: string, value: string): void;
}

/** The user who signed in, and with what. */
export interface SignedIn
  extends Pick<
    Caller,
    | 'method'
    | 'credentialId'
    | 'clientId'
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
 * One way to sign in. The ways are asked in order. If a request has no credentials for a way, it returns null and the
 * next way is asked. If it has wrong credentials, the way throws, and no other way is asked: a wrong password never
 * makes an anonymous caller. Source: Armada's chain of authentication services.
 */
export interface SignInMethodHandler {
  /** Its part of `WWW-Authenticate` in a 401 answer; null if it has none. */
  readonly challenge: string | null;
  /** Reads and checks its configuration before the server listens. @throws ConfigurationError */
  prepare?(): Promise<void>;
  /**
   * @throws UnauthenticatedError, with the same message for an unknown user and a wrong secret.
   * @throws PermissionDeniedError if a foreign page uses the session of a browser.
   */
  signIn(request: SignInRequest): Promise<SignedIn | null>;
}

/** The scheme of `Basic YWxhZGRpbjpvcGVuc2VzYW1l` in lower case, and its value; null without the header. */
export function authorizationOf({ headers }: SignInRequest): { scheme: string; value: string } | null {
  const { authorization } = headers;
  if (!authorization) return null;
  const [scheme = ''] = authorization.split(' ', 1);
  const [, value = ''] = /^[^ ]+ +([\w.~+/-]+=*)$/.exec(authorization) ?? [];
  return { scheme: scheme.toLowerCase(), value };
}

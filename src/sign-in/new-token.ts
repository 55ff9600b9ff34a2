import type { Resource } from '../authorization/domain/resources.ts';
import { isGuestAccount } from '../identity/shared-identities.ts';
import type { Caller } from '../platform/caller.ts';
import { serverConfig } from '../platform/config/server.ts';
import { InvalidArgumentError, PermissionDeniedError, UnauthenticatedError } from '../platform/errors.ts';
import { issueToken, sessionEnd } from './access-tokens.ts';
import { findPrincipal } from './principals.ts';

const MAX_SECONDS = 31_536_000;

export interface NewToken {
  readonly token: string;
  readonly expiresAt: Date;
  readonly sessionId: string;
}

export interface TokenWish {
  /** Null means the server's default. */
  readonly expiresInMs: number | null;
  readonly confinedTo: readonly Resource[] | null;
}

/**
 * Issues a token for a user, at a caller's request. The token keeps how the caller signed in: since when, and with
 * which access key and scopes. It also records who asked, if that is another user. It ends with the session, with the
 * access key or with the outside token, if that is earlier than asked for.
 *
 * @throws InvalidArgumentError for less than a second or more than a year; UnauthenticatedError for a caller who did
 * not sign in; PermissionDeniedError for a caller with the token of an OAuth 2 client. Source: ClearML's auth.login. Unlike there, a negative time is refused.
 */
export async function newToken(
  caller: Caller,
  user: { readonly userId: string; readonly tenantId: string; readonly version: number },
  { expiresInMs, confinedTo }: TokenWish,
): Promise<NewToken> {
  if (caller.method === 'ANONYMOUS') throw new UnauthenticatedError();
  // Such a token would stay valid when the tokens of the client are revoked.
  if (caller.clientId !== null)
    throw new PermissionDeniedError(
      'a token that was issued to an OAuth 2 client cannot be exchanged for another token',
    );
  const seconds = expiresInMs === null ? serverConfig.tokenSeconds : Math.floor(expiresInMs / 1000);
  if (seconds < 1 || seconds > MAX_SECONDS)
    throw InvalidArgumentError.of(['input', 'expiresIn'], 'a token must be valid for 1 second to 365 days');
  const signedInAt = caller.signedInAt ?? new Date();
  const expiresAt = earliest([
    new Date(Date.now() + seconds * 1000),
    sessionEnd(signedInAt),
    await accessKeyEnd(caller),
    caller.vouchedUntil,
  ]);
  const { credentialId, scopes, vouchedUntil } = caller;
  const holder = caller.real ?? caller;
  const { token, sessionId } = await issueToken({
    userId: user.userId,
    tenantId: user.tenantId,
    version: user.version,
    credentialId,
    signedInAt,
    vouchedUntil,
    expiresAt,
    // The scopes of an access key are read together with the key. The guest's password allows only this call, but the
    // token has no such limit.
    scopes: credentialId || isGuestAccount(user.userId) ? null : scopes,
    confinedTo,
    actor: holder.userId === user.userId ? null : { userId: holder.userId, version: holder.version },
    clientId: null,
    keyThumbprint: null,
  });
  return { token, sessionId, expiresAt: new Date(Math.floor(expiresAt.getTime() / 1000) * 1000) };
}

/** @throws UnauthenticatedError if the access key has ended since the request began. */
async function accessKeyEnd({ real, userId, credentialId }: Caller): Promise<Date | null> {
  if (!credentialId) return null;
  const sessionId = null;
  const holder = await findPrincipal({
    userId: real?.userId ?? userId,
    credentialId,
    sessionId,
    version: null,
  });
  if (!holder) throw new UnauthenticatedError('the access key is no longer valid');
  return holder.credentialExpiresAt;
}

const earliest = (instants: readonly (Date | null)[]): Date =>
  new Date(Math.min(...instants.flatMap((instant) => instant?.getTime() ?? [])));

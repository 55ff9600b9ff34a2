import type { IncomingHttpHeaders } from 'node:http';
import { isSecret } from '../identity/domain/secrets.ts';
import { usernameKey } from '../identity/domain/usernames.ts';
import { isPassword } from '../identity/passwords.ts';
import { findBearer, findCredentialToSignIn, findUserToSignIn, type SignInUser } from '../identity/store.ts';
import { verifyToken } from '../oauth/access-tokens.ts';
import type { Caller } from '../platform/caller.ts';
import { UnauthenticatedError } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';

/**
 * Who sends a request, from its Authorization header. No header is a stranger; a header that does not convince is a
 * refusal of the whole request, never a stranger.
 *
 * @throws UnauthenticatedError, the same words for an unknown user and a wrong password.
 */
export async function authenticate(
  headers: Pick<IncomingHttpHeaders, 'authorization'>,
  log: Log,
): Promise<Caller | null> {
  const { authorization } = headers;
  if (!authorization) return null;
  const space = authorization.indexOf(' ');
  const scheme = authorization.slice(0, Math.max(space, 0)).toLowerCase();
  const value = authorization.slice(space + 1).trim();
  const signedIn =
    scheme === 'bearer' ? await byToken(value) : scheme === 'basic' ? await byBasic(value) : null;
  if (!signedIn) throw new UnauthenticatedError('the credentials are not valid');
  const { user, credentialId, scopes } = signedIn;
  return {
    tenantId: user.tenantId,
    userId: user.id,
    username: user.username,
    role: user.role,
    defaultLevel: user.defaultLevel,
    defaultFrom: user.defaultFrom,
    creationPolicy: user.creationPolicy,
    version: user.version,
    method: 'TOKEN',
    credentialId,
    sessionId: null,
    signedInAt: null,
    expiresAt: null,
    scopes,
    confinedTo: null,
    groupIds: [],
    real: null,
    address: null,
    log: log.child({ userId: user.id }),
  };
}

/** The schemes that a 401 offers. */
export const challenges = ['Bearer realm="slipway"', 'Basic realm="slipway", charset="UTF-8"'];

interface SignedIn {
  readonly user: SignInUser;
  readonly credentialId: string | null;
  readonly scopes: readonly string[];
}

async function byToken(token: string): Promise<SignedIn | null> {
  const claims = await verifyToken(token);
  const user = await findBearer(claims);
  return (
    user && {
      user,
      credentialId: claims.credentialId,
      scopes: user.scopes ?? [],
    }
  );
}

async function byBasic(value: string): Promise<SignedIn | null> {
  const pair = Buffer.from(value, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  if (colon < 0 || pair.includes('\u0000')) return null;
  const name = pair.slice(0, colon);
  const secret = pair.slice(colon + 1);
  // Access keys have a form of their own, so the two kinds of Basic are told apart without trying both.
  if (/^[A-Z0-9]{30}$/.test(name)) {
    const credential = await findCredentialToSignIn(name);
    if (!credential || !isSecret(secret, credential.secretHash)) return null;
    return {
      user: credential,
      credentialId: credential.credentialId,
      scopes: credential.scopes,
    };
  }
  const user = await findUserToSignIn(usernameKey(name));
  const isRight = await isPassword(secret, user?.passwordHash ?? null);
  return user && isRight ? { user, credentialId: null, scopes: [] } : null;
}

import { createLocalJWKSet, errors, importJWK, type JWTPayload, jwtVerify, SignJWT } from 'jose';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { Resource } from '../authorization/domain/resources.ts';
import { ResourceType } from '../generated/prisma/enums.ts';
import { accessTokenKeys, type SigningKeys } from '../key-sets/signing-keys.ts';
import { serverConfig } from '../platform/config/server.ts';
import { UnauthenticatedError } from '../platform/errors.ts';
import { isId, newId } from '../platform/ids.ts';
import { MAX_CACHED } from './max-cached.ts';

/**
 * Our own access tokens: JWTs with short claims, signed with the current key of the set `slipway.access-token` of the
 * first tenant. A token says who the user is and which version the user had. It never says what the user may do; we
 * read that for each request.
 */

const ALGORITHM = 'EdDSA';
const ISSUER = 'slipway';
/** For whom our tokens are. */
export const AUDIENCE = 'slipway';

export interface TokenClaims {
  readonly userId: string;
  readonly tenantId: string;
  /** The version of the user when the token was issued. */
  readonly version: number;
  /** The access key that was used to get the token; the actor's key, if there is an actor. */
  readonly credentialId: string | null;
  /** Each token is a separate session: logout ends only this token. */
  readonly sessionId: string;
  /** When the user last signed in with credentials. Renewing a token does not change it. */
  readonly signedInAt: Date;
  /** The end of the outside sign-in; null if the user signed in here. */
  readonly vouchedUntil: Date | null;
  readonly expiresAt: Date;
  /** Null means no limit beyond those of the access key and the role. */
  readonly scopes: readonly string[] | null;
  readonly confinedTo: readonly Resource[] | null;
  /** The user who asked for the token, if it is not the user of the token. */
  readonly actor: { readonly userId: string; readonly version: number } | null;
  /** The OAuth 2 client that the token was issued to; null for a token of `login`. */
  readonly clientId: string | null;
  /** The key that the token is bound to, by its thumbprint; null for a bearer token. Source: RFC 9449 §6.1. */
  readonly keyThumbprint: string | null;
}

/** The keys in the form in which they are used. */
interface Keys {
  readonly of: SigningKeys;
  readonly verify: ReturnType<typeof createLocalJWKSet>;
  readonly signing: {
    readonly kid: string;
    readonly key: Awaited<ReturnType<typeof importJWK>>;
  };
}

let last: Keys | null = null;

/** The current keys. The object stays the same as long as the keys are the same. */
async function currentKeys(): Promise<Keys> {
  const keys = await accessTokenKeys.current();
  if (last?.of === keys) return last;
  const { kid, privateJwk } = keys.current;
  const key = await importJWK(privateJwk, ALGORITHM);
  if (last?.of === keys) return last;
  last = {
    of: keys,
    verify: createLocalJWKSet({ keys: keys.all.map(({ publicJwk }) => publicJwk) }),
    signing: { kid, key },
  };
  return last;
}

/** @returns the token, which is a new session. */
export async function issueToken(
  claims: Omit<TokenClaims, 'sessionId'>,
): Promise<{ token: string; sessionId: string }> {
  const { signing } = await currentKeys();
  const { actor, scopes, confinedTo, credentialId, clientId, keyThumbprint } = claims;
  const sessionId = newId();
  const token = await new SignJWT({
    tenant: claims.tenantId,
    ver: claims.version,
    sid: sessionId,
    auth_time: seconds(claims.signedInAt),
    ...(claims.vouchedUntil ? { vouched: seconds(claims.vouchedUntil) } : {}),
    ...(credentialId ? { cred: credentialId } : {}),
    ...(scopes ? { scope: scopes.join(' ') } : {}),
    ...(confinedTo ? { res: confinedTo.map(({ type, id }) => [type, id]) } : {}),
    // RFC 8693 gives this name to the party that acts.
    ...(actor ? { act: { sub: actor.userId, ver: actor.version } } : {}),
    ...(clientId === null ? {} : { client_id: clientId }),
    ...(keyThumbprint === null ? {} : { cnf: { jkt: keyThumbprint } }),
  })
    .setProtectedHeader({ alg: ALGORITHM, kid: signing.kid, typ: 'at+jwt' })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setSubject(claims.userId)
    .setIssuedAt()
    .setExpirationTime(seconds(claims.expiresAt))
    .sign(signing.key);
  return { token, sessionId };
}

const seconds = (instant: Date) => Math.floor(instant.getTime() / 1000);
const instant = (seconds: unknown) => new Date(Number(seconds) * 1000);

/** Tokens whose signature was already checked, and with which keys. We cache nothing else about them. */
const verified = new LRUCache<string, { readonly claims: TokenClaims; readonly keys: Keys }>({
  max: MAX_CACHED,
});

/** The claims of one of our tokens, even if it has expired; null for any other text. */
export async function readToken(token: string): Promise<TokenClaims | null> {
  const keys = await currentKeys();
  const known = verified.get(token);
  if (known?.keys === keys) return known.claims;
  verified.delete(token);
  const payload = await verifiedPayload(token, keys.verify);
  const claims = payload && claimsOf(payload);
  if (claims) verified.set(token, { claims, keys });
  return claims;
}

async function verifiedPayload(token: string, verify: Keys['verify']): Promise<JWTPayload | null> {
  try {
    const { payload } = await jwtVerify(token, verify, {
      algorithms: [ALGORITHM],
      issuer: ISSUER,
      audience: AUDIENCE,
      typ: 'at+jwt',
      requiredClaims: ['sub', 'iat', 'exp', 'tenant', 'ver', 'sid'],
    });
    return payload;
  } catch (error) {
    // The expiry is checked last, after signature, issuer and audience.
    return error instanceof errors.JWTExpired ? error.payload : null;
  }
}

/** Whether a token has expired, or the time is over in which its sign-in can be renewed. */
export function hasEnded({ expiresAt, signedInAt }: TokenClaims): boolean {
  const now = Date.now();
  return expiresAt.getTime() <= now || sessionEnd(signedInAt).getTime() <= now;
}

/** No token is valid longer than this, however often it is renewed. */
export const sessionEnd = (signedInAt: Date): Date =>
  new Date(signedInAt.getTime() + serverConfig.sessionMaxSeconds * 1000);

/** @throws UnauthenticatedError if it is not one of our tokens, or if it has expired. */
export async function verifyToken(token: string): Promise<TokenClaims> {
  const claims = await readToken(token);
  if (!claims || hasEnded(claims)) throw new UnauthenticatedError('the token is not valid');
  return claims;
}

const signedClaims = z.object({
  sub: z.string(),
  tenant: z.string(),
  ver: z.number(),
  sid: z.string(),
  iat: z.number(),
  exp: z.number(),
  auth_time: z.number().optional(),
  vouched: z.number().optional(),
  cred: z.string().optional(),
  scope: z.string().optional(),
  res: z.array(z.tuple([z.enum(ResourceType), z.string()])).optional(),
  act: z.object({ sub: z.string(), ver: z.number() }).optional(),
  client_id: z.string().optional(),
  cnf: z.strictObject({ jkt: z.string() }).optional(),
});

/** Null for a JWT that is signed with our key but is not an access token. */
function claimsOf(payload: JWTPayload): TokenClaims | null {
  const { data, success } = signedClaims.safeParse(payload);
  if (!success || ![data.sub, data.sid, data.cred ?? data.sid, data.act?.sub ?? data.sid].every(isId))
    return null;
  return {
    userId: data.sub,
    tenantId: data.tenant,
    version: data.ver,
    sessionId: data.sid,
    credentialId: data.cred ?? null,
    signedInAt: instant(data.auth_time ?? data.iat),
    vouchedUntil: data.vouched === undefined ? null : instant(data.vouched),
    expiresAt: instant(data.exp),
    scopes: data.scope?.split(' ').filter((scope) => scope !== '') ?? null,
    confinedTo: data.res?.map(([type, id]) => ({ type, id })) ?? null,
    actor: data.act ? { userId: data.act.sub, version: data.act.ver } : null,
    clientId: data.client_id ?? null,
    keyThumbprint: data.cnf?.jkt ?? null,
  };
}

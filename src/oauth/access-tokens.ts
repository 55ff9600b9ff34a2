import {
  calculateJwkThumbprint,
  createLocalJWKSet,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWTPayload,
  jwtVerify,
  SignJWT,
} from 'jose';
import { inTransaction, type Tx } from '../platform/database/transaction.ts';
import { UnauthenticatedError } from '../platform/errors.ts';
import { newId } from '../platform/ids.ts';
import { open } from '../platform/secrets.ts';
import { findServerTenantId, hasKeys, listKeys, lockForFirstKey, type SetKey, storeKey } from './store.ts';

/**
 * Our own access tokens: JWTs with short claims, signed with the newest key of the first tenant's set `slipway.access-token`.
 * They say who and under which version, never what one may do: that is read when it is asked.
 */

const SET = 'slipway.access-token';
const ALGORITHM = 'EdDSA';
const ISSUER = 'slipway';
const AUDIENCE = 'slipway';
/** How long keys are held in memory before the table is looked at again. */
const KEYS_MS = 60_000;

export interface TokenClaims {
  readonly userId: string;
  readonly tenantId: string;
  /** The user's version when it was made. */
  readonly version: number;
  readonly credentialId: string | null;
}

/** Makes the first signing key, on first use. Of several servers that try at once, one does. */
async function createFirstKey(set: SetKey): Promise<void> {
  await inTransaction(async (tx) => {
    await lockForFirstKey(tx);
    if (!(await hasKeys(tx, set))) await createSigningKey(tx, set);
  });
}

async function createSigningKey(tx: Tx, set: SetKey): Promise<void> {
  const { publicKey, privateKey } = await generateKeyPair('EdDSA', {
    crv: 'Ed25519',
    extractable: true,
  });
  const publicJwk = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint(publicJwk);
  const named = { kid, alg: ALGORITHM, use: 'sig' };
  await storeKey(tx, {
    set,
    kid,
    alg: ALGORITHM,
    publicJwk: { ...publicJwk, ...named },
    privateJwk: { ...(await exportJWK(privateKey)), ...named },
  });
}

interface Keys {
  readonly verify: ReturnType<typeof createLocalJWKSet>;
  readonly signing: {
    readonly kid: string;
    readonly key: Awaited<ReturnType<typeof importJWK>>;
  };
}
let keys: Promise<Keys> | null = null;
let keysReadAt = 0;

async function readKeys(): Promise<Keys> {
  const tenantId = await findServerTenantId();
  if (!tenantId) throw new Error('there is no tenant, so nobody to sign in');
  const set = { tenantId, name: SET };
  let stored = await listKeys(set);
  if (stored.length === 0) {
    await createFirstKey(set);
    stored = await listKeys(set);
  }
  const newest = stored.find((key) => key.privateJwkSealed !== null);
  if (!newest?.privateJwkSealed) throw new Error('there is no key to sign tokens with');
  const privateJwk = JSON.parse(open('json-web-key', newest.privateJwkSealed));
  return {
    verify: createLocalJWKSet({ keys: stored.map((key) => key.publicJwk) }),
    signing: { kid: newest.kid, key: await importJWK(privateJwk, ALGORITHM) },
  };
}

function currentKeys(): Promise<Keys> {
  if (!keys || Date.now() - keysReadAt > KEYS_MS) {
    keysReadAt = Date.now();
    keys = readKeys().catch((error) => {
      keys = null;
      throw error;
    });
  }
  return keys;
}

/** @returns the token, which ends `seconds` from now. */
export async function issueToken(
  claims: TokenClaims,
  seconds: number,
): Promise<{ token: string; expiresAt: Date }> {
  const { signing } = await currentKeys();
  const now = Math.floor(Date.now() / 1000);
  const expiresAt = now + seconds;
  const token = await new SignJWT({
    tenant: claims.tenantId,
    ver: claims.version,
    sid: newId(),
    ...(claims.credentialId ? { cred: claims.credentialId } : {}),
  })
    .setProtectedHeader({ alg: ALGORITHM, kid: signing.kid, typ: 'at+jwt' })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setSubject(claims.userId)
    .setIssuedAt(now)
    .setExpirationTime(expiresAt)
    .sign(signing.key);
  return { token, expiresAt: new Date(expiresAt * 1000) };
}

interface Verified {
  readonly claims: TokenClaims;
  readonly expiresAtMs: number;
}
/** Tokens whose signature was checked: only that is remembered, until they end. Oldest first. */
const verified = new Map<string, Verified>();
const MAX_VERIFIED = 10_000;

/** What a token of ours claims. @throws UnauthenticatedError when it is none, or has ended. */
export async function verifyToken(token: string): Promise<TokenClaims> {
  const known = verified.get(token);
  if (known && known.expiresAtMs > Date.now()) return known.claims;
  verified.delete(token);
  const { verify } = await currentKeys();
  let payload: JWTPayload;
  try {
    ({ payload } = await jwtVerify(token, verify, {
      algorithms: [ALGORITHM],
      issuer: ISSUER,
      audience: AUDIENCE,
      typ: 'at+jwt',
      requiredClaims: ['sub', 'exp', 'tenant', 'ver'],
    }));
  } catch {
    throw new UnauthenticatedError('the token is not valid');
  }
  const claims: TokenClaims = {
    userId: String(payload.sub),
    tenantId: String(payload['tenant']),
    version: Number(payload['ver']),
    credentialId: typeof payload['cred'] === 'string' ? payload['cred'] : null,
  };
  verified.set(token, { claims, expiresAtMs: Number(payload.exp) * 1000 });
  for (const oldest of verified.keys()) {
    if (verified.size <= MAX_VERIFIED) break;
    verified.delete(oldest);
  }
  return claims;
}

/**
 * All tokens that clients of the tests get are verified with jose as they arrive: `verifyingFetch` is the fetch of each
 * client, and reads the answers of the server.
 */
import { createHash } from 'node:crypto';
import {
  createLocalJWKSet,
  decodeProtectedHeader,
  type JSONWebKeySet,
  type JWTPayload,
  type JWTVerifyOptions,
  jwtVerify,
} from 'jose';
import { db } from '../../src/platform/database/client.ts';

export interface Expected {
  /** The address of the server. */
  readonly issuer: string;
  readonly clientId: string;
}

/** What a kind of JWT must have, beside a signature with a key of the server. */
interface Kind {
  readonly options: JWTVerifyOptions;
  /** The header `typ`; null if there is none. */
  readonly typ: string | null;
  readonly isForSlipway?: boolean;
}

const publishedKeys = async (issuer: string) =>
  (await (await fetch(`${issuer}/.well-known/jwks.json`)).json()) as JSONWebKeySet;

/** Only this server verifies tokens for Slipway, so their keys are published nowhere. */
async function slipwayKeys(): Promise<JSONWebKeySet> {
  const rows = await db.jsonWebKey.findMany({ where: { set: { name: 'slipway.access-token' } } });
  return { keys: rows.map(({ publicJwk }) => publicJwk as object) } as JSONWebKeySet;
}

async function verify(token: string, issuer: string, { options, typ, isForSlipway }: Kind) {
  const keys = isForSlipway ? await slipwayKeys() : await publishedKeys(issuer);
  const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet(keys), options);
  if ((protectedHeader.typ ?? null) !== typ)
    throw new Error(`the type of the token is ${protectedHeader.typ}, not ${typ}`);
  return payload;
}

function ensure(isRight: boolean, what: string): void {
  if (!isRight) throw new Error(`a token of the server is wrong: ${what}`);
}

const halfHashOf = (text: string) =>
  createHash('sha256').update(text).digest().subarray(0, 16).toString('base64url');

/** @throws for any fault. Source: OpenID Connect Core §2 and §3.3.2.11. */
export async function verifyIdToken(
  token: string,
  { issuer, clientId, ...by }: Expected & { readonly accessToken?: string; readonly code?: string },
): Promise<JWTPayload> {
  const payload = await verify(token, issuer, {
    options: {
      ...{ issuer, audience: clientId, algorithms: ['RS256'] },
      requiredClaims: ['sub', 'iat', 'exp', 'sid', 'auth_time'],
    },
    typ: null,
  });
  ensure([payload.aud].flat().length === 1, 'an ID token is for one client');
  const { at_hash: ofToken, c_hash: ofCode } = payload;
  if (ofToken !== undefined)
    ensure(ofToken === halfHashOf(by.accessToken ?? ''), 'at_hash is of another token');
  if (by.code !== undefined) ensure(ofCode === halfHashOf(by.code), 'c_hash is of another code');
  return payload;
}

/** An access token of any form. @throws for any fault. Source: RFC 9068 §2. */
export async function verifyAccessToken(
  token: string,
  { issuer, clientId, expiresIn }: Expected & { readonly expiresIn?: number },
): Promise<JWTPayload | null> {
  if (!token.includes('.')) {
    ensure(/^[\w-]{43}$/.test(token), 'an opaque token has 43 characters');
    return null;
  }
  const isForSlipway = decodeProtectedHeader(token).alg === 'EdDSA';
  const payload = await verify(token, issuer, {
    options: {
      ...(isForSlipway
        ? { issuer: 'slipway', audience: 'slipway', algorithms: ['EdDSA'] }
        : { issuer, algorithms: ['RS256'] }),
      requiredClaims: ['sub', 'aud', 'iat', 'exp', ...(isForSlipway ? ['tenant', 'ver', 'sid'] : ['jti'])],
    },
    typ: 'at+jwt',
    isForSlipway,
  });
  ensure(payload['client_id'] === clientId, 'it was issued to another client');
  const audience = [payload.aud ?? []].flat();
  ensure(audience.length > 0, 'it is for nobody');
  if (!isForSlipway)
    ensure(!audience.some((one) => one === 'slipway' || one === clientId), 'it is for the wrong audience');
  if (expiresIn !== undefined)
    ensure((payload.exp ?? 0) - (payload.iat ?? 0) === expiresIn, 'it expires at another time');
  return payload;
}

/** @throws for any fault. Source: OpenID Connect Back-Channel Logout §2.4. */
export async function verifyLogoutToken(token: string, { issuer, clientId }: Expected): Promise<JWTPayload> {
  const payload = await verify(token, issuer, {
    options: {
      ...{ issuer, audience: clientId, algorithms: ['RS256'] },
      requiredClaims: ['iat', 'exp', 'jti', 'sid', 'events'],
    },
    typ: 'logout+jwt',
  });
  const event = { 'http://schemas.openid.net/event/backchannel-logout': {} };
  ensure(JSON.stringify(payload['events']) === JSON.stringify(event), 'it says nothing about a logout');
  ensure(payload['nonce'] === undefined && payload.sub === undefined, 'it could be taken for an ID token');
  return payload;
}

/** A signed answer of /userinfo. @throws for any fault. Source: OpenID Connect Core §5.3.2. */
export const verifyUserInfo = (token: string, { issuer, clientId }: Expected): Promise<JWTPayload> =>
  verify(token, issuer, {
    options: { issuer, audience: clientId, algorithms: ['RS256'], requiredClaims: ['sub', 'iat'] },
    typ: null,
  });

interface TokenAnswer {
  readonly access_token?: string;
  readonly id_token?: string;
  readonly expires_in?: number;
}

/**
 * The fetch of a client, which fails if a token in an answer has any fault.
 *
 * @param onVerified  is told what was verified.
 */
export function verifyingFetch(expected: Expected, onVerified: (kind: string) => void = () => {}) {
  return async (url: string | URL, init?: object): Promise<Response> => {
    const response = await fetch(url, init as RequestInit);
    const type = response.headers.get('content-type') ?? '';
    if (type.startsWith('application/jwt')) {
      await verifyUserInfo(await response.clone().text(), expected);
      onVerified('user info');
    }
    if (!response.ok || !new URL(url).pathname.endsWith('/oauth2/token')) return response;
    const { access_token: accessToken, ...made } = (await response.clone().json()) as TokenAnswer;
    if (accessToken !== undefined) {
      const by = made.expires_in === undefined ? expected : { ...expected, expiresIn: made.expires_in };
      onVerified((await verifyAccessToken(accessToken, by)) ? 'access token' : 'opaque access token');
      if (made.id_token !== undefined) {
        await verifyIdToken(made.id_token, { ...expected, accessToken });
        onVerified('ID token');
      }
    }
    return response;
  };
}

import { importJWK, SignJWT } from 'jose';
import type { Provider } from 'oidc-provider';
import { idTokenKeys, type SigningKeys } from '../../key-sets/signing-keys.ts';
import { findProofFault } from '../../sign-in/proofs/check-proof.ts';
import { wordsOf } from '../domain/scopes.ts';
import { subjectFor } from '../pairwise-subjects.ts';
import { slipwayOf } from './client-model.ts';
import { introspect } from './introspection.ts';
import { mayRead } from './origins.ts';

/** An access token, as it was presented. */
export interface PresentedToken {
  readonly token: string;
  /** The proof of DPoP; null if the token was presented as a bearer token. */
  readonly proof: string | null;
  /** The HTTP method of the request. */
  readonly method: string;
  /** The origin of the page that asks; null if no page does. */
  readonly origin: string | null;
}

export interface UserInfo {
  readonly claims: Readonly<Record<string, unknown>>;
  /** Whether the page that asks may read the answer. */
  readonly isReadable: boolean;
  /** The same claims as a signed JWT, if the client wants one. */
  readonly jwt: string | null;
}

/** A refusal of a token that is valid. */
export interface UserInfoRefusal {
  /** The proof must have a newer nonce, or the token does not have the scope `openid`. */
  readonly refusal: 'OLD_NONCE' | 'UNSCOPED';
  /** Whether the page that asks may read the answer. */
  readonly isReadable: boolean;
}

/**
 * What a client may know about a person: the subject, and what the consent app has added. The engine's own answer
 * refuses tokens that are for a resource, and all of ours are.
 *
 * @returns null if the token is not an access token of a person, is not valid any more, or is bound to a key whose proof
 * is missing or wrong.
 */
export async function userInfo(
  provider: Provider,
  { token, proof, method, origin }: PresentedToken,
): Promise<UserInfo | UserInfoRefusal | null> {
  const found = await introspect(provider, token);
  const client = found && (await provider.Client.find(found.clientId));
  if (found?.use !== 'access_token' || !found.consent || !client) return null;
  const isReadable = origin !== null && mayRead(origin, client, provider.issuer);
  const { keyThumbprint } = found;
  // A token that is bound to a key is no bearer token, and the other way round.
  const slipway = slipwayOf(client);
  if ((proof === null) !== (keyThumbprint === null)) return null;
  if (proof !== null && keyThumbprint !== null) {
    const request = { method, url: `${provider.issuer}/userinfo`, accessToken: token };
    const fault = await findProofFault(proof, { ...request, keyThumbprint, tenantId: slipway.tenantId });
    if (fault !== null) return fault === 'use_dpop_nonce' ? { refusal: 'OLD_NONCE', isReadable } : null;
  }
  if (!wordsOf(found.scope).includes('openid')) return { refusal: 'UNSCOPED', isReadable };
  const sub = found.accountId === null ? found.subject : await subjectFor(slipway, found.accountId);
  const claims = { ...found.consent.session.idToken, sub };
  const isSigned = slipway.settings.userinfoSignedResponseAlg !== 'none';
  return {
    claims,
    isReadable,
    jwt: isSigned ? await signed(claims, found.issuer, found.clientId) : null,
  };
}

/** Source: OpenID Connect Core §5.3.2. */
async function signed(claims: UserInfo['claims'], issuer: string, audience: string): Promise<string> {
  const { current } = await idTokenKeys.current();
  return await new SignJWT({ ...claims })
    .setProtectedHeader({ alg: current.alg, kid: current.kid })
    .setIssuer(issuer)
    .setAudience(audience)
    .setIssuedAt()
    .sign(await imported(current));
}

type Current = SigningKeys['current'];
const importedKeys = new WeakMap<Current, ReturnType<typeof importJWK>>();

/** The key is imported once, as long as it is the current one. */
function imported(current: Current): ReturnType<typeof importJWK> {
  const key = importedKeys.get(current) ?? importJWK(current.privateJwk, current.alg);
  importedKeys.set(current, key);
  return key;
}

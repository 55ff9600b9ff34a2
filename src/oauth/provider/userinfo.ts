import { importJWK, SignJWT } from 'jose';
import type { Provider } from 'oidc-provider';
import { idTokenKeys } from '../../key-sets/signing-keys.ts';
import { wordsOf } from '../domain/scopes.ts';
import { slipwayOf } from './client-model.ts';
import { introspect } from './introspection.ts';

export interface UserInfo {
  readonly claims: Readonly<Record<string, unknown>>;
  /** The same claims as a signed JWT, if the client wants one. */
  readonly jwt: string | null;
}

/**
 * What a client may know about a person: the subject, and what the consent app has added. The engine's own answer
 * refuses tokens that are for a resource, and all of ours are.
 *
 * @returns null if the token is not an access token of a person, or not valid any more; UNSCOPED if it does not have
 * the scope `openid`.
 */
export async function userInfo(provider: Provider, token: string): Promise<UserInfo | 'UNSCOPED' | null> {
  const found = await introspect(provider, token);
  if (found?.use !== 'access_token' || !found.consent) return null;
  if (!wordsOf(found.scope).includes('openid')) return 'UNSCOPED';
  const claims = { ...found.consent.session.idToken, sub: found.subject };
  const client = await provider.Client.find(found.clientId);
  if (!client) return null;
  const isSigned = slipwayOf(client).settings.userinfoSignedResponseAlg !== 'none';
  return { claims, jwt: isSigned ? await signed(claims, found.issuer, found.clientId) : null };
}

/** Source: OpenID Connect Core §5.3.2. */
async function signed(claims: UserInfo['claims'], issuer: string, audience: string): Promise<string> {
  const { current } = await idTokenKeys.current();
  return await new SignJWT({ ...claims })
    .setProtectedHeader({ alg: current.alg, kid: current.kid })
    .setIssuer(issuer)
    .setAudience(audience)
    .setIssuedAt()
    .sign(await importJWK(current.privateJwk, current.alg));
}

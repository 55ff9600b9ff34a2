import type { Provider } from 'oidc-provider';
import { wordsOf } from '../domain/scopes.ts';
import { introspect } from './introspection.ts';

/**
 * What a client may know about a person: the subject, and what the consent app has added. The engine's own answer
 * refuses tokens that are for a resource, and all of ours are.
 *
 * @returns null if the token is not an access token of a person, or not valid any more; UNSCOPED if it does not have
 * the scope `openid`.
 */
export async function userInfo(
  provider: Provider,
  token: string,
): Promise<Record<string, unknown> | 'UNSCOPED' | null> {
  const found = await introspect(provider, token);
  if (found?.use !== 'access_token' || !found.consent) return null;
  if (!wordsOf(found.scope).includes('openid')) return 'UNSCOPED';
  return { ...found.consent.session.idToken, sub: found.subject };
}

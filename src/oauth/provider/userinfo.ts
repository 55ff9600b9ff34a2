import type { Provider } from 'oidc-provider';
import { accountOf } from '../domain/accounts.ts';
import { wordsOf } from '../domain/scopes.ts';
import { findConsent } from '../store/consents.ts';

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
  const found = await provider.AccessToken.find(token);
  if (!found?.isValid || !found.accountId || !found.grantId || !found.clientId) return null;
  const grant = await provider.Grant.find(found.grantId);
  const client = await provider.Client.find(found.clientId);
  if (!grant || !client) return null;
  if (!wordsOf(found.scope).includes('openid')) return 'UNSCOPED';
  const consent = await findConsent(found.grantId);
  const { subject: sub } = accountOf(found.accountId);
  return { ...consent?.session.idToken, sub };
}

import type { Caller } from '../platform/caller.ts';
import { InvalidArgumentError } from '../platform/errors.ts';
import { isScopeAllowed } from './domain/scopes.ts';
import { currentProvider } from './provider/current-provider.ts';
import type { Introspection } from './provider/introspection.ts';

export interface AskedToken {
  readonly token: string;
  /** Scopes that the token must have. */
  readonly scopes: readonly string[];
}

/** For administrators, who know people as login apps do. */
export interface AdministratorsIntrospection extends Introspection {
  /** What the client knows the person by, if it has pairwise subjects. */
  readonly obfuscatedSubject: string | null;
}

/**
 * What a token of the caller's tenant says.
 *
 * @param issuer  the URL of the server for its callers.
 * @returns null if it is not valid, if it is of another tenant, or if it does not have all the scopes.
 * @throws InvalidArgumentError for an empty token. Source: Hydra's introspectOAuth2Token.
 */
export async function introspectToken(
  { tenantId }: Caller,
  issuer: string,
  { token, scopes }: AskedToken,
): Promise<AdministratorsIntrospection | null> {
  if (token === '') throw InvalidArgumentError.of(['token'], 'must not be empty');
  const provider = await currentProvider(issuer);
  const { introspect, obfuscatedSubject } = await import('./provider/introspection.ts');
  const { slipwayOf } = await import('./provider/client-model.ts');
  const found = await introspect(provider, token);
  if (!found || !scopes.every((scope) => isScopeAllowed(scope, found.scope))) return null;
  const client = await provider.Client.find(found.clientId);
  if (!client || slipwayOf(client).tenantId !== tenantId) return null;
  return { ...found, obfuscatedSubject: await obfuscatedSubject(client, found) };
}

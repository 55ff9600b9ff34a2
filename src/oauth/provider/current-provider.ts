import type { Provider } from 'oidc-provider';
import { idTokenKeys, type SigningKeys } from '../../key-sets/signing-keys.ts';
import { serverConfig } from '../../platform/config/server.ts';

/** The URL of the server for its callers, which is in every address that it has given out. */
export const issuerOf = (address: string): string =>
  serverConfig.publicUrl?.replace(/\/+$/, '') ?? new URL(address).origin;

/** The providers of this process, by issuer. There is one, unless a test starts several servers. */
const providers = new Map<string, { readonly keys: SigningKeys; readonly provider: Provider }>();

/**
 * The provider with the keys of this moment. When keys change, it is replaced: requests that it has begun to answer end
 * on the old one. The engine is loaded with the first request, so that a server without clients does not carry it.
 *
 * @param issuer  the URL of the server for its callers.
 */
export async function currentProvider(issuer: string): Promise<Provider> {
  const keys = await idTokenKeys.current();
  const known = providers.get(issuer);
  if (known?.keys === keys) return known.provider;
  const { makeProvider } = await import('./provider.ts');
  const provider = makeProvider(issuer, keys);
  providers.set(issuer, { keys, provider });
  return provider;
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Provider } from 'oidc-provider';
import { idTokenKeys, type SigningKeys } from '../../key-sets/signing-keys.ts';
import { serverConfig } from '../../platform/config/server.ts';

/** The URL of the server for its callers, which is in every address that it has given out. */
export const issuerOf = (address: string): string =>
  serverConfig.publicUrl?.replace(/\/+$/, '') ?? new URL(address).origin;

interface Current {
  readonly keys: SigningKeys;
  readonly provider: Provider;
  /** Answers a request. The engine would put its steps together anew for each one. */
  readonly answer: ReturnType<Provider['callback']>;
}

/** The providers of this process, by issuer. There is one, unless a test starts several servers. */
const providers = new Map<string, Current>();

/**
 * The provider with the keys of this moment. When keys change, it is replaced: requests that it has begun to answer end
 * on the old one. The engine is loaded with the first request, so that a server without clients does not carry it.
 *
 * @param issuer  the URL of the server for its callers.
 */
export const currentProvider = async (issuer: string): Promise<Provider> => (await current(issuer)).provider;

/** Lets the provider of this moment answer a request. */
export async function answerByProvider(
  issuer: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { answer } = await current(issuer);
  await answer(request, response);
}

async function current(issuer: string): Promise<Current> {
  const keys = await idTokenKeys.current();
  const known = providers.get(issuer);
  if (known?.keys === keys) return known;
  const { makeProvider } = await import('./provider.ts');
  const provider = makeProvider(issuer, keys);
  const made = { keys, provider, answer: provider.callback() };
  providers.set(issuer, made);
  return made;
}

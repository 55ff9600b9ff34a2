/**
 * The protocol engine alone: oidc-provider with its own settings, on our adapter, with our hashing of secrets and the same
 * grants. What Slipway costs beyond it is what Slipway adds.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type * as SigningKeys from '../../src/key-sets/signing-keys.ts';
import type * as ClientSecrets from '../../src/oauth/client-secrets.ts';
import type * as Adapter from '../../src/oauth/provider/adapter.ts';
import type * as ClientModel from '../../src/oauth/provider/client-model.ts';
import { announce } from './common.ts';

const { Provider } = await import('oidc-provider');
const { adapterFor } = await compiled<typeof Adapter>('oauth/provider/adapter');
const { slipwayOf } = await compiled<typeof ClientModel>('oauth/provider/client-model');
const { isClientSecret } = await compiled<typeof ClientSecrets>('oauth/client-secrets');
const { idTokenKeys } = await compiled<typeof SigningKeys>('key-sets/signing-keys');

const server = createServer();
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address() as AddressInfo;
const url = `http://127.0.0.1:${port}`;
const { current } = await idTokenKeys.current();
const provider = new Provider(url, {
  adapter: adapterFor(url),
  jwks: { keys: [current.privateJwk] } as never,
  scopes: ['openid', 'offline_access', 'write'],
  extraClientMetadata: { properties: ['slipway'], validator: () => {} },
  clientAuthMethods: ['client_secret_basic'],
  ttl: { ClientCredentials: 3600 },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    deviceFlow: { enabled: true },
    pushedAuthorizationRequests: { enabled: true },
    dPoP: { enabled: true },
    revocation: { enabled: true },
    introspection: {
      enabled: true,
      allowedPolicy: async (_ctx, client, token) => token.clientId === client.clientId,
    },
  },
});
Object.assign(provider.Client.prototype, {
  compareClientSecret(secret: string) {
    const { clientId } = this as unknown as { readonly clientId: string };
    return isClientSecret(secret, slipwayOf(this).secretHashes, { clientId, address: null });
  },
});
const answer = provider.callback();
server.on('request', (request, response) => void answer(request, response));
announce({ port, path: '/token' });

/** A module of the compiled server. It reads the configuration when it is imported. */
async function compiled<Module>(path: string): Promise<Module> {
  return (await import(new URL(`../../dist/${path}.js`, import.meta.url).href)) as Module;
}

import type { Reader } from '../authorization/store/readable.ts';
import { addressLoader } from '../platform/loaders.ts';
import { type ClientBy, type ClientRow, readClients } from './store/clients.ts';

export const oauthLoaders = ({ tenantId }: Reader) => ({
  oauth2Client: addressLoader<ClientBy, ClientRow | null>((addresses) => readClients(tenantId, addresses)),
});

type OAuthLoaders = ReturnType<typeof oauthLoaders>;

declare module '../graphql/context.ts' {
  interface Loaders extends OAuthLoaders {}
}

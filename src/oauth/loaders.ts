import type { Reader } from '../authorization/store/readable.ts';
import type { JwtGrantIssuer } from '../generated/prisma/client.ts';
import { addressLoader } from '../platform/loaders.ts';
import { type ClientBy, type ClientRow, readClients } from './store/clients.ts';
import { type JwtGrantIssuerBy, readJwtGrantIssuers } from './store/jwt-grant-issuers.ts';

export const oauthLoaders = ({ tenantId }: Reader) => ({
  oauth2Client: addressLoader<ClientBy, ClientRow | null>((addresses) => readClients(tenantId, addresses)),
  jwtGrantIssuer: addressLoader<JwtGrantIssuerBy, JwtGrantIssuer | null>((addresses) =>
    readJwtGrantIssuers(tenantId, addresses),
  ),
});

type OAuthLoaders = ReturnType<typeof oauthLoaders>;

declare module '../graphql/context.ts' {
  interface Loaders extends OAuthLoaders {}
}

import type { Capability } from '../graphql/capability.ts';
import { nodeType } from '../graphql/node.ts';
import { OAuth2ClientType } from './graphql/client.ts';
import { JwtGrantIssuerType } from './graphql/jwt-grant-issuer.ts';
import { oauthLoaders } from './loaders.ts';
import { oauthRules } from './rules.ts';
import { clientNodes } from './store/clients.ts';
import { jwtGrantIssuerNodes } from './store/jwt-grant-issuers.ts';
import './graphql/challenge.ts';
import './graphql/challenge-mutations.ts';
import './graphql/client-mutations.ts';
import './graphql/server-metadata.ts';
import './graphql/consent-session.ts';
import './graphql/device-request.ts';
import './graphql/logout-request.ts';
import './graphql/token.ts';
import './graphql/user-info.ts';

export const oauth: Capability = {
  rules: [oauthRules],
  loaders: oauthLoaders,
  nodes: [
    nodeType(OAuth2ClientType, 'oauth2Client:read', clientNodes, (id, { loaders }) =>
      loaders.oauth2Client.load({ id }),
    ),
    nodeType(JwtGrantIssuerType, 'oauth2Client:read', jwtGrantIssuerNodes, (id, { loaders }) =>
      loaders.jwtGrantIssuer.load({ id }),
    ),
  ],
};

import { builder } from '../../graphql/builder.ts';
import { type PublicClientConfig, publicClientConfig } from '../public-client-config.ts';
import { type ServerMetadata, serverMetadata } from '../server-metadata.ts';

const OAuth2MetadataType = builder.objectRef<ServerMetadata>('OAuth2Metadata').implement({
  description:
    'Where clients sign people in and get tokens. It says the same as `/.well-known/oauth-authorization-server`. Source: RFC 8414 §2.',
  fields: (t) => {
    const text = (name: keyof ServerMetadata, description: string) =>
      t.string({ description, resolve: (metadata) => String(metadata[name]) });
    const textOrNull = (
      name: 'device_authorization_endpoint' | 'end_session_endpoint',
      description: string,
    ) => t.string({ nullable: true, description, resolve: (metadata) => metadata[name] ?? null });
    const texts = (name: keyof ServerMetadata, description: string) =>
      t.stringList({ description, resolve: (metadata) => [...(metadata[name] ?? [])] });
    return {
      issuer: text('issuer', 'The name of the server in tokens: `iss`.'),
      authorizationEndpoint: text('authorization_endpoint', 'Where clients send browsers to sign in.'),
      tokenEndpoint: text('token_endpoint', 'Where clients get tokens.'),
      deviceAuthorizationEndpoint: textOrNull(
        'device_authorization_endpoint',
        'Where devices without a browser begin; null if the server does not offer this.',
      ),
      jwksUri: text('jwks_uri', 'The public keys that verify ID tokens.'),
      userinfoEndpoint: text('userinfo_endpoint', 'What clients may know about a person.'),
      revocationEndpoint: text('revocation_endpoint', 'Where clients end tokens.'),
      introspectionEndpoint: text('introspection_endpoint', 'Where clients ask whether a token is valid.'),
      endSessionEndpoint: textOrNull(
        'end_session_endpoint',
        'Where clients send browsers to sign out; null if the server does not offer this.',
      ),
      responseTypesSupported: texts('response_types_supported', 'The values of `response_type`.'),
      scopesSupported: texts(
        'scopes_supported',
        'The scopes that have a meaning for the server. Clients may have others.',
      ),
      grantTypesSupported: texts('grant_types_supported', 'The ways to get a token.'),
      tokenEndpointAuthMethodsSupported: texts(
        'token_endpoint_auth_methods_supported',
        'How clients show the token endpoint who they are.',
      ),
      codeChallengeMethodsSupported: texts('code_challenge_methods_supported', 'The kinds of PKCE.'),
    };
  },
});

const PublicClientConfigType = builder.objectRef<PublicClientConfig>('PublicClientConfig').implement({
  description: "How Flyte's tools sign people in. Source: Flyte's AuthMetadataService.",
  fields: (t) => ({
    clientId: t.exposeString('clientId', { description: 'The public client of the tools.' }),
    redirectUri: t.exposeString('redirectUri', { description: 'Where a tool waits for the browser.' }),
    scopes: t.stringList({
      description: 'The scopes to ask for.',
      resolve: ({ scopes }) => [...scopes],
    }),
    authorizationMetadataKey: t.exposeString('authorizationMetadataKey', {
      description: 'The name of the header that carries the access token.',
    }),
    serviceHttpEndpoint: t.exposeString('serviceHttpEndpoint', { description: 'The URL of the server.' }),
    audience: t.exposeString('audience', { description: 'The audience to ask for.' }),
  }),
});

builder.queryFields((t) => ({
  oauth2Metadata: t.field({
    type: OAuth2MetadataType,
    nullable: true,
    description: 'Where clients sign people in and get tokens. Does not require a sign-in.',
    resolve: (_root, _args, { publicUrl }) => serverMetadata(publicUrl),
  }),
  publicClientConfig: t.field({
    type: PublicClientConfigType,
    nullable: true,
    description:
      "How Flyte's tools sign people in. Does not require a sign-in. Null if an administrator has taken the redirect URI of the client `flytectl` away.",
    resolve: (_root, _args, { publicUrl }) => publicClientConfig(publicUrl),
  }),
}));

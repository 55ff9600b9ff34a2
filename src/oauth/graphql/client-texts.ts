import type { LifespanName, SettingName } from '../domain/client-settings.ts';

/** What each setting of a client means, for the type and for the input. */
export const settingTexts: Readonly<Record<SettingName, string>> = {
  clientName: 'The name that people see when they are asked for their consent.',
  clientUri: 'The home page of the client.',
  logoUri: 'The logo of the client.',
  tosUri: 'The terms of service of the client.',
  policyUri: 'How the client uses what it learns about people.',
  redirectUris:
    'Where the answers of sign-ins may go, compared as whole texts. They begin with `https`, or with `http` for the same machine, or have the scheme of an application. The port of a loopback address is free.',
  grantTypes:
    'How the client may get tokens: `authorization_code`, `refresh_token`, `client_credentials`, `implicit`, `urn:ietf:params:oauth:grant-type:device_code`, `urn:ietf:params:oauth:grant-type:jwt-bearer`, `urn:ietf:params:oauth:grant-type:token-exchange`.',
  responseTypes:
    'What the client may ask for in a sign-in: `code`, `id_token`, or combinations of `code`, `id_token` and `token`.',
  scope:
    'The scopes that the client may ask for, separated by a space. The part `*` of a scope that is divided by dots stands for any word, and at the end for any words.',
  audience:
    'The resource servers that the tokens of the client may be for. Addresses below them are included.',
  tokenEndpointAuthMethod:
    'How the client shows that it is itself: `client_secret_basic`, `client_secret_post`, `private_key_jwt`, or `none` for a public client, which must use PKCE.',
  tokenEndpointAuthSigningAlg: 'The algorithm with which the client signs for `private_key_jwt`.',
  jwks: 'The public keys of the client, as a JSON Web Key Set. Not together with `jwksUri`.',
  jwksUri: 'Where the public keys of the client are.',
  subjectType:
    'What the client knows people by: `public`, the same for all clients, or `pairwise`. Then only the clients of one sector know a person by the same `sub`. A client with pairwise subjects gets opaque access tokens, and none for Slipway itself. The id of a session, `sid`, is the same for all clients. Source: OpenID Connect Core §8.',
  sectorIdentifierUri:
    'Whose clients know people by the same pairwise subjects: an address that begins with `https`, whose host is the sector. The document there is a JSON array with all redirect URIs of these clients; the server reads it when this address or the redirect URIs change. Without it, the host of the redirect URIs is the sector, so it is required if they have several hosts.',
  userinfoSignedResponseAlg: 'How the answers about users are signed: `none` or `RS256`.',
  requestUris: 'Addresses of requests. They are kept, but requests by reference are refused.',
  requestObjectSigningAlg: 'The algorithm with which the client must sign its requests.',
  allowedCorsOrigins: 'The origins of the pages that may call the endpoints as this client.',
  postLogoutRedirectUris:
    'Where a browser may be led after a logout. Scheme, host and port are those of one of the redirect URIs.',
  frontchannelLogoutUri: 'The page of the client that ends its session in the browser.',
  frontchannelLogoutSessionRequired: 'Whether that page needs to know which session has ended.',
  backchannelLogoutUri: 'Where the server tells the client that a session has ended.',
  backchannelLogoutSessionRequired: 'Whether that message must say which session has ended.',
  owner: 'Who the client belongs to, for filters.',
  contacts: 'Who is responsible for the client.',
  metadata: 'Anything else, as a JSON object of at most 16,384 characters.',
  accessTokenStrategy:
    'The form of access tokens: `opaque`, or `jwt`, which resource servers can check by themselves (RFC 9068).',
  skipConsent: 'Whether the consent app may accept without asking.',
  skipLogoutConsent: 'Whether the logout app may accept without asking.',
  serviceAccount:
    'The id of a service account of your tenant. With the grant `client_credentials` and scopes of Slipway, the client gets tokens of this account, so whoever knows the secret of the client has the rights of the account within these scopes. To set it, and to change a client that has it, you must be allowed to create access keys of the account with these scopes. When it is changed, the tokens end.',
};

const validFor = (token: string, grant: string) => `How long the ${token} of ${grant} is valid.`;
const byGrant = (grant: string) => ({
  access: validFor('access token', grant),
  id: validFor('ID token', grant),
  refresh: validFor('refresh token', grant),
});
const code = byGrant('an authorization code');
const implicit = byGrant('the implicit flow');
const refresh = byGrant('a refresh');
const device = byGrant('a device code');

export const lifespanTexts: Readonly<Record<LifespanName, string>> = {
  authorizationCodeAccessToken: code.access,
  authorizationCodeIdToken: code.id,
  authorizationCodeRefreshToken: code.refresh,
  implicitAccessToken: implicit.access,
  implicitIdToken: implicit.id,
  clientCredentialsAccessToken: byGrant('client credentials').access,
  refreshTokenAccessToken: refresh.access,
  refreshTokenIdToken: refresh.id,
  refreshTokenRefreshToken: refresh.refresh,
  jwtBearerAccessToken: byGrant('a trusted JWT').access,
  deviceCodeAccessToken: device.access,
  deviceCodeIdToken: device.id,
  deviceCodeRefreshToken: device.refresh,
};

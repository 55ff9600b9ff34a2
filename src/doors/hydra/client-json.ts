import type { ClientFieldsFragment, OAuth2ClientInput } from '../../generated/doors/graphql.ts';
import { goDuration, readGoDuration } from './durations.ts';
import { hydraName } from './names.ts';

/** The settings of a client that its JSON always has, whatever their values are. */
const always = [
  ...['clientName', 'redirectUris', 'grantTypes', 'responseTypes', 'scope', 'audience', 'owner'],
  ...['policyUri', 'allowedCorsOrigins', 'tosUri', 'clientUri', 'logoUri', 'contacts', 'subjectType'],
  ...['tokenEndpointAuthMethod', 'userinfoSignedResponseAlg', 'skipConsent', 'skipLogoutConsent'],
  ...['jwks', 'metadata'],
] as const;

/** The settings that its JSON has only if they are set. */
const whenSet = [
  ...['jwksUri', 'tokenEndpointAuthSigningAlg', 'requestUris', 'requestObjectSigningAlg'],
  ...['frontchannelLogoutUri', 'frontchannelLogoutSessionRequired', 'postLogoutRedirectUris'],
  ...['backchannelLogoutUri', 'backchannelLogoutSessionRequired', 'accessTokenStrategy'],
  'sectorIdentifierUri',
  // Not of Hydra: a client that is read and written again keeps it.
  'serviceAccount',
] as const;

/** What stands for a setting that is not set. */
const empty: Readonly<Record<string, unknown>> = { jwks: {} };

/** Hydra's name of each lifespan. It names the device grant in another way than we do. */
const lifespans = {
  authorization_code_grant_access_token_lifespan: 'authorizationCodeAccessToken',
  authorization_code_grant_id_token_lifespan: 'authorizationCodeIdToken',
  authorization_code_grant_refresh_token_lifespan: 'authorizationCodeRefreshToken',
  client_credentials_grant_access_token_lifespan: 'clientCredentialsAccessToken',
  device_authorization_grant_access_token_lifespan: 'deviceCodeAccessToken',
  device_authorization_grant_id_token_lifespan: 'deviceCodeIdToken',
  device_authorization_grant_refresh_token_lifespan: 'deviceCodeRefreshToken',
  implicit_grant_access_token_lifespan: 'implicitAccessToken',
  implicit_grant_id_token_lifespan: 'implicitIdToken',
  jwt_bearer_grant_access_token_lifespan: 'jwtBearerAccessToken',
  refresh_token_grant_access_token_lifespan: 'refreshTokenAccessToken',
  refresh_token_grant_id_token_lifespan: 'refreshTokenIdToken',
  refresh_token_grant_refresh_token_lifespan: 'refreshTokenRefreshToken',
} as const;
type Lifespans = Partial<Record<(typeof lifespans)[keyof typeof lifespans], string>>;

const isUnset = (value: unknown) =>
  value === null || value === false || (Array.isArray(value) && value.length === 0);

/** A client as Hydra shows it. */
export function clientJson(client: ClientFieldsFragment): Record<string, unknown> {
  const set = whenSet.filter((name) => !isUnset(client[name]));
  return {
    client_id: client.clientId,
    client_secret_expires_at: 0,
    ...Object.fromEntries(always.map((name) => [hydraName(name), client[name] ?? empty[name] ?? ''])),
    ...Object.fromEntries(set.map((name) => [hydraName(name), client[name]])),
    ...Object.fromEntries(
      Object.entries(lifespans).map(([name, own]) => {
        const lifespan = client.lifespans[own];
        return [name, lifespan === null || lifespan === undefined ? null : goDuration(lifespan)];
      }),
    ),
    created_at: client.createdAt,
    updated_at: client.updatedAt,
  };
}

/** The settings in a client that a call brings. Members that we do not know are left out, as Hydra does. */
export function settingsOf(body: Readonly<Record<string, unknown>>): OAuth2ClientInput {
  const names = [...always, ...whenSet].filter((name) => body[hydraName(name)] !== undefined);
  const settings = Object.fromEntries(names.map((name) => [name, body[hydraName(name)]]));
  // Hydra's clients send an empty set for none.
  const { jwks } = settings;
  if (typeof jwks === 'object' && jwks !== null && Object.keys(jwks).length === 0) settings['jwks'] = null;
  return settings;
}

/** The lifespans in a client or in a list of lifespans. @throws DoorError for a text that is not a duration. */
export function lifespansOf(body: Readonly<Record<string, unknown>>): Lifespans {
  const given = Object.entries(lifespans).filter(([name]) => (body[name] ?? '') !== '');
  return Object.fromEntries(given.map(([name, own]) => [own, readGoDuration(name, body[name])]));
}

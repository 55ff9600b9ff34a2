import { metadataName } from './client-patch.ts';
import type { SettingName } from './client-settings.ts';

/**
 * What a client may say about itself when it registers itself (RFC 7591). Whoever is not trusted cannot decide what
 * only an operator may: how much a client is trusted, for whom its tokens are, and what is written about it.
 */
const ownSettings: readonly SettingName[] = [
  'clientName',
  'clientUri',
  'logoUri',
  'tosUri',
  'policyUri',
  'redirectUris',
  'grantTypes',
  'responseTypes',
  'scope',
  'tokenEndpointAuthMethod',
  'tokenEndpointAuthSigningAlg',
  'jwks',
  'jwksUri',
  'subjectType',
  'sectorIdentifierUri',
  'userinfoSignedResponseAlg',
  'requestObjectSigningAlg',
  'allowedCorsOrigins',
  'postLogoutRedirectUris',
  'frontchannelLogoutUri',
  'frontchannelLogoutSessionRequired',
  'backchannelLogoutUri',
  'backchannelLogoutSessionRequired',
  'contacts',
];

const settingOf = new Map(ownSettings.map((setting) => [metadataName(setting), setting]));

/** Hydra refuses these, so nobody believes that they count. */
const refusedNames = [
  'client_secret_expires_at',
  'metadata',
  'access_token_strategy',
  'skip_consent',
  'skip_logout_consent',
  'owner',
  'service_account',
  'audience',
  'lifespans',
];
/** A client that acts for itself is trusted by whoever accepts its tokens. */
const openGrants = ['authorization_code', 'refresh_token', 'implicit'];

/** A fault of a registration, as RFC 7591 §3.2.2 names it. */
export class RegistrationFault extends Error {
  readonly error: 'invalid_client_metadata' | 'invalid_redirect_uri';

  constructor(message: string, error: RegistrationFault['error'] = 'invalid_client_metadata') {
    super(message);
    this.error = error;
  }
}

export type Metadata = Readonly<Record<string, unknown>>;

/**
 * The settings in the metadata of a client. Names that we do not know are ignored, as RFC 7591 §2 asks for.
 *
 * @param openScopes  the scopes that such a client can have; all of them if it does not choose.
 * @throws RegistrationFault. The values are checked elsewhere, as those of all clients are.
 */
export function settingsIn(metadata: Metadata, openScopes: readonly string[]): Record<string, unknown> {
  const refused = refusedNames.find((name) => metadata[name] !== undefined);
  if (refused !== undefined) throw new RegistrationFault(`${refused} cannot be chosen`);
  const settings: Record<string, unknown> = { scope: openScopes.join(' ') };
  for (const [name, value] of Object.entries(metadata)) {
    const setting = settingOf.get(name);
    if (setting && value !== null) settings[setting] = value;
  }
  const chosen = typeof settings['scope'] === 'string' ? settings['scope'].split(' ') : [];
  const foreign = chosen.find((scope) => scope !== '' && !openScopes.includes(scope));
  if (foreign !== undefined) throw new RegistrationFault(`the scope ${foreign} cannot be chosen`);
  const grants = Array.isArray(settings['grantTypes']) ? (settings['grantTypes'] as unknown[]) : [];
  const closed = grants.find((grant) => !openGrants.includes(String(grant)));
  if (closed !== undefined) throw new RegistrationFault(`the grant type ${closed} cannot be chosen`);
  return settings;
}

/** Client libraries take any algorithm, `none` too, for the wish of a signed answer. So this says nothing. */
const UNSIGNED = 'none';

/** The metadata that a client reads about itself. Source: RFC 7591 §3.2.1. */
export const metadataIn = (settings: Readonly<Record<SettingName, unknown>>): Record<string, unknown> =>
  Object.fromEntries(
    ownSettings.flatMap((setting) => {
      const value = settings[setting];
      const isUnsigned = setting === 'userinfoSignedResponseAlg' && value === UNSIGNED;
      return value === null || value === '' || isUnsigned ? [] : [[metadataName(setting), value]];
    }),
  );

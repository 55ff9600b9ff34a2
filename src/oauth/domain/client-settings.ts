import { z } from 'zod';
import { InvalidArgumentError, type Problem } from '../../platform/errors.ts';
import { isStorable } from '../../platform/text.ts';
import {
  originFault,
  postLogoutUriFault,
  redirectUriConflict,
  redirectUriFault,
  webUriFault,
} from './client-uris.ts';
import { isPairwise, missingSectorFault, sectorUriFault, subjectTypes } from './sectors.ts';

/**
 * The settings of a client: its metadata as in RFC 7591, and what Hydra adds to it. This table says for each what it is
 * if it is left out, and what it may be. Source: Hydra's OAuth2Client.
 */

export const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code';
export const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';

export const grantTypes = [
  'authorization_code',
  'refresh_token',
  'client_credentials',
  'implicit',
  DEVICE_CODE,
  JWT_BEARER,
  TOKEN_EXCHANGE,
] as const;

/** Whoever has no secret and no keys is not known, so it gets no tokens by itself, and none for those of others. */
const authenticatedGrants = ['client_credentials', TOKEN_EXCHANGE];

/** The token endpoint alone answers `token`, which RFC 9700 §2.1.2 advises against; so it is only here with a code. */
export const responseTypes = [
  'code',
  'id_token',
  'code id_token',
  'code token',
  'id_token token',
  'code id_token token',
];

export const authMethods = ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'] as const;

/** The algorithms with which clients sign what they send to us. */
export const signingAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const;

const MAX_TEXT = 255;
const MAX_ITEMS = 100;
const MAX_JSON = 16_384;

/** How long tokens are valid, in seconds, by the grant that issues them. Null: as the server says. */
export const lifespanNames = [
  'authorizationCodeAccessToken',
  'authorizationCodeIdToken',
  'authorizationCodeRefreshToken',
  'implicitAccessToken',
  'implicitIdToken',
  'clientCredentialsAccessToken',
  'refreshTokenAccessToken',
  'refreshTokenIdToken',
  'refreshTokenRefreshToken',
  'jwtBearerAccessToken',
  'deviceCodeAccessToken',
  'deviceCodeIdToken',
  'deviceCodeRefreshToken',
] as const;
export type LifespanName = (typeof lifespanNames)[number];
export type Lifespans = Readonly<Record<LifespanName, number | null>>;

const MAX_LIFESPAN = 31_536_000 * 10;

const storableText = (most: number) =>
  z
    .string()
    .max(most, `must have at most ${most} characters`)
    .refine(isStorable, 'must not contain characters that cannot be stored');
const text = storableText(MAX_TEXT);
const judged = (fault: (value: string) => string | null) =>
  storableText(2048).superRefine((value, context) => {
    const message = fault(value);
    if (message) context.addIssue({ code: 'custom', message });
  });
/** An empty text means the same as none: Hydra's clients send it. */
const optional = (type: z.ZodType<string>) =>
  z.preprocess((value) => (value === '' || value === undefined ? null : value), type.nullable());
const many = (type: z.ZodType<string>) =>
  z
    .array(type)
    .max(MAX_ITEMS, `must have at most ${MAX_ITEMS} entries`)
    .transform((items) => [...new Set(items)])
    .default([]);
const oneOf = (values: readonly string[]) =>
  text.refine((value) => values.includes(value), `must be one of: ${values.join(', ')}`);
const json = z
  .record(z.string(), z.unknown())
  .refine(
    (value) => JSON.stringify(value).length <= MAX_JSON,
    `must have at most ${MAX_JSON} characters as JSON`,
  );
const flag = z.boolean().default(false);

/** Scopes are separated by one space. A part `*` of a scope stands for any word. Source: RFC 6749 §3.3. */
const scope = storableText(4096)
  .refine(
    (value) => value === '' || /^[\x21\x23-\x5B\x5D-\x7E]+( [\x21\x23-\x5B\x5D-\x7E]+)*$/.test(value),
    'must be scopes that are separated by one space',
  )
  .default('');

const sorted = (type: string) => type.split(' ').sort().join(' ');
const responseType = text
  .transform(sorted)
  .refine((value) => responseTypes.includes(value), `must be one of: ${responseTypes.join(', ')}`);

const publicKeys = json.refine(
  ({ keys }) =>
    Array.isArray(keys) &&
    keys.every((key) => typeof key === 'object' && key !== null && key.kty !== 'oct' && key.d === undefined),
  'must be a JSON Web Key Set of public keys',
);

const fields = {
  clientName: text.default(''),
  clientUri: optional(judged(webUriFault)),
  logoUri: optional(judged(webUriFault)),
  tosUri: optional(judged(webUriFault)),
  policyUri: optional(judged(webUriFault)),
  redirectUris: many(judged(redirectUriFault)),
  grantTypes: many(oneOf(grantTypes)).default(['authorization_code']),
  responseTypes: many(responseType).default(['code']),
  scope,
  audience: many(judged(webUriFault)),
  tokenEndpointAuthMethod: oneOf(authMethods).default('client_secret_basic'),
  tokenEndpointAuthSigningAlg: optional(oneOf(signingAlgorithms)),
  jwks: publicKeys.nullable().default(null),
  jwksUri: optional(judged(webUriFault)),
  subjectType: oneOf(subjectTypes).default('public'),
  sectorIdentifierUri: optional(judged(sectorUriFault)),
  userinfoSignedResponseAlg: oneOf(['none', 'RS256']).default('none'),
  requestUris: many(judged(webUriFault)),
  requestObjectSigningAlg: optional(oneOf(signingAlgorithms)),
  allowedCorsOrigins: many(judged(originFault)),
  postLogoutRedirectUris: many(storableText(2048)),
  frontchannelLogoutUri: optional(judged(webUriFault)),
  frontchannelLogoutSessionRequired: flag,
  backchannelLogoutUri: optional(judged(webUriFault)),
  backchannelLogoutSessionRequired: flag,
  owner: text.default(''),
  contacts: many(text),
  metadata: json.default({}),
  accessTokenStrategy: optional(oneOf(['opaque', 'jwt'])),
  skipConsent: flag,
  skipLogoutConsent: flag,
  serviceAccount: optional(text),
};

const settingsType = z.strictObject(fields).superRefine((client, context) => {
  const fault = (path: readonly (string | number)[], message: string) =>
    context.addIssue({ code: 'custom', path: [...path], message });
  const isImplicit = client.grantTypes.includes('implicit');
  for (const [index, uri] of client.redirectUris.entries()) {
    const message = redirectUriConflict(uri, { redirectUris: client.redirectUris, isImplicit });
    if (message) fault(['redirectUris', index], message);
  }
  for (const [index, uri] of client.postLogoutRedirectUris.entries()) {
    const message = postLogoutUriFault(uri, client.redirectUris);
    if (message) fault(['postLogoutRedirectUris', index], message);
  }
  if (client.jwks && client.jwksUri) fault(['jwksUri'], 'cannot be used together with jwks');
  const needsKeys = client.tokenEndpointAuthMethod === 'private_key_jwt' || client.requestObjectSigningAlg;
  if (needsKeys && !client.jwks && !client.jwksUri)
    fault(['jwks'], 'is required, or jwksUri, because the client signs with its own keys');
  const authenticated = authenticatedGrants.find((grant) => client.grantTypes.includes(grant));
  if (authenticated !== undefined && client.tokenEndpointAuthMethod === 'none')
    fault(['tokenEndpointAuthMethod'], `must not be none, because ${authenticated} needs a secret or keys`);
  const sectorFault = client.sectorIdentifierUri === null ? missingSectorFault(client) : null;
  if (sectorFault) fault(['sectorIdentifierUri'], sectorFault);
  if (isPairwise(client) && client.accessTokenStrategy === 'jwt')
    fault(
      ['accessTokenStrategy'],
      'must not be jwt, because such tokens show the subject, which is pairwise',
    );
  if (client.serviceAccount && !client.grantTypes.includes('client_credentials'))
    fault(['serviceAccount'], 'needs the grant type client_credentials');
});

/** What users can set. The lifespans have an operation of their own. */
export type ClientSettings = z.infer<typeof settingsType>;
export type SettingName = keyof typeof fields;
export const settingNames = Object.keys(fields) as SettingName[];

/**
 * The settings with their defaults.
 *
 * @param path  of the settings in the input.
 * @param nameOf  the name that the caller knows a setting by.
 * @throws InvalidArgumentError with all problems.
 */
export function readSettings(
  given: unknown,
  path: readonly string[],
  nameOf: (setting: string) => string = (setting) => setting,
): ClientSettings {
  const { success, data, error } = settingsType.safeParse(given);
  if (success) return data;
  throw new InvalidArgumentError(
    error.issues.map((issue): Problem => {
      const [setting, ...inside] = issue.path.map(String);
      const place = setting === undefined ? [] : [nameOf(setting), ...inside];
      return { path: [...path, ...place], code: 'InvalidValue', message: issue.message };
    }),
  );
}

export const noLifespans = Object.fromEntries(lifespanNames.map((name) => [name, null])) as Lifespans;

/** @param given  in milliseconds. @throws InvalidArgumentError with all problems. */
export function readLifespans(
  given: Readonly<Partial<Record<LifespanName, number | null | undefined>>>,
  path: readonly string[],
): Lifespans {
  const problems: Problem[] = [];
  const entries = lifespanNames.map((name) => {
    const milliseconds = given[name] ?? null;
    const seconds = milliseconds === null ? null : Math.floor(milliseconds / 1000);
    if (seconds !== null && (seconds < 1 || seconds > MAX_LIFESPAN))
      problems.push({ path: [...path, name], code: 'InvalidValue', message: 'must be 1 second to 10 years' });
    return [name, seconds] as const;
  });
  if (problems.length > 0) throw new InvalidArgumentError(problems);
  return Object.fromEntries(entries) as Lifespans;
}

/** Whether a client shows that it is itself by a secret. */
export const usesSecret = ({
  tokenEndpointAuthMethod,
}: Pick<ClientSettings, 'tokenEndpointAuthMethod'>): boolean =>
  tokenEndpointAuthMethod === 'client_secret_basic' || tokenEndpointAuthMethod === 'client_secret_post';

const MIN_SECRET = 6;

/** All problems of a secret that a person chose. */
export function secretProblems(secret: string, path: readonly string[]): Problem[] {
  const isRight = secret.length >= MIN_SECRET && secret.length <= MAX_TEXT && /^[\x20-\x7E]+$/.test(secret);
  const message = `must have ${MIN_SECRET} to ${MAX_TEXT} characters of ASCII`;
  return isRight ? [] : [{ path, code: 'InvalidValue', message }];
}

/** All problems of the id of a new client. An access key is a client, too, so an id cannot look like one. */
export function clientIdProblems(clientId: string, path: readonly string[]): Problem[] {
  const isRight = /^[\x21-\x7E]{1,255}$/.test(clientId) && !/^[A-Z0-9]{30}$/.test(clientId);
  const message = 'must have 1 to 255 characters of ASCII without spaces, and not the form of an access key';
  return isRight ? [] : [{ path, code: 'InvalidValue', message }];
}

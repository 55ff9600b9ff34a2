import { isIP } from 'node:net';
import { z } from 'zod';
import { localAddress } from '../local-address.ts';
import {
  ConfigurationError,
  choice,
  flag,
  httpUrl,
  list,
  readEnvironment,
  text,
  whole,
} from './environment.ts';

const proxies = list
  .refine((parts) => parts.every(isProxy) && (parts.length <= 1 || !parts.some(isCount)), {
    message: 'must be a list of IP addresses and networks (10.0.0.0/8), or a number of proxies',
  })
  .transform((parts): TrustedProxies => (parts.some(isCount) ? Number(parts[0]) : parts));

/** The number of proxies between callers and the server, or their addresses and networks. 0 and [] trust no proxy. */
export type TrustedProxies = number | readonly string[];

function isCount(part: string): boolean {
  return /^\d$/.test(part);
}

function isProxy(part: string): boolean {
  const [address = '', bits, ...more] = part.split('/');
  const family = isIP(address);
  if (family === 0 || more.length > 0) return isCount(part);
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

const portOrOff = text().transform((value, issues) => {
  if (value === 'off') return null;
  const port = whole(0, 65_535).safeParse(value);
  if (port.success) return port.data;
  issues.addIssue({ code: 'custom', message: 'must be a port from 0 to 65535, or off' });
  return z.NEVER;
});

const doors = list
  .transform((names) => (names.join() === 'off' ? [] : names))
  .pipe(z.array(z.enum(['hydra'], { error: 'must be a list of these: hydra; or off' })));

/** The variables that the server reads in addition to the base and the control plane. */
export const serverVariables = {
  MIGRATE: flag.default(true),
  HOST: text().default('127.0.0.1'),
  PORT: whole(0, 65_535).default(4000),
  PUBLIC_URL: httpUrl('https://slipway.example.com').optional(),
  CORS_ORIGINS: list.default([]),
  TRUSTED_PROXIES: proxies.default([]),
  GRAPHIQL: flag.default(true),
  INTROSPECTION: flag.default(true),
  BODY_LIMIT_BYTES: whole(1024, 64 * 1024 * 1024).default(4 * 1024 * 1024),
  QUERY_DEPTH_LIMIT: whole(1, 100).default(20),
  QUERY_TOKEN_LIMIT: whole(100, 100_000).default(5000),
  QUERY_ALIAS_LIMIT: whole(0, 1000).default(60),
  QUERY_DIRECTIVE_LIMIT: whole(0, 1000).default(50),
  QUERY_COST_LIMIT: whole(1000, 1_000_000_000).default(250_000),
  BATCH_LIMIT: whole(1, 100).default(10),
  RATE_COST_PER_MINUTE: whole(0, 1_000_000_000).default(2_500_000),
  RATE_COST_BURST: whole(100, 1_000_000_000).default(2_500_000),
  TRUSTED_DOCUMENTS: choice('off', 'log', 'enforce').default('off'),
  TRUSTED_DOCUMENTS_FILE: text().optional(),
  METRICS_HOST: text().default('127.0.0.1'),
  METRICS_PORT: portOrOff.default(9464),
  SUBSCRIPTION_LIMIT: whole(1, 100_000).default(1000),
  CONNECTION_LIMIT: whole(10, 1_000_000).default(4000),
  KEEP_ALIVE_SECONDS: whole(1, 3600).default(75),
  TOKEN_SECONDS: whole(60, 31_536_000).default(2_592_000),
  SIGN_IN_ATTEMPTS_PER_ACCOUNT: whole(1, 10_000).default(10),
  SIGN_IN_ATTEMPTS_PER_ADDRESS: whole(1, 100_000).default(100),
  SIGN_IN_ATTEMPTS_SECONDS: whole(1, 86_400).default(300),
  OIDC_ISSUERS_FILE: text().optional(),
  KERBEROS_SERVICE: text()
    .regex(/^[A-Za-z]+@[A-Za-z0-9.-]+$/, 'must be service@host, such as HTTP@slipway.example.com')
    .optional(),
  KERBEROS_KEYTAB: text().optional(),
  KERBEROS_REALMS: list.default([]),
  KERBEROS_TENANT: text().default('default'),
  KERBEROS_USERNAME_SUFFIX: text(100).default(''),
  KERBEROS_CREATE_USERS: choice('USER', 'GUEST').optional(),
  ANONYMOUS_USER: text(255).optional(),
  ANONYMOUS_TENANT: text().default('default'),
  SESSION_MAX_SECONDS: whole(60, 315_360_000).default(31_536_000),
  SLIPWAY_ADMIN_USERNAME: text(255).default('admin'),
  SLIPWAY_ADMIN_ROLE: choice('ADMIN', 'ROOT').default('ADMIN'),
  FIXED_USERS_FILE: text().optional(),
  OAUTH_LOGIN_URL: httpUrl('https://login.example.com/login').optional(),
  OAUTH_CONSENT_URL: httpUrl('https://login.example.com/consent').optional(),
  OAUTH_LOGOUT_URL: httpUrl('https://login.example.com/logout').optional(),
  OAUTH_POST_LOGOUT_URL: httpUrl('https://login.example.com/signed-out').optional(),
  OAUTH_DEVICE_URL: httpUrl('https://login.example.com/device').optional(),
  OAUTH_DEVICE_SUCCESS_URL: httpUrl('https://login.example.com/device-success').optional(),
  OAUTH_ERROR_URL: httpUrl('https://login.example.com/error').optional(),
  OAUTH_ACCESS_TOKEN_SECONDS: whole(10, 31_536_000).default(3600),
  OAUTH_ID_TOKEN_SECONDS: whole(10, 31_536_000).default(3600),
  OAUTH_REFRESH_TOKEN_SECONDS: whole(60, 315_360_000).default(2_592_000),
  OAUTH_CODE_SECONDS: whole(10, 3600).default(600),
  OAUTH_DEVICE_CODE_SECONDS: whole(60, 3600).default(600),
  OAUTH_CHALLENGE_SECONDS: whole(60, 86_400).default(1800),
  OAUTH_PUSHED_REQUESTS: whole(1, 100_000).default(1000),
  OAUTH_DPOP_NONCE_REQUIRED: flag.default(false),
  OAUTH_ACCESS_TOKEN_STRATEGY: z.enum(['opaque', 'jwt']).default('opaque'),
  OAUTH_SESSION_SECONDS: whole(60, 315_360_000).default(2_592_000),
  OAUTH_REGISTRATION: flag.default(false),
  OAUTH_REGISTRATION_TENANT: text().default('default'),
  OAUTH_REGISTRATION_SCOPES: list.default(['openid', 'offline', 'offline_access']),
  DOORS: doors.default(['hydra']),
  HYDRA_ADMIN_LISTEN: localAddress.optional(),
  HYDRA_ADMIN_USER: text(255).optional(),
  HYDRA_ADMIN_TENANT: text().default('default'),
  OAUTH_PRIVATE_ADDRESSES: flag.default(false),
  BLOB_LIMIT_BYTES: whole(1, 1024 * 1024 * 1024).default(256 * 1024 * 1024),
  BLOB_URL_SECONDS: whole(10, 86_400).default(900),
};

const settings = readEnvironment(serverVariables);

/** @throws ConfigurationError if only some of the Kerberos variables are set. */
function kerberosSettings(given: typeof settings) {
  const { KERBEROS_SERVICE: service, KERBEROS_KEYTAB: keytab, KERBEROS_REALMS: realms } = given;
  if (!service && !keytab) return null;
  if (!service || !keytab || realms.length === 0)
    throw new ConfigurationError(
      'For Kerberos, set KERBEROS_SERVICE, KERBEROS_KEYTAB and KERBEROS_REALMS together, or none of them.',
    );
  return {
    service,
    keytab,
    realms,
    tenant: given.KERBEROS_TENANT,
    usernameSuffix: given.KERBEROS_USERNAME_SUFFIX,
    /** The role of users that a first ticket creates; null if a ticket creates no user. */
    createUsers: given.KERBEROS_CREATE_USERS ? { role: given.KERBEROS_CREATE_USERS } : null,
  };
}

/** @throws ConfigurationError if only one of the two variables is set. */
function hydraAdminSettings(given: typeof settings) {
  const { HYDRA_ADMIN_LISTEN: address, HYDRA_ADMIN_USER: username, HYDRA_ADMIN_TENANT: tenant } = given;
  if (!address && !username) return null;
  if (!address || !username)
    throw new ConfigurationError('Set HYDRA_ADMIN_LISTEN and HYDRA_ADMIN_USER together, or none of them.');
  return { address, username, tenant };
}

export const serverConfig = {
  migrate: settings.MIGRATE,
  host: settings.HOST,
  port: settings.PORT,
  publicUrl: settings.PUBLIC_URL,
  corsOrigins: settings.CORS_ORIGINS,
  trustedProxies: settings.TRUSTED_PROXIES,
  graphiql: settings.GRAPHIQL,
  introspection: settings.INTROSPECTION,
  bodyLimitBytes: settings.BODY_LIMIT_BYTES,
  queryDepthLimit: settings.QUERY_DEPTH_LIMIT,
  queryTokenLimit: settings.QUERY_TOKEN_LIMIT,
  queryAliasLimit: settings.QUERY_ALIAS_LIMIT,
  queryDirectiveLimit: settings.QUERY_DIRECTIVE_LIMIT,
  queryCostLimit: settings.QUERY_COST_LIMIT,
  /** The largest number of operations in one request. */
  batchLimit: settings.BATCH_LIMIT,
  /** 0 means no limit. */
  rateCostPerMinute: settings.RATE_COST_PER_MINUTE,
  rateCostBurst: settings.RATE_COST_BURST,
  trustedDocuments: settings.TRUSTED_DOCUMENTS,
  trustedDocumentsFile: settings.TRUSTED_DOCUMENTS_FILE,
  metricsHost: settings.METRICS_HOST,
  /** Null: the server serves no metrics. */
  metricsPort: settings.METRICS_PORT,
  subscriptionLimit: settings.SUBSCRIPTION_LIMIT,
  connectionLimit: settings.CONNECTION_LIMIT,
  keepAliveSeconds: settings.KEEP_ALIVE_SECONDS,
  tokenSeconds: settings.TOKEN_SECONDS,
  /** How many sign-ins may fail within `seconds`. */
  signInAttempts: {
    perAccount: settings.SIGN_IN_ATTEMPTS_PER_ACCOUNT,
    perAddress: settings.SIGN_IN_ATTEMPTS_PER_ADDRESS,
    seconds: settings.SIGN_IN_ATTEMPTS_SECONDS,
  },
  oidcIssuersFile: settings.OIDC_ISSUERS_FILE,
  /** Null: Kerberos is off. */
  kerberos: kerberosSettings(settings),
  /** The user as whom requests without credentials act; null: such requests are refused. */
  anonymous: settings.ANONYMOUS_USER
    ? { username: settings.ANONYMOUS_USER, tenant: settings.ANONYMOUS_TENANT }
    : null,
  /** For how long after a sign-in its tokens can be exchanged for new ones. */
  sessionMaxSeconds: settings.SESSION_MAX_SECONDS,
  adminUsername: settings.SLIPWAY_ADMIN_USERNAME,
  /** ROOT can create tenants and reach all of them. */
  adminRole: settings.SLIPWAY_ADMIN_ROLE,
  /** The file that declares users; src/identity/fixed-users.ts reads it. */
  fixedUsersFile: settings.FIXED_USERS_FILE,
  /** OAuth 2 and OpenID Connect. */
  oauth: {
    loginUrl: settings.OAUTH_LOGIN_URL ?? null,
    consentUrl: settings.OAUTH_CONSENT_URL ?? null,
    logoutUrl: settings.OAUTH_LOGOUT_URL ?? null,
    postLogoutUrl: settings.OAUTH_POST_LOGOUT_URL ?? null,
    deviceUrl: settings.OAUTH_DEVICE_URL ?? null,
    deviceSuccessUrl: settings.OAUTH_DEVICE_SUCCESS_URL ?? null,
    errorUrl: settings.OAUTH_ERROR_URL ?? null,
    accessTokenSeconds: settings.OAUTH_ACCESS_TOKEN_SECONDS,
    idTokenSeconds: settings.OAUTH_ID_TOKEN_SECONDS,
    refreshTokenSeconds: settings.OAUTH_REFRESH_TOKEN_SECONDS,
    codeSeconds: settings.OAUTH_CODE_SECONDS,
    deviceCodeSeconds: settings.OAUTH_DEVICE_CODE_SECONDS,
    /** For login and consent together. */
    challengeSeconds: settings.OAUTH_CHALLENGE_SECONDS,
    /** How many pushed requests of one client may wait for their browsers. */
    pushedRequests: settings.OAUTH_PUSHED_REQUESTS,
    /** Whether each proof of DPoP must have a nonce of the server. */
    dpopNonceRequired: settings.OAUTH_DPOP_NONCE_REQUIRED,
    sessionSeconds: settings.OAUTH_SESSION_SECONDS,
    /** Dynamic registration: whether clients can register themselves, and what they then are. */
    registration: {
      isOn: settings.OAUTH_REGISTRATION,
      tenant: settings.OAUTH_REGISTRATION_TENANT,
      scopes: settings.OAUTH_REGISTRATION_SCOPES,
    },
    /** The form of access tokens, if the client says nothing else. */
    accessTokenStrategy: settings.OAUTH_ACCESS_TOKEN_STRATEGY,
    /** Whether the server sends requests to clients at private addresses. */
    privateAddresses: settings.OAUTH_PRIVATE_ADDRESSES,
  },
  /** The other systems whose clients the server answers. */
  doors: settings.DOORS,
  /** Where everybody who can connect acts as one service account; null: nowhere. */
  hydraAdmin: hydraAdminSettings(settings),
  blobLimitBytes: settings.BLOB_LIMIT_BYTES,
  blobUrlSeconds: settings.BLOB_URL_SECONDS,
} as const;

import { isIP } from 'node:net';
import { join } from 'node:path';
import { z } from 'zod';

/**
 * The one place that reads the environment: once, when a process starts. A value that is missing or wrong names itself
 * and stops the process. README lists every variable of this file; a test holds the two together.
 */

const flag = z
  .enum(['on', 'off', '1', '0', 'true', 'false'])
  .transform((text) => ['on', '1', 'true'].includes(text));
const list = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean),
);
/** Addresses and networks of proxies, or how many of them stand in a row before this server. */
const proxies = list
  .refine((parts) => parts.every(isProxy) && (parts.length <= 1 || !parts.some(isCount)), {
    message: 'IP addresses and networks (10.0.0.0/8), or one number of proxies',
  })
  .transform((parts): TrustedProxies => (parts.some(isCount) ? Number(parts[0]) : parts));
const whole = (least: number, most: number) => z.coerce.number().int().min(least).max(most);

/** How many proxies in a row are ours, or their addresses and networks; 0 and none trust nobody. */
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

const environment = z.object({
  NODE_ENV: z.enum(['development', 'production', 'test']).default('development'),
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  DATABASE_POOL_SIZE: whole(2, 100).default(10),
  SLIPWAY_EMBEDDED: flag.default(false),
  SLIPWAY_HOME: z.string().min(1).default('.slipway'),
  SLIPWAY_SECRETS: list.optional(),
  MIGRATE: flag.default(true),
  HOST: z.string().min(1).default('127.0.0.1'),
  PORT: whole(0, 65_535).default(4000),
  PUBLIC_URL: z.url({ protocol: /^https?$/ }).optional(),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
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
  TRUSTED_DOCUMENTS: z.enum(['off', 'log', 'enforce']).default('off'),
  TRUSTED_DOCUMENTS_FILE: z.string().min(1).optional(),
  METRICS_HOST: z.string().min(1).default('127.0.0.1'),
  METRICS_PORT: z
    .literal('off')
    .transform(() => null)
    .or(whole(0, 65_535))
    .default(9464),
  SUBSCRIPTION_LIMIT: whole(1, 100_000).default(1000),
  TOKEN_SECONDS: whole(60, 31_536_000).default(2_592_000),
  SIGN_IN_ATTEMPTS_PER_ACCOUNT: whole(1, 10_000).default(10),
  SIGN_IN_ATTEMPTS_PER_ADDRESS: whole(1, 100_000).default(100),
  SIGN_IN_ATTEMPTS_SECONDS: whole(1, 86_400).default(300),
  OIDC_ISSUERS_FILE: z.string().min(1).optional(),
  KERBEROS_SERVICE: z
    .string()
    .regex(/^[A-Za-z]+@[A-Za-z0-9.-]+$/, 'service@host, as in HTTP@slipway.example.com')
    .optional(),
  KERBEROS_KEYTAB: z.string().min(1).optional(),
  KERBEROS_REALMS: list.default([]),
  KERBEROS_TENANT: z.string().min(1).default('default'),
  KERBEROS_USERNAME_SUFFIX: z.string().max(100).default(''),
  KERBEROS_CREATE_USERS: z.enum(['USER', 'GUEST']).optional(),
  ANONYMOUS_USER: z.string().min(1).max(255).optional(),
  ANONYMOUS_TENANT: z.string().min(1).default('default'),
  SESSION_MAX_SECONDS: whole(60, 315_360_000).default(31_536_000),
  SLIPWAY_ADMIN_USERNAME: z.string().min(1).max(255).default('admin'),
  SLIPWAY_ADMIN_ROLE: z.enum(['ADMIN', 'ROOT']).default('ADMIN'),
  FIXED_USERS_FILE: z.string().min(1).optional(),
  DEFAULT_LEVEL: z.enum(['NO_PERMISSIONS', 'READ', 'USE', 'EDIT', 'MANAGE']).default('NO_PERMISSIONS'),
  SLIPWAY_DOMAINS: list.default(['development', 'staging', 'production']),
  BLOB_LIMIT_BYTES: whole(1, 1024 * 1024 * 1024).default(256 * 1024 * 1024),
  BLOB_URL_SECONDS: whole(10, 86_400).default(900),
  OUTPUT_LIMIT_BYTES: whole(1024, 64 * 1024 * 1024).default(2 * 1024 * 1024),
  LEASE_SECONDS: whole(2, 86_400).default(30),
  DRAIN_SECONDS: whole(1, 600).default(20),
  SLIPWAY_URL: z.url({ protocol: /^https?$/ }).default('http://127.0.0.1:4000'),
  SLIPWAY_EXECUTOR: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/)
    .default('local'),
  SLIPWAY_EXECUTOR_POOL: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/)
    .default('default'),
  SLIPWAY_EXECUTOR_SLOTS: whole(1, 1000).default(4),
  SLIPWAY_EXECUTOR_PATH: z.string().min(1).optional(),
  SLIPWAY_EXECUTOR_RUNTIME: z.enum(['process']).optional(),
  SLIPWAY_CREDENTIAL_FILE: z.string().min(1).optional(),
});

/** The variables that a process may be given, for the test that compares them with README. */
export const environmentVariables = Object.keys(environment.shape);

function read(source: NodeJS.ProcessEnv) {
  const given = Object.fromEntries(environmentVariables.map((name) => [name, source[name] || undefined]));
  const result = environment.safeParse(given);
  if (!result.success) {
    const faults = result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new ConfigurationError(`The configuration is wrong.\n  ${faults.join('\n  ')}`);
  }
  return result.data;
}

/** Stops a process at start; its message is for the operator. */
export class ConfigurationError extends Error {
  override name = 'ConfigurationError';
}

/** @throws ConfigurationError when Kerberos is configured by half. */
function kerberosSettings(given: z.infer<typeof environment>) {
  const { KERBEROS_SERVICE: service, KERBEROS_KEYTAB: keytab, KERBEROS_REALMS: realms } = given;
  if (!service && !keytab) return null;
  if (!service || !keytab || realms.length === 0)
    throw new ConfigurationError(
      'Kerberos takes KERBEROS_SERVICE, KERBEROS_KEYTAB and KERBEROS_REALMS together.',
    );
  return {
    service,
    keytab,
    realms,
    tenant: given.KERBEROS_TENANT,
    usernameSuffix: given.KERBEROS_USERNAME_SUFFIX,
    /** The role of users whom a first ticket makes; null: users must be there. */
    createUsers: given.KERBEROS_CREATE_USERS ? { role: given.KERBEROS_CREATE_USERS } : null,
  };
}

const settings = read(process.env);

export const config = {
  production: settings.NODE_ENV === 'production',
  test: settings.NODE_ENV === 'test',
  databaseUrl: settings.DATABASE_URL,
  databasePoolSize: settings.DATABASE_POOL_SIZE,
  embeddedAllowed: settings.NODE_ENV !== 'production' || settings.SLIPWAY_EMBEDDED,
  /** Where the embedded database, generated secrets and the local executor keep their files. */
  home: settings.SLIPWAY_HOME,
  secrets: settings.SLIPWAY_SECRETS,
  migrate: settings.MIGRATE,
  host: settings.HOST,
  port: settings.PORT,
  publicUrl: settings.PUBLIC_URL,
  logLevel: settings.LOG_LEVEL,
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
  /** Operations in one request. */
  batchLimit: settings.BATCH_LIMIT,
  /** 0 is no bound. */
  rateCostPerMinute: settings.RATE_COST_PER_MINUTE,
  rateCostBurst: settings.RATE_COST_BURST,
  trustedDocuments: settings.TRUSTED_DOCUMENTS,
  trustedDocumentsFile: settings.TRUSTED_DOCUMENTS_FILE,
  metricsHost: settings.METRICS_HOST,
  /** Null: not served. */
  metricsPort: settings.METRICS_PORT,
  subscriptionLimit: settings.SUBSCRIPTION_LIMIT,
  tokenSeconds: settings.TOKEN_SECONDS,
  /** How many sign-ins may fail in so many seconds. */
  signInAttempts: {
    perAccount: settings.SIGN_IN_ATTEMPTS_PER_ACCOUNT,
    perAddress: settings.SIGN_IN_ATTEMPTS_PER_ADDRESS,
    seconds: settings.SIGN_IN_ATTEMPTS_SECONDS,
  },
  oidcIssuersFile: settings.OIDC_ISSUERS_FILE,
  /** Null: no Kerberos. */
  kerberos: kerberosSettings(settings),
  /** Whom requests without credentials act as; null for nobody. */
  anonymous: settings.ANONYMOUS_USER
    ? { username: settings.ANONYMOUS_USER, tenant: settings.ANONYMOUS_TENANT }
    : null,
  /** How long after a sign-in its tokens may be renewed with one another. */
  sessionMaxSeconds: settings.SESSION_MAX_SECONDS,
  adminUsername: settings.SLIPWAY_ADMIN_USERNAME,
  /** ROOT reaches every tenant, and makes them. */
  adminRole: settings.SLIPWAY_ADMIN_ROLE,
  /** Declares users (fixed users mode); src/identity/fixed-users.ts reads it. */
  fixedUsersFile: settings.FIXED_USERS_FILE,
  /** Where no grant decides, nor a default of user or tenant. */
  defaultLevel: settings.DEFAULT_LEVEL,
  domains: settings.SLIPWAY_DOMAINS,
  blobLimitBytes: settings.BLOB_LIMIT_BYTES,
  blobUrlSeconds: settings.BLOB_URL_SECONDS,
  outputLimitBytes: settings.OUTPUT_LIMIT_BYTES,
  leaseSeconds: settings.LEASE_SECONDS,
  drainSeconds: settings.DRAIN_SECONDS,
  executor: {
    url: settings.SLIPWAY_URL,
    name: settings.SLIPWAY_EXECUTOR,
    pool: settings.SLIPWAY_EXECUTOR_POOL,
    slots: settings.SLIPWAY_EXECUTOR_SLOTS,
    path: settings.SLIPWAY_EXECUTOR_PATH,
    runtime: settings.SLIPWAY_EXECUTOR_RUNTIME,
    /** Written by the server's first start for the local executor; only its user may read it. */
    credentialFile:
      settings.SLIPWAY_CREDENTIAL_FILE ?? join(settings.SLIPWAY_HOME, 'executor-credential.json'),
  },
} as const;

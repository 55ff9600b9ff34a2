import { choice, list, readEnvironment, url, whole } from './environment.ts';

/** The variables that the server and the scheduler share: the database, and values that must be the same in both. */
export const controlPlaneVariables = {
  DATABASE_URL: url(/^postgres(ql)?$/, 'postgresql://user:password@host:5432/database').optional(),
  DATABASE_POOL_SIZE: whole(2, 100).default(10),
  SLIPWAY_SECRETS: list.optional(),
  LEASE_SECONDS: whole(2, 86_400).default(30),
  OUTPUT_LIMIT_BYTES: whole(1024, 64 * 1024 * 1024).default(2 * 1024 * 1024),
  DEFAULT_LEVEL: choice('NO_PERMISSIONS', 'READ', 'USE', 'EDIT', 'MANAGE').default('NO_PERMISSIONS'),
  SLIPWAY_DOMAINS: list.default(['development', 'staging', 'production']),
};

const settings = readEnvironment(controlPlaneVariables);

export const controlPlaneConfig = {
  databaseUrl: settings.DATABASE_URL,
  databasePoolSize: settings.DATABASE_POOL_SIZE,
  /** Use `requiredSecrets` of ../secrets.ts to read them. */
  secrets: settings.SLIPWAY_SECRETS,
  leaseSeconds: settings.LEASE_SECONDS,
  outputLimitBytes: settings.OUTPUT_LIMIT_BYTES,
  /** The level if no grant decides and neither the user nor the tenant has a default. */
  defaultLevel: settings.DEFAULT_LEVEL,
  domains: settings.SLIPWAY_DOMAINS,
} as const;

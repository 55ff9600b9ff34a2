import { join } from 'node:path';
import { choice, readEnvironment, text, whole } from './environment.ts';

/** The variables that every process reads. */
export const baseVariables = {
  NODE_ENV: choice('development', 'production', 'test').default('development'),
  LOG_LEVEL: choice('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent').default('info'),
  DRAIN_SECONDS: whole(1, 600).default(20),
  SLIPWAY_HOME: text().default('.slipway'),
  SLIPWAY_CREDENTIAL_FILE: text().optional(),
};

const settings = readEnvironment(baseVariables);

export const baseConfig = {
  production: settings.NODE_ENV === 'production',
  test: settings.NODE_ENV === 'test',
  logLevel: settings.LOG_LEVEL,
  drainSeconds: settings.DRAIN_SECONDS,
  /** Where the embedded database, generated secrets and the local executor keep their files. */
  home: settings.SLIPWAY_HOME,
  /** The server writes this file on its first start, for the local executor. Only its user may read it. */
  credentialFile: settings.SLIPWAY_CREDENTIAL_FILE ?? join(settings.SLIPWAY_HOME, 'executor-credential.json'),
} as const;

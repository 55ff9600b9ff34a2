import { baseConfig } from './base.ts';
import { flag, readEnvironment } from './environment.ts';

/** What only `npm start` reads; it reads the variables of the processes that it starts too. */
export const supervisorVariables = {
  SLIPWAY_EMBEDDED: flag.default(false),
};

const settings = readEnvironment(supervisorVariables);

export const supervisorConfig = {
  /** In production a lost DATABASE_URL must not start an empty platform. */
  embeddedAllowed: !baseConfig.production || settings.SLIPWAY_EMBEDDED,
} as const;

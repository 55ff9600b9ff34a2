import { baseConfig } from './base.ts';
import { flag, readEnvironment } from './environment.ts';

/** The variables that only `npm start` reads. It also reads the variables of all processes that it starts. */
export const supervisorVariables = {
  SLIPWAY_EMBEDDED: flag.default(false),
};

const settings = readEnvironment(supervisorVariables);

export const supervisorConfig = {
  /** If DATABASE_URL gets lost in production, `npm start` must not start with an empty database. */
  embeddedAllowed: !baseConfig.production || settings.SLIPWAY_EMBEDDED,
} as const;

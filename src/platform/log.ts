import { pino } from 'pino';
import { baseConfig } from './config/base.ts';

export type Log = pino.Logger;

const secretNames = [
  'password',
  'newPassword',
  'passwordHash',
  'secret',
  'secretKey',
  'secretHash',
  'token',
  'authorization',
  'cookie',
  'privateJwk',
  'uploadUrl',
  'downloadUrl',
];

/** Structured log lines on standard output. Values whose names look like secrets are replaced, two levels deep. */
export const log: Log = pino({
  level: baseConfig.logLevel,
  base: null,
  timestamp: pino.stdTimeFunctions.isoTime,
  redact: {
    paths: secretNames.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
    censor: '[redacted]',
  },
});

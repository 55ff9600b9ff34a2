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

/** Structured lines on standard output. What goes by a secret's name is replaced, two levels deep. */
export const log: Log = pino({
  level: baseConfig.logLevel,
  base: null,
  timestamp: pino.stdTimeFunctions.isoTime,
  redact: {
    paths: secretNames.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
    censor: '[redacted]',
  },
});

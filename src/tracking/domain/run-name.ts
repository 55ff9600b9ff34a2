import { randomBytes } from 'node:crypto';

/** The name of a run if none was given: `run-` and 8 random characters. Names of runs need not be unique. */
export function generatedRunName(): string {
  const digits = [...randomBytes(8)].map((byte) => (byte % 36).toString(36));
  return `run-${digits.join('')}`;
}

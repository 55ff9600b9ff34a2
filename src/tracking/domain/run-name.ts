import { randomBytes } from 'node:crypto';

/** A name for a run that was given none: `run-` and 8 random characters. Names of runs need not be unique. */
export function generatedRunName(): string {
  const digits = [...randomBytes(8)].map((byte) => (byte % 36).toString(36));
  return `run-${digits.join('')}`;
}

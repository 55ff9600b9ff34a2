import { createHash, randomBytes } from 'node:crypto';
import type { Problem } from '../../platform/errors.ts';

const form = /^[a-z][a-z0-9-]{0,62}$/;

/**
 * The problem of a name that a caller has chosen; null if it is valid. Flyte accepts capital letters in its check and
 * stores them; we refuse them.
 */
export function executionNameProblem(name: string, path: readonly string[]): Problem | null {
  if (form.test(name)) return null;
  const message =
    'the name of an execution must have at most 63 lower-case letters, digits and hyphens, and must begin with a letter';
  return { path, code: 'InvalidValue', message };
}

/** The name of an execution if none was given: `a` and 19 random characters. */
export function generatedExecutionName(): string {
  const digits = [...randomBytes(19)].map((byte) => (byte % 36).toString(36));
  return `a${digits.join('')}`;
}

/**
 * The name of an execution that a schedule starts: `f` and 19 hexadecimal digits, which depend only on the version of
 * the launch plan and on the nominal time. So a slot never has two executions.
 */
export function scheduledExecutionName(
  plan: {
    readonly project: string;
    readonly domain: string;
    readonly name: string;
    readonly version: string;
  },
  slot: Date,
): string {
  const { project, domain, name, version } = plan;
  const text = JSON.stringify([project, domain, name, version, slot.toISOString()]);
  return `f${createHash('sha256').update(text).digest('hex').slice(0, 19)}`;
}

import type { Problem } from '../../platform/errors.ts';

export const MAX_ACTIVE_CREDENTIALS = 100;
const MAX_LABEL = 255;
const MAX_SCOPES = 50;

/** What limits a stored access key: null for no limit. No key can be made that may do nothing, so an empty list says the same. */
export const scopesOf = ({ scopes }: { readonly scopes: readonly string[] }): readonly string[] | null =>
  scopes.length > 0 ? scopes : null;

/** What is wrong with what somebody wants of an access key, each with its place below `input`. */
export function credentialProblems(
  wanted: {
    readonly label: string | null;
    readonly expiresAt: Date | null;
    readonly scopes?: readonly string[] | null;
  },
  now: Date,
): Problem[] {
  const problems: Problem[] = [];
  const fault = (path: readonly string[], message: string) =>
    problems.push({ path: ['input', ...path], code: 'InvalidValue', message });
  const { label, expiresAt, scopes } = wanted;
  if (label !== null && label.length > MAX_LABEL) fault(['label'], `more than ${MAX_LABEL} characters`);
  if (label !== null && /\p{Cc}/u.test(label)) fault(['label'], 'a label has no control characters');
  if (expiresAt && expiresAt <= now) fault(['expiresAt'], 'this is in the past');
  if (scopes && scopes.length > MAX_SCOPES) fault(['scopes'], `more than ${MAX_SCOPES} scopes`);
  return problems;
}

/**
 * Whether an access key would outlive the sign-in that makes or changes it, where that has an end of its own: an access
 * key, a token made with one, or somebody acting as the user.
 *
 * @param expiresAt  of the key; null for no end.
 */
export function outlives(
  expiresAt: Date | null,
  by: { readonly credentialId: string | null; readonly real: object | null; readonly expiresAt: Date | null },
): boolean {
  if (by.expiresAt === null || (by.credentialId === null && by.real === null)) return false;
  return expiresAt === null || expiresAt > by.expiresAt;
}

import type { Problem } from '../../platform/errors.ts';

export const MAX_ACTIVE_CREDENTIALS = 100;
const MAX_LABEL = 255;
const MAX_SCOPES = 50;

/** What limits a stored access key; null for no limit, which Prisma's client reads as an empty list. The table has no empty one. */
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
 * When an access key ends at the latest, for the sign-in that makes or changes it; null for no such end. What is made with
 * an access key, with a token of one, or by somebody acting as the user ends with that. Who is vouched for from outside
 * makes keys of its own for no longer than that: its issuer decides how long it is one of us.
 */
export function latestEnd(
  by: {
    readonly userId: string;
    readonly credentialId: string | null;
    readonly real: object | null;
    readonly expiresAt: Date | null;
    readonly vouchedUntil: Date | null;
  },
  ownerId: string,
): Date | null {
  const isBorrowed = by.credentialId !== null || by.real !== null;
  const ends = [isBorrowed ? by.expiresAt : null, ownerId === by.userId ? by.vouchedUntil : null];
  const [earliest = null] = ends
    .flatMap((end) => end ?? [])
    .sort((one, other) => one.getTime() - other.getTime());
  return earliest;
}

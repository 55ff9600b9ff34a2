import type { Problem } from '../../platform/errors.ts';

export const MAX_ACTIVE_CREDENTIALS = 100;
const MAX_LABEL = 255;
const MAX_SCOPES = 50;

/**
 * The scopes of a stored access key; null means no limit. Prisma's client reads null as an empty list, but the table
 * never has an empty list.
 */
export const scopesOf = ({ scopes }: { readonly scopes: readonly string[] }): readonly string[] | null =>
  scopes.length > 0 ? scopes : null;

/** The problems of the wishes for an access key, each with its path below `input`. */
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
  if (label !== null && label.length > MAX_LABEL)
    fault(['label'], `must have at most ${MAX_LABEL} characters`);
  if (label !== null && /\p{Cc}/u.test(label))
    fault(['label'], 'a label must not contain control characters');
  if (expiresAt && expiresAt <= now) fault(['expiresAt'], 'must not be in the past');
  if (scopes && scopes.length > MAX_SCOPES) fault(['scopes'], `must have at most ${MAX_SCOPES} scopes`);
  return problems;
}

/**
 * The latest possible end of an access key that this sign-in creates or changes; null if there is no such limit. If the
 * sign-in uses an access key, a token of one, or acts as the user, the new key ends with it. If the user came through
 * an outside issuer, the key ends with the outside token, because the issuer decides for how long the user may sign in.
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

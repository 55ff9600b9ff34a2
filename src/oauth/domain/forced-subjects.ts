/**
 * With this the names begin that the server makes. No login app can choose such a name, so it never is that of somebody
 * else.
 */
export const MADE_PREFIX = 'pair-';

/** OpenID Connect Core §2 allows no longer ones. */
const MAX_IDENTIFIER = 255;

/** What is wrong with what a login app calls a person at a client; null if nothing is. */
export function forcedSubjectFault(identifier: string): string | null {
  if (!/^[\x20-\x7E]+$/.test(identifier) || identifier.length > MAX_IDENTIFIER)
    return `must have 1 to ${MAX_IDENTIFIER} characters of ASCII`;
  return identifier.startsWith(MADE_PREFIX)
    ? `must not begin with ${MADE_PREFIX}, as the identifiers that the server makes`
    : null;
}

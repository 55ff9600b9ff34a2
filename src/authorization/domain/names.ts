import { nameKey } from '../../platform/text.ts';

const MAX_NAME = 255;

/**
 * Control characters, halves of surrogate pairs, and characters that are invisible or change the direction of writing.
 * With them, two different names could look alike.
 */
const invisible = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

/**
 * The problem of a name of a user, group or tenant, wherever it comes from: a caller, a file, or an outside issuer.
 * Both the name and its key are checked, because a full-width colon is compared as a colon. The slash and the colon are
 * needed for `tenant/user` and for Basic.
 *
 * @returns null if the name is valid.
 */
export function nameFault(name: string): string | null {
  if (name.trim() === '') return 'the name must not be empty';
  const key = nameKey(name);
  if (Math.max(name.length, key.length) > MAX_NAME) return `a name must have at most ${MAX_NAME} characters`;
  if (/[:/]/.test(name + key)) return 'a name must not contain a colon or a slash';
  if (invisible.test(name)) return 'a name must not contain control characters or invisible characters';
  // Each space of a name is also in its key.
  if (key.trim() !== key) return 'a name must not begin or end with a space';
  return null;
}

/** The same for a name for people: it must be one line that can be read. */
export function displayNameFault(text: string): string | null {
  if (text.length > MAX_NAME) return `a name must have at most ${MAX_NAME} characters`;
  return invisible.test(text) ? 'a name must not contain control characters or invisible characters' : null;
}

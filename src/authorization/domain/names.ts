import { nameKey } from '../../platform/text.ts';

const MAX_NAME = 255;

/** Controls, halves of characters, and what is invisible or turns the direction of writing: it lets names look alike. */
const invisible = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

/**
 * What is wrong with a name of a user, a group or a tenant, whoever gives it: a caller, a file, or an outside issuer. The
 * name and its key are both judged: a full-width colon is compared as a colon. `tenant/user` and Basic keep the slash and
 * the colon for themselves.
 *
 * @returns null for nothing.
 */
export function nameFault(name: string): string | null {
  if (name.trim() === '') return 'the name is empty';
  const key = nameKey(name);
  if (Math.max(name.length, key.length) > MAX_NAME) return `a name has at most ${MAX_NAME} characters`;
  if (/[:/]/.test(name + key)) return 'a name has no colon and no slash';
  if (invisible.test(name)) return 'a name has no control characters and no invisible ones';
  if (name.trim() !== name || key.trim() !== key) return 'a name does not begin or end with a space';
  return null;
}

/** The same for what people call somebody: only one line that can be read. */
export function displayNameFault(text: string): string | null {
  if (text.length > MAX_NAME) return `a name has at most ${MAX_NAME} characters`;
  return invisible.test(text) ? 'a name has no control characters and no invisible ones' : null;
}

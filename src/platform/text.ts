const NUL = '\u0000';
const REPLACEMENT = '\uFFFD';
const loneSurrogate = /\p{Surrogate}/u;

/** Whether PostgreSQL can keep the text: no U+0000, and no half of a surrogate pair, which UTF-8 has no bytes for. */
export function isStorable(text: string): boolean {
  return !text.includes(NUL) && !loneSurrogate.test(text);
}

/** The text as it can be kept: what cannot becomes U+FFFD; cut to `maxCharacters` (of UTF-16), never inside a pair. */
export function storable(text: string, maxCharacters = Number.POSITIVE_INFINITY): string {
  const isSplit = /^[\uD800-\uDBFF][\uDC00-\uDFFF]$/.test(text.slice(maxCharacters - 1, maxCharacters + 1));
  const cut = text.slice(0, isSplit ? maxCharacters - 1 : maxCharacters);
  if (isStorable(cut)) return cut;
  return cut.replaceAll(NUL, REPLACEMENT).replaceAll(new RegExp(loneSurrogate, 'gu'), REPLACEMENT);
}

/** No name is longer. */
const MAX_NAME = 255;
/** The key of what is no name: no stored name has a control character. */
const NO_NAME = '\u0001';

/**
 * How names of users and groups, and e-mail addresses, are compared: NFKC, lower case. A text that is too long for a name
 * has a key that nothing has: normalizing takes time that grows with the square of the length.
 */
export function nameKey(name: string): string {
  return name.length > MAX_NAME ? NO_NAME : name.normalize('NFKC').toLowerCase();
}

/** A noun with its article: `an experiment`, `a registered model`. */
export const withArticle = (noun: string): string => `${/^[aeiou]/i.test(noun) ? 'an' : 'a'} ${noun}`;

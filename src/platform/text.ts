const NUL = '\u0000';
const REPLACEMENT = '\uFFFD';
const loneSurrogate = /\p{Surrogate}/u;

/**
 * Whether PostgreSQL can store the text. It must not contain U+0000 or half of a surrogate pair, which UTF-8 cannot
 * express.
 */
export function isStorable(text: string): boolean {
  return !text.includes(NUL) && !loneSurrogate.test(text);
}

/**
 * The text in a form that can be stored: characters that cannot be stored become U+FFFD. It is cut to `maxCharacters`
 * (UTF-16), but never inside of a surrogate pair.
 */
export function storable(text: string, maxCharacters = Number.POSITIVE_INFINITY): string {
  const isSplit = /^[\uD800-\uDBFF][\uDC00-\uDFFF]$/.test(text.slice(maxCharacters - 1, maxCharacters + 1));
  const cut = text.slice(0, isSplit ? maxCharacters - 1 : maxCharacters);
  if (isStorable(cut)) return cut;
  return cut.replaceAll(NUL, REPLACEMENT).replaceAll(new RegExp(loneSurrogate, 'gu'), REPLACEMENT);
}

/** The longest name. */
const MAX_NAME = 255;
/** The key of a text that cannot be a name. No stored name contains a control character. */
const NO_NAME = '\u0001';

/**
 * The form in which names of users and groups and e-mail addresses are compared: NFKC, lower case. A text that is too
 * long for a name gets a key that no name has, because the time to normalize a text grows with the square of its
 * length.
 */
export function nameKey(name: string): string {
  return name.length > MAX_NAME ? NO_NAME : name.normalize('NFKC').toLowerCase();
}

/** A noun with its article: `an experiment`, `a registered model`. */
export const withArticle = (noun: string): string => `${/^[aeiou]/i.test(noun) ? 'an' : 'a'} ${noun}`;

import { english, type PageTexts } from './texts/english.ts';
import { german } from './texts/german.ts';

const languages: readonly PageTexts[] = [english, german];

/** So many languages of a request are looked at. */
const MAX_WISHES = 20;

/**
 * The texts in the first language that a person wants and that we have; in English if there is none.
 *
 * @param uiLocales  what the client says: language tags that are separated by spaces. It counts first. Source: OpenID
 * Connect Core §3.1.2.1.
 * @param acceptLanguage  what the browser says. Source: RFC 9110 §12.5.4.
 */
export function textsFor(uiLocales: string | undefined, acceptLanguage: string | undefined): PageTexts {
  const wishes = [...(uiLocales ?? '').split(' '), ...languagesOf(acceptLanguage ?? '')];
  for (const wish of wishes.slice(0, MAX_WISHES)) {
    const [language = ''] = wish.toLowerCase().split('-');
    const texts = languages.find((one) => one.language === language);
    if (texts) return texts;
  }
  return english;
}

/** The languages of the header, the most wanted one first. */
function languagesOf(header: string): string[] {
  return header
    .split(',')
    .slice(0, MAX_WISHES)
    .map((part) => {
      const [language = '', ...parameters] = part.split(';').map((one) => one.trim());
      const weight = parameters.find((one) => one.startsWith('q='))?.slice(2);
      return { language, weight: weight === undefined ? 1 : Number(weight) };
    })
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight)
    .map(({ language }) => language);
}

/** A person without scripts at the built-in pages: reads pages, sends their forms, and is led on. */
import { Browser } from './browser.ts';

export interface Page {
  readonly status: number;
  readonly headers: Headers;
  readonly url: string;
  readonly text: string;
}

const unescaped = (text: string) =>
  text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&');

/** The values of the hidden fields of a form. */
export const hiddenFields = ({ text }: Page): Record<string, string> =>
  Object.fromEntries(
    [...text.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)].map(
      ([, name = '', value = '']) => [name, unescaped(value)],
    ),
  );

/** What the page says, without its tags. */
export const wordsIn = ({ text }: Page): string =>
  unescaped(text.replace(/^[\s\S]*<main>/, '').replaceAll(/<[^>]*>/g, ' '))
    .replaceAll(/\s+/g, ' ')
    .trim();

export class Visitor {
  readonly browser: Browser;
  readonly #language: string;

  constructor({ browser = new Browser(), language = 'en' } = {}) {
    this.browser = browser;
    this.#language = language;
  }

  /** Goes to an address and wherever it leads on this server. @returns the page, or the address of another server. */
  async visit(url: string, init: RequestInit = {}): Promise<Page> {
    const headers = { accept: 'text/html', 'accept-language': this.#language, ...init.headers };
    const response = await this.browser.open(url, { ...init, headers });
    const text = await response.text();
    const location = response.headers.get('location');
    const refresh = /<meta http-equiv="refresh" content="0; url=([^"]*)">/.exec(text)?.[1];
    const next = location ?? (refresh === undefined ? null : unescaped(refresh));
    if (next === null) return { status: response.status, headers: response.headers, url, text };
    const target = new URL(next, url);
    if (target.origin !== new URL(url).origin)
      return { status: response.status, headers: response.headers, url: target.href, text: '' };
    return await this.visit(target.href);
  }

  /** Sends the form of a page, with its hidden fields. */
  async send(
    page: Page,
    fields: Readonly<Record<string, string | readonly string[]>>,
    headers: Record<string, string> = {},
  ): Promise<Page> {
    const body = new URLSearchParams();
    for (const [name, value] of Object.entries({ ...hiddenFields(page), ...fields }))
      for (const one of [value].flat()) body.append(name, one);
    const { origin } = new URL(page.url);
    const action = /<form method="post" action="([^"]*)">/.exec(page.text)?.[1] ?? '';
    return await this.visit(new URL(action, page.url).href, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', origin, ...headers },
      body,
    });
  }
}

/** A browser that signs in to a client, and a login app that answers over GraphQL, outside of the browser. */
import { expect } from 'vitest';
import type { Answer, App } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';

/** As the test files set OAUTH_LOGIN_URL and OAUTH_CONSENT_URL. */
const loginUrl = 'https://login.example/login';
const consentUrl = 'https://login.example/consent';

/** Keeps cookies as a browser does, by path, and follows nothing by itself. */
export class Browser {
  readonly #cookies = new Map<string, { readonly value: string; readonly path: string }>();

  /** The names and values of the cookies. */
  get cookies(): [string, string][] {
    return [...this.#cookies].map(([key, { value }]) => [key.split(' ')[0] ?? '', value]);
  }

  /** A browser with the same cookies, as an attacker keeps them. */
  copy(): Browser {
    const copy = new Browser();
    for (const [key, cookie] of this.#cookies) copy.#cookies.set(key, cookie);
    return copy;
  }

  async open(url: string, init: RequestInit = {}): Promise<Response> {
    const { pathname } = new URL(url);
    const cookie = [...this.#cookies]
      .filter(([, { path }]) => pathname === path || path === '/' || pathname.startsWith(`${path}/`))
      .map(([key, { value }]) => `${key.split(' ')[0]}=${value}`)
      .join('; ');
    const headers = {
      ...(init.headers as Record<string, string> | undefined),
      ...(cookie ? { cookie } : {}),
    };
    const response = await fetch(url, { ...init, headers, redirect: 'manual' });
    for (const line of response.headers.getSetCookie()) this.#keep(line);
    return response;
  }

  #keep(line: string): void {
    const [pair = '', ...attributes] = line.split('; ');
    const [name = '', ...value] = pair.split('=');
    const path = attributes.find((one) => one.startsWith('path='))?.slice(5) ?? '/';
    if (value.join('=') === '' || /expires=Thu, 01 Jan 1970/.test(line))
      this.#cookies.delete(`${name} ${path}`);
    else this.#cookies.set(`${name} ${path}`, { value: value.join('='), path });
  }
}

export interface Actors {
  readonly app: App;
  readonly browser: Browser;
  /** Authorization of the login app. */
  readonly loginApp: string;
}

const redirecting = (app: App, loginApp: string, field: string, input: object): Promise<Answer> =>
  mutate(app, field, input, 'redirectTo', loginApp);

export const acceptLogin = ({ app, loginApp }: Omit<Actors, 'browser'>, input: object) =>
  redirecting(app, loginApp, 'acceptLoginRequest', { subject: 'alice', ...input });
export const acceptConsent = ({ app, loginApp }: Omit<Actors, 'browser'>, input: object) =>
  redirecting(app, loginApp, 'acceptConsentRequest', input);

export const challengeIn = (url: string) =>
  new URL(url).searchParams.get('login_challenge') ??
  new URL(url).searchParams.get('consent_challenge') ??
  '';

/** Where a browser is sent from an address. */
export async function redirectOf(browser: Browser, url: string): Promise<string> {
  const response = await browser.open(url);
  const location = response.headers.get('location');
  expect(location, `${url} answered ${response.status} ${await response.text()}`).not.toBeNull();
  return new URL(location ?? '', url).href;
}

/** Until the consent app is asked. @returns its challenge. */
export async function untilConsent(actors: Actors, url: string, login: object = {}): Promise<string> {
  const asked = await redirectOf(actors.browser, url);
  expect(asked).toContain(`${loginUrl}?`);
  const accepted = await acceptLogin(actors, { challenge: challengeIn(asked), ...login });
  expect(accepted, JSON.stringify(accepted)).toHaveProperty('redirectTo');
  const next = await redirectOf(actors.browser, accepted.redirectTo);
  expect(next).toContain(`${consentUrl}?`);
  return challengeIn(next);
}

/** The whole way. @returns where the client gets its answer. */
export async function signIn(
  actors: Actors,
  url: string,
  { login = {}, consent }: { login?: object; consent: object },
): Promise<string> {
  const challenge = await untilConsent(actors, url, login);
  const accepted = await acceptConsent(actors, { challenge, ...consent });
  expect(accepted, JSON.stringify(accepted)).toHaveProperty('redirectTo');
  return await redirectOf(actors.browser, accepted.redirectTo);
}

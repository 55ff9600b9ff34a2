/** What the tests of refusals at the token endpoint share: attacks, and how each of them must end. */
import { expect } from 'vitest';
import { basic } from '../support/app.ts';
import { signIn } from './browser.ts';
import { consent, redirect, type Stage, scope } from './stage.ts';

export type Form = Readonly<Record<string, string | readonly string[]>>;

export interface Sent {
  readonly form?: Form;
  readonly headers?: Readonly<Record<string, string>>;
  readonly method?: string;
  readonly body?: string;
  /** Of the address. */
  readonly query?: Readonly<Record<string, string>>;
}

/** A right request that is changed in one way. */
export interface Attack {
  /** The paragraph that says that it must fail. */
  readonly source: string;
  readonly what: string;
  readonly send: () => Sent | Promise<Sent>;
  readonly status: number;
  readonly error: string | null;
}

export const credentials = { grant_type: 'client_credentials' };
export const without = (form: Form, name: string): Form =>
  Object.fromEntries(Object.entries(form).filter(([key]) => key !== name));
export const refresh = (token: string | undefined): Form => ({
  ...{ grant_type: 'refresh_token', refresh_token: token ?? '' },
});

function formOf(form: Form): URLSearchParams {
  const body = new URLSearchParams();
  for (const [name, values] of Object.entries(form))
    for (const value of [values].flat()) body.append(name, value);
  return body;
}

export class TokenEndpoint {
  readonly #stage: Stage;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  async send({ form = {}, headers = {}, method = 'POST', body, query = {} }: Sent) {
    const init = method === 'GET' ? {} : { body: body ?? formOf(form) };
    const address = `${this.#stage.app.url}/oauth2/token?${new URLSearchParams(query)}`;
    const response = await fetch(address, { method, headers, ...init });
    const text = await response.text();
    return { response, text, answer: JSON.parse(text) as Record<string, unknown> };
  }

  /** Succeeds. */
  async answer(sent: Sent): Promise<Record<string, unknown>> {
    const { response, text, answer } = await this.send(sent);
    expect(response.status, text).toBe(200);
    return answer;
  }

  asWeb = () => ({ authorization: basic('web', this.#stage.webSecret) });

  byWeb = (form: Form, headers: Record<string, string> = {}): Sent => ({
    form,
    headers: { ...this.asWeb(), ...headers },
  });

  /** A code for the client `web`, and what redeems it. */
  async newCode() {
    const { url, checks } = await this.#stage.request(scope);
    const answer = new URL(await signIn(this.#stage.actors(), url, { consent }));
    return {
      ...{ grant_type: 'authorization_code', redirect_uri: redirect },
      ...{ code: answer.searchParams.get('code') ?? '', code_verifier: checks.pkceCodeVerifier },
    };
  }

  /** No answer has a token in it, or says more than its error. */
  async refuses({ send: make, status, error }: Attack): Promise<void> {
    const { response, text, answer } = await this.send(await make());
    expect([response.status, answer['error'] ?? null], text).toEqual([status, error]);
    expect(response.headers.get('cache-control')).toContain('no-store');
    expect(response.headers.get('content-type')).toContain('application/json');
    expect(text).not.toMatch(/access_token"|refresh_token"|id_token"|node_modules|evil\.example|\bat /);
    if (status === 401 && response.headers.has('www-authenticate'))
      expect(response.headers.get('www-authenticate')).toMatch(/^Basic realm=/);
  }
}

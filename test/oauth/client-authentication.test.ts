/** How a client shows who it is, where no library differs from another: see real-clients.test.ts for the libraries. */
import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { mutate } from '../support/mutate.ts';
import { redirectOf, signIn } from './browser.ts';
import { type Authentication, libraries } from './libraries.ts';
import { consent, redirect, Stage, scope } from './stage.ts';

vi.hoisted(() => {
  process.env['OAUTH_LOGIN_URL'] = 'https://login.example/login';
  process.env['OAUTH_CONSENT_URL'] = 'https://login.example/consent';
});

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.start();
});
afterAll(() => stage.stop());

const machine = { grantTypes: ['client_credentials'], scope: 'read.*' };

describe('a client with a secret', () => {
  const methods = ['client_secret_basic', 'client_secret_post'] as const;
  const ways = libraries.flatMap((library) =>
    methods.map((method) => [library.name, method, library] as const),
  );
  it.each(ways)('keeps characters that a form encodes, with %s and %s', async (name, method, { connect }) => {
    const input = { clientId: `a:b%+/${name} ${method}`.replace(' ', '+'), clientSecret: 'p%20w:+&=ord' };
    const settings = { ...machine, tokenEndpointAuthMethod: method };
    await mutate(stage.app, 'createOAuth2Client', { ...input, client: settings });
    const authentication: Authentication = { method, secret: input.clientSecret };
    const opening = { issuer: stage.app.url, clientId: input.clientId, authentication };
    const made = await (await connect(opening)).clientCredentials('read.runs');
    expect(made.token_type).toBe('bearer');
  });
});

describe('a public client', () => {
  it('gets no token of its own, and cannot be registered for it', async () => {
    await expect(client.clientCredentialsGrant(stage.native)).rejects.toMatchObject({
      error: 'unauthorized_client',
    });
    const input = { client: { ...machine, tokenEndpointAuthMethod: 'none' } };
    const refused = await mutate(stage.app, 'createOAuth2Client', input);
    expect(refused.problems).toMatchObject([{ path: ['input', 'client', 'tokenEndpointAuthMethod'] }]);
  });

  it('cannot introspect, also not its own token', async () => {
    const { url, checks } = await stage.request(scope, {}, stage.native);
    const answer = await signIn(stage.actors(), url, { consent });
    const made = await client.authorizationCodeGrant(stage.native, new URL(answer), checks);
    expect(await client.tokenIntrospection(stage.native, made.access_token)).toEqual({ active: false });
  });
});

describe('the answer of a request', () => {
  it('comes as a form that the browser posts, if the client wants that', async () => {
    const { url } = await stage.request(scope, { response_mode: 'form_post' });
    const who = stage.actors();
    const { browser } = who;
    const plain = await stage.request(scope);
    await signIn(who, plain.url, { login: { remember: true }, consent: { ...consent, remember: true } });
    const response = await browser.open(`${url}&prompt=none`);
    const page = await response.text();
    expect([response.status, response.headers.get('location')]).toEqual([200, null]);
    expect(page).toContain(`action="${redirect}"`);
    expect(page).toMatch(/name="code" value="[\w-]+"/);
    expect(page).toContain(`name="iss" value="${stage.app.url}"`);
    expect(await redirectOf(browser, `${plain.url}&prompt=none`)).toContain('code=');
  });
});

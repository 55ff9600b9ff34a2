/** The client that GraphiQL is: where its answers go, and what nobody is asked. */
import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GRAPHIQL } from '../../src/oauth/domain/own-clients.ts';
import { type LocalApp, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { newUser } from '../support/users.ts';
import { type AuthorizationRequest, discover } from './stage.ts';
import { Visitor, wordsIn } from './visitor.ts';

const ada = { username: 'ada', password: 'analytical engine' };
let app: LocalApp;
let graphiql: client.Configuration;
let pageUrl: string;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  graphiql = await discover(app, GRAPHIQL);
  pageUrl = `${app.url}/graphql`;
  await newUser(ada);
});
afterAll(() => app.stop());

async function request(more: Record<string, string> = {}): Promise<AuthorizationRequest> {
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const expectedState = client.randomState();
  const url = client.buildAuthorizationUrl(graphiql, {
    ...{ redirect_uri: pageUrl, scope: 'openid offline all', state: expectedState },
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    ...more,
  });
  for (const [name, value] of Object.entries(more)) if (value === '') url.searchParams.delete(name);
  return { url: url.href, checks: { pkceCodeVerifier, expectedState } };
}

/** @returns where the browser arrives, with the answer. */
async function signIn(visitor: Visitor, url: string): Promise<string> {
  const login = await visitor.visit(url);
  return (await visitor.send(login, { ...ada, answer: 'accept', remember: 'yes' })).url;
}

describe('the client of GraphiQL', () => {
  it('gets tokens for everything that its user may do, and nobody is asked', async () => {
    const visitor = new Visitor();
    const { url, checks } = await request();
    const arrived = await signIn(visitor, url);
    expect(arrived).toMatch(new RegExp(`^${pageUrl}\\?code=`));
    const tokens = await client.authorizationCodeGrant(graphiql, new URL(arrived), checks);
    const asked = await app.ask('{ viewer { username } }', {}, `Bearer ${tokens.access_token}`);
    expect(asked.data.viewer.username).toBe('ada');
    // The session of the browser is enough the next time.
    expect((await visitor.visit((await request()).url)).url).toMatch(new RegExp(`^${pageUrl}\\?code=`));
    const ended = client.buildEndSessionUrl(graphiql, {
      id_token_hint: tokens.id_token ?? '',
      post_logout_redirect_uri: pageUrl,
      state: 'signed-out',
    });
    expect((await visitor.visit(ended.href)).url).toBe(`${pageUrl}?state=signed-out`);
    expect(wordsIn(await visitor.visit((await request()).url))).toContain('Password');
  });

  it.each([
    ['another page', () => `${app.url}/`],
    ['another port of this machine', () => 'http://127.0.0.1:1/graphql'],
    ['another name of this machine', () => pageUrl.replace('127.0.0.1', 'localhost')],
    ['another server', () => 'https://evil.example/graphql'],
    ['a longer path', () => `${pageUrl}/more`],
    ['a query', () => `${pageUrl}?next=https://evil.example`],
  ])('never gets its answer at %s', async (_what, uri) => {
    const page = await new Visitor().visit((await request({ redirect_uri: uri() })).url);
    expect([page.status, page.url.startsWith(`${app.url}/oauth2/auth?`)]).toEqual([400, true]);
    expect(wordsIn(page)).toContain('invalid_redirect_uri');
  });

  it('cannot leave out PKCE', async () => {
    const { url } = await request({ code_challenge: '', code_challenge_method: '' });
    const { searchParams } = new URL((await new Visitor().visit(url)).url);
    expect(searchParams.get('error')).toBe('invalid_request');
  });

  it.each(['client_credentials', 'urn:ietf:params:oauth:grant-type:device_code'])(
    'gets nothing by %s',
    async (grant) => {
      const body = new URLSearchParams({ grant_type: grant, client_id: GRAPHIQL, device_code: 'any' });
      const response = await fetch(`${app.url}/oauth2/token`, { method: 'POST', body });
      expect([response.status, (await response.json()).error]).toEqual([400, 'unauthorized_client']);
    },
  );

  it('may be read by pages of this server, and of no other', async () => {
    const refresh = (origin: string) =>
      fetch(`${app.url}/oauth2/token`, {
        method: 'POST',
        headers: { origin },
        body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: 'x', client_id: GRAPHIQL }),
      });
    const own = await refresh(app.url);
    expect([own.headers.get('access-control-allow-origin'), (await own.json()).error]).toEqual([
      app.url,
      'invalid_grant',
    ]);
    expect((await refresh('https://evil.example')).headers.get('access-control-allow-origin')).toBeNull();
  });

  it('is asked about when an administrator wants people to be asked', async () => {
    const patch = [{ op: 'replace', path: '/skip_consent', value: false }];
    const changed = await mutate(app, 'patchOAuth2Client', { by: { clientId: GRAPHIQL }, patch });
    expect(changed.__typename).toBe('PatchOAuth2ClientPayload');
    const visitor = new Visitor();
    const page = await visitor.visit((await request()).url);
    const consent = await visitor.send(page, { ...ada, answer: 'accept' });
    expect(wordsIn(consent)).toContain('Allow GraphiQL access?');
  });
});

/** The built-in page where people sign in, as browsers without scripts and as attackers see it. */
import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formToken, isFormToken, type PageKind } from '../../src/oauth/built-in-app.ts';
import { pool } from '../../src/platform/database/client.ts';
import { updateUserPassword } from '../support/people.ts';
import { newTenant, newUser } from '../support/users.ts';
import { Browser } from './browser.ts';
import { discover, redirect, Stage, webSettings } from './stage.ts';
import { hiddenFields, type Page, Visitor, wordsIn } from './visitor.ts';

let stage: Stage;
const alice = { username: 'alice', password: 'correct horse battery' };
const remembered = { ...alice, remember: 'yes' };
beforeAll(async () => {
  stage = await Stage.start();
  await newUser(alice);
  await stage.addClient('shop', { ...webSettings, clientName: 'The <b>Shop</b>', skipConsent: true });
});
afterAll(() => stage.stop());

/** The login page of a new request. */
async function loginPage(visitor = new Visitor(), more: Record<string, string> = {}): Promise<Page> {
  return await visitor.visit((await stage.request('openid', more)).url);
}
const isLogin = (page: Page) => page.url.startsWith(`${stage.app.url}/oauth2/login?login_challenge=`);
const isConsent = (page: Page) => page.url.startsWith(`${stage.app.url}/oauth2/consent?`);

describe('the login page', () => {
  it('signs a person in, whose client gets her id', async () => {
    const visitor = new Visitor();
    const { url, checks } = await stage.request('openid');
    const page = await visitor.visit(url);
    expect([page.status, isLogin(page)]).toEqual([200, true]);
    const consent = await visitor.send(page, alice);
    expect(isConsent(consent)).toBe(true);
    const back = await visitor.send(consent, { answer: 'accept' });
    expect(back.url).toContain(`${redirect}?code=`);
    const tokens = await client.authorizationCodeGrant(stage.web, new URL(back.url), checks);
    const { rows } = await pool.query("select id from users where username = 'alice'");
    expect(tokens.claims()).toMatchObject({ sub: rows[0].id, amr: ['pwd'] });
  });

  it('writes the sign-in into the audit log, with the client', async () => {
    const { rows } = await pool.query(
      "select after from audit_events where action = 'session:login' and after->>'clientId' = 'web'",
    );
    expect(rows[0]).toEqual({ after: { method: 'PASSWORD', clientId: 'web' } });
  });

  it('shows the name of the client as text', async () => {
    const shop = await stage.addClient('shop2', { ...webSettings, clientName: '<script>alert(1)</script>' });
    const page = await new Visitor().visit((await stage.request('openid', {}, shop)).url);
    expect(page.text).not.toContain('<script');
    expect(wordsIn(page)).toContain('to continue to <script>alert(1)</script>');
  });

  const suggested = (page: Page) => /name="username" value="([^"]*)"/.exec(page.text)?.[1];
  it('suggests the name that the client gives, as text', async () => {
    const page = await loginPage(new Visitor(), { login_hint: '"><script>' });
    expect(suggested(page)).toBe('&quot;&gt;&lt;script&gt;');
  });

  const wrong = 'The user name or the password is wrong.';
  const mistakes: readonly [what: string, fields: Record<string, string>][] = [
    ['a wrong password', { username: 'alice', password: 'not this one' }],
    ['a person who does not exist', { username: 'nobody', password: 'not this one' }],
    ['a name with a colon', { username: 'alice:x', password: 'not this one' }],
    ['a tenant that does not exist', { username: 'nowhere/alice', password: alice.password }],
  ];
  it.each(mistakes)('asks again after %s, with the name and without the password', async (_what, fields) => {
    const visitor = new Visitor();
    const page = await visitor.send(await loginPage(visitor), { ...fields, remember: 'yes' });
    expect(page.status).toBe(403);
    expect(wordsIn(page)).toContain(wrong);
    expect(page.text).toContain(`<title>${wrong} Sign in`);
    expect(suggested(page)).toBe(fields['username']);
    expect(page.text).toMatch(/name="remember" value="yes" checked/);
    if (fields['password']) expect(page.text).not.toContain(fields['password']);
    expect(isConsent(await visitor.send(page, alice))).toBe(true);
  });

  it.each([
    { username: '', password: alice.password },
    { username: 'alice', password: '' },
    { username: ' ', password: ' ' },
  ])('asks for what is missing: %j', async (fields) => {
    const visitor = new Visitor();
    const page = await visitor.send(await loginPage(visitor), fields);
    expect([page.status, wordsIn(page)]).toEqual([
      400,
      expect.stringContaining('Enter your user name and your password.'),
    ]);
  });

  it('does not take an access key in place of a name', async () => {
    const { accessKey, secretKey } = stage.app.secrets.executor;
    const visitor = new Visitor();
    const page = await visitor.send(await loginPage(visitor), { username: accessKey, password: secretKey });
    expect([page.status, wordsIn(page).includes(wrong)]).toEqual([403, true]);
  });

  it('says when to try again after too many wrong passwords', async () => {
    await newUser({ username: 'target', password: alice.password });
    const visitor = new Visitor();
    let page = await loginPage(visitor);
    for (let guess = 0; guess < 10; guess += 1)
      page = await visitor.send(page, { username: 'target', password: `guess ${guess}` });
    page = await visitor.send(page, { username: 'target', password: alice.password });
    expect(page.status).toBe(429);
    expect(Number(page.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(wordsIn(page)).toContain('Too many sign-ins have failed. Try again in 5 minutes.');
  });

  it('tells the client that the person has cancelled', async () => {
    const visitor = new Visitor();
    const { url } = await visitor.send(await loginPage(visitor), { answer: 'reject' });
    expect(new URL(url).searchParams.get('error')).toBe('access_denied');
  });
});

describe('a sign-in that is remembered', () => {
  it('needs no page the next time, until the password changes', async () => {
    await newUser({ username: 'bob', password: alice.password });
    const visitor = new Visitor();
    const shop = await stage.addClient('shop3', { ...webSettings, skipConsent: true });
    const again = async () => await visitor.visit((await stage.request('openid', {}, shop)).url);
    const back = await visitor.send(await again(), { ...remembered, username: 'bob' });
    expect(back.url).toContain(`${redirect}?code=`);
    expect((await again()).url).toContain(`${redirect}?code=`);
    const password = 'another horse battery';
    await updateUserPassword(stage.app, { by: { username: 'bob' }, password });
    expect(isLogin(await again())).toBe(true);
  });

  it('is not remembered unless the person wants it', async () => {
    const visitor = new Visitor();
    await visitor.send(await loginPage(visitor), alice);
    expect(isLogin(await loginPage(visitor))).toBe(true);
  });

  it('can be left for another account', async () => {
    const visitor = new Visitor();
    await newUser({ username: 'carol', password: alice.password });
    const consent = await visitor.send(await loginPage(visitor), remembered);
    const link = /<a href="([^"]*)">Use another account/.exec(consent.text)?.[1] ?? '';
    const login = await visitor.visit(link.replaceAll('&amp;', '&'));
    expect(isLogin(login)).toBe(true);
  });
});

describe('users of another tenant', () => {
  it('cannot sign in to a client, as if their password were wrong', async () => {
    const tenantId = await newTenant('elsewhere');
    await newUser({ username: 'dora', password: alice.password, tenantId });
    for (const username of ['dora', 'elsewhere/dora']) {
      const visitor = new Visitor();
      const page = await visitor.send(await loginPage(visitor), { username, password: alice.password });
      expect([page.status, isLogin(page)]).toEqual([403, false]);
      expect(wordsIn(page)).toContain('The user name or the password is wrong.');
    }
  });

  it('can sign in to the clients of Slipway itself, and stay signed in', async () => {
    const visitor = new Visitor();
    const native = await discover(stage.app, 'flytectl');
    const redirectUri = { redirect_uri: 'http://localhost:53593/callback' };
    const again = async () => await visitor.visit((await stage.request('openid', redirectUri, native)).url);
    const dora = { ...remembered, username: 'elsewhere/dora' };
    expect(isConsent(await visitor.send(await again(), dora))).toBe(true);
    expect(isConsent(await again())).toBe(true);
    // The same browser, at a client of one tenant: the session is somebody else's.
    expect(isLogin(await loginPage(visitor))).toBe(true);
  });
});

describe('attacks', () => {
  it('are not possible with the challenge of another browser', async () => {
    const victim = new Visitor();
    const page = await loginPage(new Visitor());
    const shown = await victim.visit(page.url);
    expect([shown.status, wordsIn(shown)]).toEqual([
      400,
      expect.stringContaining('This page is no longer valid'),
    ]);
    const sent = await victim.send(page, alice);
    expect([sent.status, wordsIn(sent)]).toEqual([400, expect.stringContaining('no longer valid')]);
  });

  const foreign: readonly [what: string, change: (page: Page) => [object, Record<string, string>]][] = [
    ['of a page of another site', () => [{}, { origin: 'https://evil.example' }]],
    ['of a page of another site that hides its origin', () => [{}, { origin: 'null' }]],
    ['without its token', () => [{ token: '' }, {}]],
    ['with the token of another challenge', () => [{ challenge: 'other' }, {}]],
  ];
  it.each(foreign)('are not possible with a form %s', async (_what, change) => {
    const visitor = new Visitor();
    const page = await loginPage(visitor);
    const [fields, headers] = change(page);
    const refused = await visitor.send(page, { ...alice, ...fields }, headers);
    expect([refused.status, refused.text.includes('PERMISSION_DENIED')]).toEqual([403, true]);
    expect(isConsent(await visitor.send(page, alice))).toBe(true);
  });

  const kinds: readonly PageKind[] = ['login', 'consent', 'device', 'logout'];
  it.each(kinds)('are not possible at the %s page with the token of another page', (kind) => {
    const isTaken = kinds.map((other) => isFormToken(kind, 'one', formToken(other, 'one')));
    expect(isTaken).toEqual(kinds.map((other) => other === kind));
  });

  it('find no challenge that can be guessed, and no page without one', async () => {
    for (const query of ['', '?login_challenge=', '?login_challenge=x', '?consent_challenge=x']) {
      const page = await new Visitor().visit(`${stage.app.url}/oauth2/login${query}`);
      expect([page.status, wordsIn(page)]).toEqual([400, expect.stringContaining('no longer valid')]);
    }
  });

  it('cannot use a consent page for a login challenge', async () => {
    const visitor = new Visitor({ browser: new Browser() });
    const { challenge = '' } = hiddenFields(await loginPage(visitor));
    const page = await visitor.visit(`${stage.app.url}/oauth2/consent?consent_challenge=${challenge}`);
    expect(page.status).toBe(400);
  });

  it('find a page that runs nothing, fetches nothing and cannot be framed', async () => {
    const { headers, text } = await loginPage();
    const policy = headers.get('content-security-policy')?.split('; ');
    expect(policy).toEqual([
      "default-src 'none'",
      expect.stringMatching(/^style-src 'sha256-[\w+/]{43}='$/),
      'img-src data:',
      "form-action 'self'",
      "base-uri 'none'",
      "frame-ancestors 'none'",
    ]);
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(text).not.toMatch(/<script|\son\w+=|src=|https?:\/\/(?!127\.0\.0\.1|www\.w3\.org)/);
  });
});

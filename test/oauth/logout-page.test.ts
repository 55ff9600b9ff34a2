/** The built-in page where people say whether they want to sign out. */
import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newUser } from '../support/users.ts';
import { redirect, Stage, webSettings } from './stage.ts';
import { type Page, Visitor, wordsIn } from './visitor.ts';

const back = 'https://app.example/bye';
const alice = { username: 'alice', password: 'correct horse battery' };
const settings = { ...webSettings, postLogoutRedirectUris: [back], clientName: 'The Bookshop' };
let stage: Stage;
beforeAll(async () => {
  stage = await Stage.start();
  await newUser(alice);
});
afterAll(() => stage.stop());

let number = 0;
/** A person who has signed in to a client and stays signed in. */
async function signedIn(more: object = {}) {
  number += 1;
  const by = await stage.addClient(`shop-${number}`, { ...settings, ...more });
  const visitor = new Visitor();
  const begin = () => stage.request('openid', {}, by);
  const { url, checks } = await begin();
  const consent = await visitor.send(await visitor.visit(url), { ...alice, remember: 'yes' });
  const answer = await visitor.send(consent, { answer: 'accept' });
  expect(answer.url).toContain(`${redirect}?code=`);
  const { id_token: idToken = '' } = await client.authorizationCodeGrant(by, new URL(answer.url), checks);
  const logoutUrl = (parameters: Record<string, string> = {}) =>
    `${stage.app.url}/oauth2/sessions/logout?${new URLSearchParams(parameters)}`;
  const isKnown = async () => !(await visitor.visit((await begin()).url)).url.includes('/oauth2/login');
  return { visitor, isKnown, logoutUrl, idToken, clientId: `shop-${number}` };
}

const isLogoutPage = (page: Page) => page.url.startsWith(`${stage.app.url}/oauth2/logout?`);

describe('the logout page', () => {
  it('asks the person by her name, and signs her out in this browser', async () => {
    const { visitor, isKnown, logoutUrl } = await signedIn();
    const page = await visitor.visit(logoutUrl());
    expect([page.status, isLogoutPage(page)]).toEqual([200, true]);
    expect(wordsIn(page)).toContain('Sign out? You are signed in as alice.');
    expect(await isKnown()).toBe(true);
    const done = await visitor.send(page, { answer: 'accept' });
    expect([done.status, wordsIn(done)]).toEqual([200, expect.stringContaining('You are signed out')]);
    expect(await isKnown()).toBe(false);
  });

  it('leaves a person signed in who does not want to sign out', async () => {
    const { visitor, isKnown, logoutUrl } = await signedIn();
    const page = await visitor.visit(logoutUrl());
    const stayed = await visitor.send(page, { answer: 'reject' });
    expect(wordsIn(stayed)).toContain('You are still signed in');
    expect(await isKnown()).toBe(true);
    const again = await visitor.send(page, { answer: 'accept' });
    expect([again.status, await isKnown()]).toEqual([400, true]);
  });

  it('names the client that asks, and leads back to it', async () => {
    const { visitor, isKnown, logoutUrl, clientId } = await signedIn();
    const asked = { client_id: clientId, post_logout_redirect_uri: back, state: 'a state' };
    const page = await visitor.visit(logoutUrl(asked));
    expect(wordsIn(page)).toContain('The Bookshop asks to sign you out.');
    const done = await visitor.send(page, { answer: 'accept' });
    expect([done.url, await isKnown()]).toEqual([`${back}?state=a+state`, false]);
  });

  it.each([
    [true, `${back}?`, false],
    [false, '/oauth2/logout?', true],
  ])(
    'of a client with skipLogoutConsent %s that shows an ID token: %s',
    async (skipLogoutConsent, where, stays) => {
      const { visitor, isKnown, logoutUrl, idToken } = await signedIn({ skipLogoutConsent });
      const asked = { id_token_hint: idToken, post_logout_redirect_uri: back, state: 'a state' };
      expect((await visitor.visit(logoutUrl(asked))).url).toContain(where);
      expect(await isKnown()).toBe(stays);
    },
  );

  it('asks also for a client with skipLogoutConsent that shows no ID token', async () => {
    const { visitor, logoutUrl, clientId } = await signedIn({ skipLogoutConsent: true });
    const page = await visitor.visit(logoutUrl({ client_id: clientId, post_logout_redirect_uri: back }));
    expect(isLogoutPage(page)).toBe(true);
  });

  it('speaks the language of the browser, and escapes names', async () => {
    const { visitor, logoutUrl, clientId } = await signedIn({ clientName: '<b>Shop' });
    const german = new Visitor({ browser: visitor.browser, language: 'de' });
    const page = await german.visit(logoutUrl({ client_id: clientId, post_logout_redirect_uri: back }));
    expect(wordsIn(page)).toContain('<b>Shop möchte Sie abmelden.');
    expect(page.text).not.toContain('<b>');
  });

  it('answers no form of another site, no forged form and no unknown challenge', async () => {
    const { visitor, isKnown, logoutUrl } = await signedIn();
    const page = await visitor.visit(logoutUrl());
    const elsewhere = await visitor.send(page, { answer: 'accept' }, { origin: 'https://evil.example' });
    const forged = await visitor.send(page, { answer: 'accept', token: 'x' });
    const unknown = await visitor.visit(`${stage.app.url}/oauth2/logout?logout_challenge=unknown`);
    expect([elsewhere.status, forged.status, unknown.status]).toEqual([403, 403, 400]);
    expect(await isKnown()).toBe(true);
  });

  it('lets only the browser continue that has begun', async () => {
    const { visitor, isKnown, logoutUrl } = await signedIn();
    const page = await visitor.visit(logoutUrl());
    const other = new Visitor();
    await other.send(page, { answer: 'accept' });
    expect(await isKnown()).toBe(true);
  });
});

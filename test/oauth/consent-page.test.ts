/** The built-in page where people say what a client may do, and the languages of all pages. */
import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { permissions } from '../../src/authorization/domain/permissions.ts';
import { textsFor } from '../../src/oauth/pages/languages.ts';
import { scopeText } from '../../src/oauth/pages/scope-text.ts';
import { english } from '../../src/oauth/pages/texts/english.ts';
import { german } from '../../src/oauth/pages/texts/german.ts';
import { newUser } from '../support/users.ts';
import { Stage, webSettings } from './stage.ts';
import { type Page, Visitor, wordsIn } from './visitor.ts';

let stage: Stage;
const alice = { username: 'alice', password: 'correct horse battery', remember: 'yes' };
beforeAll(async () => {
  stage = await Stage.start();
  await newUser(alice);
});
afterAll(() => stage.stop());

const scope = 'openid profile read.runs write';
let number = 0;
/** A client of its own for each test, because consents are remembered. */
async function newClient(settings: object = {}): Promise<client.Configuration> {
  number += 1;
  const grantTypes = ['authorization_code', 'refresh_token'];
  const more = { grantTypes, scope: 'openid profile offline_access execution:* read.* write', ...settings };
  return await stage.addClient(`client-${number}`, { ...webSettings, ...more });
}

/** Where alice gets when she has signed in: the consent page, unless nobody has to be asked. */
async function afterLogin(
  by: client.Configuration,
  given: { visitor?: Visitor; asked?: string; more?: Record<string, string> } = {},
) {
  const { visitor = new Visitor(), asked = scope, more = {} } = given;
  const { url, checks } = await stage.request(asked, more, by);
  const page = await visitor.visit(url);
  const next = page.url.includes('/oauth2/login?') ? await visitor.send(page, alice) : page;
  return { visitor, page: next, checks };
}
const isConsent = (page: Page) => page.url.includes('/oauth2/consent?');
const boxes = ({ text }: Page) =>
  [...text.matchAll(/<input type="checkbox" name="scope" value="([^"]*)" checked( disabled)?>/g)].map(
    ([, name, disabled]) => (disabled ? `${name} (needed)` : name),
  );

describe('the consent page', () => {
  it('shows the client, the person, each scope in words, and where the browser goes', async () => {
    const { page } = await afterLogin(await newClient({ clientName: 'The Shop' }), {
      asked: 'openid offline_access execution:* read.runs',
    });
    const words = wordsIn(page);
    for (const text of [
      'Allow The Shop access?',
      'You are signed in as alice.',
      'Know who you are.',
      'Keep this access while you are away.',
      'Do everything with execution.',
      'read.runs The application has not told us what this means.',
      'Your browser then goes to app.example.',
    ])
      expect(words).toContain(text);
  });

  it('shows the resource servers that the client asks for', async () => {
    const audience = ['https://orders.example', 'https://stock.example/<b>'];
    const by = await newClient({ audience: ['https://stock.example', 'https://orders.example'] });
    const more = { audience: 'https://orders.example', resource: 'https://stock.example/<b>' };
    const { visitor, page, checks } = await afterLogin(by, { more });
    expect(wordsIn(page)).toContain(`it can use these services: ${audience.join(' ')}`);
    const back = await visitor.send(page, { scope: ['openid'], answer: 'accept' });
    const tokens = await client.authorizationCodeGrant(by, new URL(back.url), checks);
    expect((await client.tokenIntrospection(by, tokens.access_token)).aud).toEqual(audience);
  });

  it('lets a person decline single scopes', async () => {
    const by = await newClient();
    const { visitor, page, checks } = await afterLogin(by);
    expect(boxes(page)).toEqual(['openid (needed)', 'profile', 'read.runs', 'write']);
    const back = await visitor.send(page, { scope: ['openid', 'read.runs'], answer: 'accept' });
    const tokens = await client.authorizationCodeGrant(by, new URL(back.url), checks);
    expect(tokens.scope?.split(' ').sort()).toEqual(['openid', 'read.runs']);
    expect(tokens.claims()).not.toHaveProperty('preferred_username');
  });

  it('tells the client the name only if the person allows it', async () => {
    const by = await newClient();
    const { visitor, page, checks } = await afterLogin(by);
    const back = await visitor.send(page, { scope: ['openid', 'profile'], answer: 'accept' });
    const tokens = await client.authorizationCodeGrant(by, new URL(back.url), checks);
    expect(tokens.claims()).toMatchObject({ preferred_username: 'alice' });
  });

  it('tells the client that the person has refused', async () => {
    const { visitor, page } = await afterLogin(await newClient());
    const { url } = await visitor.send(page, { answer: 'reject' });
    expect(new URL(url).searchParams.get('error')).toBe('access_denied');
  });

  it('grants nothing that was not requested', async () => {
    const { visitor, page } = await afterLogin(await newClient());
    const refused = await visitor.send(page, { scope: ['openid', 'offline_access'], answer: 'accept' });
    expect([refused.status, wordsIn(refused)]).toEqual([400, expect.stringContaining('INVALID_ARGUMENT')]);
  });

  it.each([
    { remember: 'yes', isAsked: false },
    { remember: '', isAsked: true },
  ])('asks again: $isAsked, after remember=$remember', async ({ remember, isAsked }) => {
    const by = await newClient();
    const { visitor, page } = await afterLogin(by);
    const all = { scope: scope.split(' '), answer: 'accept' };
    await visitor.send(page, { ...all, remember });
    expect(isConsent((await afterLogin(by, { visitor })).page)).toBe(isAsked);
    // More than before is always asked.
    expect(isConsent((await afterLogin(by, { visitor, asked: `${scope} execution:*` })).page)).toBe(true);
    expect(isConsent((await afterLogin(by, { visitor, more: { prompt: 'consent' } })).page)).toBe(true);
  });

  const clients: readonly [what: string, settings: object, isAsked: boolean][] = [
    ['a trusted client', { skipConsent: true }, false],
    ['a trusted public client', { skipConsent: true, tokenEndpointAuthMethod: 'none' }, false],
    [
      'a trusted public client on this machine',
      { skipConsent: true, tokenEndpointAuthMethod: 'none', redirectUris: ['http://127.0.0.1/back'] },
      false,
    ],
    [
      'a trusted public client whose address another program can take',
      { skipConsent: true, tokenEndpointAuthMethod: 'none', redirectUris: ['com.example.app:/back'] },
      true,
    ],
    ['any other client', {}, true],
  ];
  it.each(clients)('is shown for %s: %j %s', async (_what, settings, isAsked) => {
    const by = await newClient(settings);
    const { redirectUris: [uri] = [undefined] } = settings as { redirectUris?: string[] };
    const { page } = await afterLogin(by, uri ? { more: { redirect_uri: uri } } : {});
    expect([isConsent(page), page.url.includes('code=')]).toEqual([isAsked, !isAsked]);
  });

  it('answers no form of another site, and none without its token', async () => {
    const { visitor, page } = await afterLogin(await newClient());
    const accept = { answer: 'accept' };
    for (const refused of [
      await visitor.send(page, accept, { origin: 'https://evil.example' }),
      await visitor.send(page, { ...accept, token: 'forged' }),
    ])
      expect([refused.status, refused.text.includes('PERMISSION_DENIED')]).toEqual([403, true]);
  });

  it('leads a person on who comes back to a page that she has answered', async () => {
    const { visitor, page } = await afterLogin(await newClient());
    const done = await visitor.send(page, { scope: 'openid', answer: 'accept' });
    expect(done.url).toContain('code=');
    const again = await visitor.visit(page.url);
    expect(isConsent(again)).toBe(true);
    expect(again.url).not.toBe(page.url);
  });
});

describe('languages', () => {
  const wishes: readonly [locales: string | undefined, header: string | undefined, language: string][] = [
    [undefined, undefined, 'en'],
    [undefined, 'de', 'de'],
    [undefined, 'de-AT, en;q=0.9', 'de'],
    [undefined, 'fr, en;q=0.5, de;q=0.8', 'de'],
    [undefined, 'de;q=0, en', 'en'],
    [undefined, 'fr', 'en'],
    [undefined, '*', 'en'],
    [undefined, ';;q=,', 'en'],
    ['de', 'en', 'de'],
    ['fr DE-de', 'en', 'de'],
    ['fr', 'de', 'de'],
  ];
  it.each(wishes)('are chosen: ui_locales %s, Accept-Language %s: %s', (locales, header, language) => {
    expect(textsFor(locales, header).language).toBe(language);
  });

  it('are spoken by every page', async () => {
    const visitor = new Visitor({ language: 'de' });
    const { page } = await afterLogin(await newClient({ clientName: 'Laden' }), { visitor });
    expect(page.text).toContain('<html lang="de">');
    expect(wordsIn(page)).toContain('Zugriff für Laden erlauben?');
    const { url } = await stage.request('openid', { ui_locales: 'de' });
    expect(wordsIn(await new Visitor().visit(url))).toContain('Anmelden');
    const error = await visitor.visit(`${stage.app.url}/oauth2/auth?client_id=nobody`);
    expect([error.status, wordsIn(error)]).toEqual([400, expect.stringContaining('Das geht nicht')]);
  });

  it.each([english, german])('have a text for every permission: $language', (texts) => {
    const missing = Object.keys(permissions).filter((permission) => !texts.scopes.permission(permission));
    expect(missing).toEqual([]);
    expect(Object.keys(texts.scopes.known)).toEqual(Object.keys(english.scopes.known));
  });

  it('say what a permission, a wildcard and an unknown scope mean', () => {
    expect(scopeText(english, 'execution:create')).toEqual({
      text: 'Start executions.',
      name: 'execution:create',
    });
    expect(scopeText(german, '*:read')).toEqual({
      text: 'Überall in Slipway read benutzen.',
      name: '*:read',
    });
    expect(scopeText(english, 'constructor').text).toBe('constructor');
    expect(scopeText(english, 'a:b:c').text).toBe('a:b:c');
  });
});

describe('the error page', () => {
  it('shows what the client has done wrong, as text', async () => {
    const evil = encodeURIComponent('<script>alert(1)</script>');
    const page = await new Visitor().visit(`${stage.app.url}/oauth2/auth?client_id=${evil}`);
    expect(page.status).toBe(400);
    expect(page.text).toMatch(/<code>invalid_client<\/code>/);
    expect(page.text).not.toContain('<script');
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
  });
});

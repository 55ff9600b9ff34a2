/** People sign in with an identity provider, and become users or are connected with users. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { pool } from '../../src/platform/database/client.ts';
import { redirect, webSettings } from '../oauth/stage.ts';
import { wordsIn } from '../oauth/visitor.ts';
import { endOf, make, mutate } from '../support/mutate.ts';
import { newCaller, newUser } from '../support/users.ts';
import { newVisitor, World } from './world.ts';

vi.hoisted(() => {
  process.env['OAUTH_PRIVATE_ADDRESSES'] = 'on';
});

let world: World;
const password = 'correct horse battery';
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.stop());
beforeEach(() => {
  world.issuer.person = { sub: 'ada-1', preferred_username: 'ada', name: 'Ada Lovelace' };
});

const isBack = ({ url }: { readonly url: string }) => url.startsWith(`${redirect}?code=`);
const linksOf = async (username: string) =>
  (
    await pool.query(
      `select link.subject, link.identity_provider_id as provider from identity_links as link
         join users as account on account.id = link.user_id where account.username = $1 order by link.id`,
      [username],
    )
  ).rows;

describe('a first sign-in with an identity provider', () => {
  it('creates the user, whom the next sign-in finds also under another name', async () => {
    const provider = await world.provider();
    expect(isBack(await world.signIn(newVisitor(), provider))).toBe(true);
    world.issuer.person = { sub: 'ada-1', preferred_username: 'countess' };
    expect(isBack(await world.signIn(newVisitor(), provider))).toBe(true);
    const { rows } = await pool.query(
      "select username, name, role::text, password_hash from users where username in ('ada', 'countess')",
    );
    expect(rows).toEqual([{ username: 'ada', name: 'Ada Lovelace', role: 'USER', password_hash: null }]);
    expect(await linksOf('ada')).toEqual([{ subject: 'ada-1', provider: provider.id }]);
  });

  it('is in the audit log, with the provider and the client', async () => {
    const provider = await world.provider();
    world.issuer.person = { sub: 'grace-1', preferred_username: 'grace' };
    await world.signIn(newVisitor(), provider);
    const { rows } = await pool.query(
      "select action, after from audit_events where actor_name = 'grace' order by id",
    );
    expect(rows).toMatchObject([
      { action: 'user:create', after: { username: 'grace', source: `${world.issuer.url}#${provider.id}` } },
      {
        action: 'session:login',
        after: { method: 'IDENTITY_PROVIDER', identityProvider: provider.name, clientId: 'shop' },
      },
    ]);
  });

  it('creates one user when the same person comes twice at the same time', async () => {
    const provider = await world.provider();
    world.issuer.person = { sub: 'twin-1', preferred_username: 'twin' };
    const visitors = [newVisitor(), newVisitor()];
    const answers = await Promise.all(visitors.map((visitor) => world.answerOf(visitor, provider)));
    const pages = await Promise.all(visitors.map((visitor, at) => visitor.visit(answers[at] ?? '')));
    expect(pages.map(isBack)).toEqual([true, true]);
    expect(await linksOf('twin')).toHaveLength(1);
  });

  const strangers: readonly [what: string, settings: object, person: object][] = [
    ['without a user name', {}, { preferred_username: undefined }],
    ['with a name that nobody may have', {}, { preferred_username: 'a:b/c' }],
    ['with an address that is not verified', { usernameClaim: 'email' }, { email: 'new@example.org' }],
    [
      'with an address that is said to be verified in a text',
      { usernameClaim: 'email' },
      { email: 'new@example.org', email_verified: 'true' },
    ],
    ['where the provider creates nobody', { newUserRole: null }, {}],
  ];
  it.each(strangers)('creates nobody %s, and asks for a user who exists', async (_what, settings, more) => {
    const provider = await world.provider(settings);
    world.issuer.person = { sub: 'stranger', preferred_username: 'stranger', ...more };
    const page = await world.signIn(newVisitor(), provider);
    expect([page.status, wordsIn(page)]).toEqual([200, expect.stringContaining('Connect your account')]);
    const { rows } = await pool.query(
      "select 1 from users where username in ('stranger', 'a:b/c', 'new@example.org')",
    );
    expect(rows).toEqual([]);
  });

  it('refuses strangers where people cannot connect accounts themselves', async () => {
    const provider = await world.provider({ newUserRole: null, linksByPassword: false });
    const page = await world.signIn(newVisitor(), provider);
    expect([page.status, wordsIn(page)]).toEqual([403, expect.stringContaining('You have no account here')]);
  });

  it('tells the person that she has cancelled, and lets her choose again', async () => {
    const provider = await world.provider();
    world.issuer.person = null;
    const visitor = newVisitor();
    const page = await world.signIn(visitor, provider);
    expect([page.status, wordsIn(page)]).toEqual([
      403,
      expect.stringContaining(`${provider.name} has not signed you in.`),
    ]);
    world.issuer.person = { sub: 'again-1', preferred_username: 'again' };
    const begun = await visitor.send(page, { provider: provider.id });
    expect(isBack(await visitor.visit((await visitor.visit(begun.url)).url))).toBe(true);
  });

  it('says that a provider does not answer', async () => {
    const provider = await world.provider();
    world.issuer.instead = (_request, response) => void response.writeHead(500).end();
    const visitor = newVisitor();
    const page = await visitor.send(await world.loginPage(visitor), { provider: provider.id });
    world.issuer.instead = null;
    expect([page.status, wordsIn(page)]).toEqual([
      503,
      expect.stringContaining(`${provider.name} does not answer.`),
    ]);
  });

  it('is remembered in the browser if the person wants it', async () => {
    const provider = await world.provider();
    world.issuer.person = { sub: 'rita-1', preferred_username: 'rita' };
    const visitor = newVisitor();
    await world.signIn(visitor, provider, { remember: 'yes' });
    expect(isBack(await world.loginPage(visitor))).toBe(true);
  });

  it('is a new one at the provider, too, if the client wants a new one', async () => {
    const provider = await world.provider();
    const asked = async (more: Record<string, string>) => {
      const visitor = newVisitor();
      const page = await visitor.send(await world.loginPage(visitor, more), { provider: provider.id });
      return new URL(page.url).searchParams.get('prompt');
    };
    expect([await asked({}), await asked({ prompt: 'login' }), await asked({ max_age: '60' })]).toEqual([
      null,
      'login',
      'login',
    ]);
  });

  it('uses the settings of the provider as they are now, not those of before', async () => {
    const { id, name } = await world.provider();
    const clientIdAtProvider = async () => {
      const visitor = newVisitor();
      const { url } = await visitor.send(await world.loginPage(visitor), { provider: id });
      return new URL(url).searchParams.get('client_id');
    };
    const before = await clientIdAtProvider();
    const identityProvider = {
      name,
      issuer: world.issuer.url,
      clientId: `${before}-new`,
      newUserRole: 'USER',
    };
    await mutate(world.stage.app, 'updateIdentityProvider', { by: { id }, identityProvider });
    expect(await clientIdAtProvider()).toBe(`${before}-new`);
  });

  it('shows only the providers of the tenant of the client that are enabled', async () => {
    const [open, closed] = [await world.provider(), await world.provider({ isEnabled: false })];
    const page = wordsIn(await world.loginPage(newVisitor()));
    expect(page).toContain(`Continue with ${open.name} `);
    expect(page).not.toContain(`Continue with ${closed.name}`);
  });
});

describe('a user who exists', () => {
  it('is never taken by the name or the address: the person connects the account with the password', async () => {
    await newUser({ username: 'bob', password });
    const provider = await world.provider();
    world.issuer.person = {
      ...{ sub: 'not-bob', preferred_username: 'bob', email: 'bob@example.org', email_verified: true },
    };
    const visitor = newVisitor();
    const page = await world.signIn(visitor, provider);
    expect(wordsIn(page)).toContain(`You have come as bob@example.org from ${provider.name}.`);
    const wrong = await visitor.send(page, { username: 'bob', password: 'guess', answer: 'accept' });
    expect([wrong.status, wordsIn(wrong)]).toEqual([403, expect.stringContaining('is wrong.')]);
    expect(await linksOf('bob')).toEqual([]);
    expect(isBack(await visitor.send(wrong, { username: 'bob', password, answer: 'accept' }))).toBe(true);
    expect(await linksOf('bob')).toEqual([{ subject: 'not-bob', provider: provider.id }]);
    expect(isBack(await world.signIn(newVisitor(), provider))).toBe(true);
  });

  it('has one account at a provider', async () => {
    await newUser({ username: 'carol', password });
    const provider = await world.provider({ newUserRole: null });
    const connect = async (subject: string) => {
      world.issuer.person = { sub: subject };
      const visitor = newVisitor();
      const page = await world.signIn(visitor, provider);
      return await visitor.send(page, { username: 'carol', password, answer: 'accept' });
    };
    expect(isBack(await connect('carol-1'))).toBe(true);
    const second = await connect('carol-2');
    expect([second.status, wordsIn(second)]).toEqual([409, expect.stringContaining('is connected already.')]);
  });

  it.each(['ROOT', 'SYSTEM'] as const)('with the role %s cannot be connected', async (role) => {
    const username = `the-${role}`;
    await newUser({ username, password, role });
    const provider = await world.provider({ newUserRole: null });
    world.issuer.person = { sub: `sub-of-${role}` };
    const visitor = newVisitor();
    const page = await world.signIn(visitor, provider);
    const refused = await visitor.send(page, { username, password, answer: 'accept' });
    expect(isBack(refused)).toBe(false);
    expect(await linksOf(username)).toEqual([]);
    const input = { identityProvider: { id: provider.id }, user: { username }, subject: 'any' };
    const byAdmin = await mutate(world.stage.app, 'createIdentityLink', input);
    expect(byAdmin.code).toBe('FAILED_PRECONDITION');
  });

  it('is connected by an administrator, and signed in with no question', async () => {
    await newUser({ username: 'dora' });
    const provider = await world.provider({ newUserRole: null, linksByPassword: false });
    const input = { identityProvider: { id: provider.id }, user: { username: 'dora' }, subject: 'dora-1' };
    const made = await mutate(
      world.stage.app,
      'createIdentityLink',
      input,
      'identityLink { subject identityProviderName usedAt }',
    );
    expect(made.identityLink).toEqual({
      ...{ subject: 'dora-1', identityProviderName: provider.name, usedAt: null },
    });
    expect((await mutate(world.stage.app, 'createIdentityLink', input)).code).toBe('ALREADY_EXISTS');
    world.issuer.person = { sub: 'dora-1' };
    expect(isBack(await world.signIn(newVisitor(), provider))).toBe(true);
  });

  it('cannot sign in while disabled', async () => {
    const provider = await world.provider();
    world.issuer.person = { sub: 'eve-1', preferred_username: 'eve' };
    await world.signIn(newVisitor(), provider);
    const disabled = await mutate(world.stage.app, 'editUser', {
      by: { username: 'eve' },
      disabled: true,
    });
    expect(disabled.__typename).toBe('EditUserPayload');
    const page = await world.signIn(newVisitor(), provider);
    expect([page.status, isBack(page)]).toEqual([403, false]);
  });
});

describe('groups', () => {
  it('follow the claim at each sign-in, and others stay as they are', async () => {
    const { app } = world.stage;
    await make(app, 'createGroup', { name: 'builders' }, 'group');
    await make(app, 'createGroup', { name: 'testers' }, 'group');
    const own = await make(app, 'createGroup', { name: 'chess' }, 'group');
    const groups = [
      { value: 'eng', group: { name: 'builders' } },
      { value: 'eng-lead', group: { name: 'builders' } },
      { value: 'qa', group: { name: 'testers' } },
    ];
    const provider = await world.provider({ groupsClaim: 'groups', groups });
    const signInWith = async (values: unknown) => {
      world.issuer.person = { sub: 'fay-1', preferred_username: 'fay', groups: values };
      expect(isBack(await world.signIn(newVisitor(), provider))).toBe(true);
      return await world.groupsOf('fay');
    };
    expect(await signInWith(['eng', 'chess', 'unknown'])).toEqual(['builders']);
    await mutate(app, 'addGroupMembers', { by: { id: own }, members: [{ username: 'fay' }] });
    expect(await signInWith(['qa', 'eng-lead'])).toEqual(['builders', 'chess', 'testers']);
    expect(await signInWith('qa')).toEqual(['chess', 'testers']);
    expect(await signInWith(undefined)).toEqual(['chess']);
    const { rows } = await pool.query(
      `select action, target_name as name from audit_events
        where actor_name = 'fay' and action like 'group:%' order by id`,
    );
    expect(rows).toEqual([
      { action: 'group:addMembers', name: 'builders' },
      { action: 'group:addMembers', name: 'testers' },
      { action: 'group:removeMembers', name: 'builders' },
      { action: 'group:removeMembers', name: 'testers' },
    ]);
  });
});

describe('the end of a connection', () => {
  /** A person with a session and a refresh token for Slipway. */
  async function signedIn(username: string) {
    const provider = await world.provider();
    world.issuer.person = { sub: `${username}-1`, preferred_username: username };
    const settings = { ...webSettings, scope: 'openid offline all', skipConsent: true };
    const clientId = `client-of-${username}`;
    const by = await world.stage.addClient(clientId, settings);
    const visitor = newVisitor();
    const { url, checks } = await world.stage.request('openid offline all', {}, by);
    const fields = { provider: provider.id, remember: 'yes' };
    const begun = await visitor.send(await visitor.visit(url), fields);
    const back = await visitor.visit((await visitor.visit(begun.url)).url);
    const client = await import('openid-client');
    const tokens = await client.authorizationCodeGrant(by, new URL(back.url), checks);
    const hasToken = async () =>
      (await world.stage.app.ask('{ viewer { username } }', {}, `Bearer ${tokens.access_token}`)).status;
    const hasSession = async () => isBack(await world.loginPage(visitor));
    expect([await hasToken(), await hasSession()]).toEqual([200, true]);
    return { provider, hasToken, hasSession, authorization: `Bearer ${tokens.access_token}` };
  }

  it('ends the sessions that began with the provider, and their tokens: the provider is deleted', async () => {
    const [gone, other] = [await signedIn('gil'), await signedIn('hal')];
    const by = { id: gone.provider.id };
    const deleted = await mutate(
      world.stage.app,
      'deleteIdentityProvider',
      { by },
      'identityProvider { name }',
    );
    expect(deleted.identityProvider.name).toBe(gone.provider.name);
    expect([await gone.hasToken(), await gone.hasSession()]).toEqual([401, false]);
    expect([await other.hasToken(), await other.hasSession()]).toEqual([200, true]);
    expect((await mutate(world.stage.app, 'deleteIdentityProvider', { by })).code).toBe('NOT_FOUND');
    expect(await linksOf('gil')).toEqual([]);
  });

  it('ends a sign-in that was accepted, and whose browser has not come back yet', async () => {
    const provider = await world.provider();
    world.issuer.person = { sub: 'jo-1', preferred_username: 'jo' };
    const visitor = newVisitor();
    const accepted = await visitor.browser.open(await world.answerOf(visitor, provider));
    const [, next = ''] = /http-equiv="refresh" content="0; url=([^"]*)"/.exec(await accepted.text()) ?? [];
    const [{ id }] = (await pool.query("select id from identity_links where subject = 'jo-1'")).rows;
    const deleted = await mutate(world.stage.app, 'deleteIdentityLink', { by: { id } }, 'deleted');
    expect(deleted.deleted).toBe(true);
    expect(isBack(await visitor.visit(next.replaceAll('&amp;', '&')))).toBe(false);
    expect(isBack(await world.loginPage(visitor))).toBe(false);
  });

  it('ends them also when the user deletes the link, which nobody else may list or delete', async () => {
    const ivy = await signedIn('ivy');
    const { data } = await world.stage.app.ask('{ viewer { id } }', {}, ivy.authorization);
    const list = (userId: string | undefined, authorization: string) =>
      world.stage.app.ask(
        'query ($userId: ID) { identityLinks(filter: { userId: $userId }) { edges { node { id subject identityProviderName } } } }',
        { userId },
        authorization,
      );
    const [{ node }] = (await list(data.viewer.id, ivy.authorization)).data.identityLinks.edges;
    expect(node).toMatchObject({ subject: 'ivy-1', identityProviderName: ivy.provider.name });
    const stranger = await newCaller();
    for (const userId of [data.viewer.id, undefined])
      expect(endOf(await list(userId, stranger))).toBe('PERMISSION_DENIED');
    const remove = (authorization: string) =>
      mutate(world.stage.app, 'deleteIdentityLink', { by: { id: node.id } }, 'deleted', authorization);
    expect((await remove(stranger)).refused).toBe('PERMISSION_DENIED');
    expect((await remove(ivy.authorization)).deleted).toBe(true);
    expect([await ivy.hasToken(), await ivy.hasSession()]).toEqual([401, false]);
    expect(
      (await mutate(world.stage.app, 'deleteIdentityLink', { by: { id: node.id } }, 'deleted')).deleted,
    ).toBe(false);
  });
});

import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { sweepRevokedSessions } from '../../src/sign-in/store/tokens.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { changeUser, newTenant, tokenOf, type User } from '../support/users.ts';
import { claimsOf, someone, tokenCalls } from './token-calls.ts';

vi.hoisted(() => {
  process.env['SESSION_MAX_SECONDS'] = '7200';
});

let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
});
afterAll(() => app.stop());
const { outcome, statusOf, login, logout, tokenFor } = tokenCalls(() => app);

describe('login', () => {
  it('gives a token with claims for the user, the time and the key, and without rights', async () => {
    const { authorization, id: userId, credentialId } = await someone('USER', { scopes: ['project:list'] });
    const claims = claimsOf(await tokenOf(app, authorization));
    expect(Object.keys(claims).sort()).toEqual(
      ['aud', 'auth_time', 'cred', 'exp', 'iat', 'iss', 'sid', 'sub', 'tenant', 'ver'].sort(),
    );
    expect(claims).toMatchObject({ sub: userId, cred: credentialId });
  });

  it('renews a token by a token, and keeps the time of the first sign-in', async () => {
    const { authorization } = await someone('USER');
    const first = await tokenOf(app, authorization, { expiresIn: 'PT10M' });
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 300_000 });
    try {
      const second = await tokenOf(app, first, { expiresIn: 'PT1H' });
      expect(claimsOf(second)['auth_time']).toBe(claimsOf(first)['auth_time']);
      expect(Number(claimsOf(second).exp) - Number(claimsOf(first).iat)).toBeGreaterThanOrEqual(3900);
      expect(claimsOf(second)['sid']).not.toBe(claimsOf(first)['sid']);
    } finally {
      vi.useRealTimers();
    }
  });

  it('gives no token that ends later than SESSION_MAX_SECONDS after the sign-in', async () => {
    const { authorization } = await someone('USER');
    const startedAt = Date.now();
    let token = await tokenOf(app, authorization, { expiresIn: 'P1D' });
    const end = Number(claimsOf(token)['auth_time']) + 7200;
    expect(claimsOf(token).exp).toBe(end);
    try {
      vi.useFakeTimers({ toFake: ['Date'], now: startedAt + 7_000_000 });
      token = await tokenOf(app, token, { expiresIn: 'PT1H' });
      expect(claimsOf(token).exp).toBe(end);
      expect(await statusOf(token)).toBe(200);
      vi.setSystemTime(startedAt + 7_201_000);
      expect(await statusOf(token)).toBe(401);
    } finally {
      vi.useRealTimers();
    }
  });

  it.each([
    ['PT1S', 1],
    ['PT1H', 3600],
  ])('gives a token for exactly the time that is asked for: %s', async (expiresIn, seconds) => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() });
    onTestFinished(() => void vi.useRealTimers());
    const made = await login((await someone('USER')).authorization, { expiresIn });
    const now = Math.floor(Date.now() / 1000);
    expect(claimsOf(made.token)).toMatchObject({ iat: now, auth_time: now, exp: now + seconds });
    expect(Date.parse(made.expiresAt)).toBe((now + seconds) * 1000);
  });

  it('gives a token for at most 365 days', async () => {
    const { authorization } = await someone('USER');
    expect(await login(authorization, { expiresIn: 'P365D' })).toMatchObject({ token: expect.any(String) });
    expect(await login(authorization, { expiresIn: 'P365DT1S' })).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(await login(authorization, { expiresIn: 'PT0.999S' })).toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('gives a token that expires with its access key at the latest', async () => {
    const { authorization, credentialId } = await someone('USER');
    const expiresAt = new Date(Date.now() + 600_000);
    await db.credential.update({ where: { id: credentialId }, data: { expiresAt } });
    const made = await login(authorization, { expiresIn: 'PT1H' });
    expect(Math.floor(Date.parse(made.expiresAt) / 1000)).toBe(Math.floor(expiresAt.getTime() / 1000));
  });

  it('keeps the scopes of the key', async () => {
    const { authorization } = await someone('ADMIN', { scopes: ['project:list'] });
    const token = await tokenOf(app, await tokenOf(app, authorization));
    expect(await outcome('{ projects { totalCount: __typename } }', {}, token)).toBeTruthy();
    expect(await outcome('{ queues { __typename } }', {}, token)).toEqual({ refused: 'PERMISSION_DENIED' });
  });

  it('confines a token to resources, and its renewals too', async () => {
    const made = await app.ask(
      `mutation { one: registerProject(input: { identifier: "one", name: "one" }) { ... on RegisterProjectPayload { project { id } } }
                  two: registerProject(input: { identifier: "two", name: "two" }) { ... on RegisterProjectPayload { project { id } } } }`,
    );
    const [one, two] = [made.data.one.project.id, made.data.two.project.id];
    const projects = '{ projects { edges { node { id } } } }';
    const seen = async (token: string) =>
      (await app.ask(projects, {}, token)).data.projects.edges.map((edge: Answer) => edge.node.id);
    const both = await tokenOf(app, app.admin, {
      resources: [one, two].map((id) => ({ type: 'PROJECT', id })),
    });
    const single = await tokenOf(app, both, { resources: [{ type: 'PROJECT', id: two }] });
    expect(await seen(both)).toEqual([one, two]);
    expect(await seen(single)).toEqual([two]);
    expect(await seen(await tokenOf(app, single))).toEqual([two]);
    for (const other of [
      { type: 'PROJECT', id: one },
      { type: 'QUEUE', id: two },
    ])
      expect(await login(single, { resources: [other] })).toEqual({ refused: 'PERMISSION_DENIED' });
    expect(await outcome(`{ project(by: { id: "${one}" }) { id } }`, {}, single)).toEqual({
      refused: 'NOT_FOUND',
    });
    // It creates nothing for other users either.
    expect(await tokenFor(single, { user: { username: 'admin' } })).toEqual({ refused: 'PERMISSION_DENIED' });
  });

  it.each([
    [[], 'input.resources'],
    [[{ type: 'PROJECT', id: 'x' }], 'input.resources.0.id'],
    [[{ type: 'TENANT', id: newId() }], 'input.resources.0.type'],
    [Array.from({ length: 51 }, () => ({ type: 'PROJECT', id: newId() })), 'input.resources'],
  ])('refuses impossible resources %#', async (resources, path) => {
    const made = await login(app.admin, { resources });
    expect([made.code, made.path.join('.')]).toEqual(['INVALID_ARGUMENT', path]);
  });

  it('accepts up to 50 resources', async () => {
    const resources = Array.from({ length: 50 }, () => ({ type: 'PROJECT', id: newId() }));
    expect(claimsOf(await tokenOf(app, app.admin, { resources }))['res']).toHaveLength(50);
  });

  it('is written to the audit log, without the token', async () => {
    const { authorization, id: userId, credentialId } = await someone('USER');
    const token = await tokenOf(app, authorization);
    const [event, ...others] = await db.auditEvent.findMany({ where: { actorId: userId } });
    expect(others).toEqual([]);
    expect(event).toMatchObject({ action: 'session:login', outcome: 'DONE', targetId: userId, credentialId });
    expect(event?.after).toMatchObject({ sessionId: claimsOf(token)['sid'], method: 'ACCESS_KEY' });
    expect(JSON.stringify(event)).not.toContain(token.split('.')[2]);
  });
});

describe('logout', () => {
  it('ends the token at once, and no other token', async () => {
    const { authorization } = await someone('USER');
    const [one, other] = [await tokenOf(app, authorization), await tokenOf(app, authorization)];
    expect(await logout(one)).toEqual({ ended: true });
    expect([await statusOf(one), await statusOf(other), await statusOf(authorization)]).toEqual([
      401, 200, 200,
    ]);
  });

  it('refuses an access key, which has no token to end', async () => {
    const { authorization } = await someone('USER');
    expect(await logout(authorization)).toEqual({ ended: false });
    expect(await statusOf(authorization)).toBe(200);
  });

  it('succeeds once when many calls log out at the same time', async () => {
    const { authorization, id: userId } = await someone('USER');
    const token = await tokenOf(app, authorization);
    const before = await db.accessChange.count({ where: { userId } });
    const answers = await Promise.all(
      Array.from({ length: 10 }, () =>
        app.ask('mutation { logout { ... on LogoutPayload { ended } } }', {}, token),
      ),
    );
    for (const { status, data } of answers) expect(status === 401 || data.logout.ended).toBe(true);
    expect(answers.some(({ status }) => status === 200)).toBe(true);
    expect(await db.auditEvent.count({ where: { actorId: userId, action: 'session:logout' } })).toBe(1);
    expect(await db.accessChange.count({ where: { userId } })).toBe(before + 1);
    expect(await db.revokedSession.count({ where: { userId } })).toBe(1);
  });

  it('is remembered until the token would have expired, also when its key was to expire earlier and was extended', async () => {
    const { authorization, id: userId, credentialId } = await someone('USER');
    const token = await tokenOf(app, authorization, { expiresIn: 'PT1H' });
    await db.credential.update({
      where: { id: credentialId },
      data: { expiresAt: new Date(Date.now() + 60_000) },
    });
    await changeUser(`user-${userId}`, {});
    await logout(token);
    const { expiresAt } = await db.revokedSession.findFirstOrThrow({ where: { userId } });
    expect(expiresAt.getTime() / 1000).toBe(claimsOf(token).exp);
  });

  it('is forgotten by the sweep when the token has expired', async () => {
    const { authorization, id: userId } = await someone('USER');
    await logout(await tokenOf(app, authorization));
    await logout(await tokenOf(app, authorization));
    const { sessionId } = await db.revokedSession.findFirstOrThrow({ where: { userId } });
    await db.revokedSession.update({
      where: { sessionId },
      data: { expiresAt: new Date(Date.now() - 1000) },
    });
    await sweepRevokedSessions();
    const left = await db.revokedSession.findMany({ where: { userId } });
    expect(left).toHaveLength(1);
    expect(left[0]?.sessionId).not.toBe(sessionId);
  });
});

describe('a change of role', () => {
  it('applies to the next call, and ends no token', async () => {
    const { authorization, username } = await someone('USER');
    const token = await tokenOf(app, authorization);
    const role = async () => (await app.ask('{ viewer { role } }', {}, token)).data.viewer.role;
    const register = () =>
      outcome('mutation { registerProject(input: { identifier: "", name: "" }) { __typename } }', {}, token);
    expect([await role(), await register()]).toEqual(['USER', { refused: 'PERMISSION_DENIED' }]);
    await changeUser(username, { role: 'SUPERUSER' });
    expect([await role(), await register()]).toEqual(['SUPERUSER', { __typename: 'InvalidArgumentError' }]);
  });
});

describe('createTokenForUser', () => {
  it('gives administrators tokens for users of their tenant, which record the administrator', async () => {
    const user = await someone('USER');
    const made = await tokenFor(app.admin, { user: { username: user.username }, expiresIn: 'PT5M' });
    const token = `Bearer ${made.token}`;
    expect(Date.parse(made.expiresAt) - Number(claimsOf(token).iat) * 1000).toBeLessThanOrEqual(301_000);
    expect((await app.ask('{ viewer { id role } }', {}, token)).data.viewer).toEqual({
      id: user.id,
      role: 'USER',
    });
    const admin = await db.user.findFirstOrThrow({ where: { username: 'admin' } });
    expect(claimsOf(token)['act']).toEqual({ sub: admin.id, ver: admin.version });
    const renewed = await tokenOf(app, token);
    expect(claimsOf(renewed)['act']).toEqual({ sub: admin.id, ver: admin.version });
    const events = await db.auditEvent.findMany({ where: { targetId: user.id }, orderBy: { id: 'asc' } });
    expect(events.map(({ action, actorName, realActorName }) => [action, actorName, realActorName])).toEqual([
      ['token:createForOthers', 'admin', null],
      ['session:login', user.username, 'admin'],
    ]);
  });

  it('gives every user tokens for itself, and refuses other users before it looks for them', async () => {
    const [one, other] = [await someone('USER'), await someone('USER')];
    expect(
      claimsOf((await tokenFor(one.authorization, { user: { id: one.id } })).token)['act'],
    ).toBeUndefined();
    expect(
      (await tokenFor(one.authorization, { user: { username: one.username.toUpperCase() } })).token,
    ).toBeTruthy();
    for (const user of [{ id: other.id }, { username: other.username }, { username: 'nobody' }])
      expect(await tokenFor(one.authorization, { user })).toEqual({ refused: 'PERMISSION_DENIED' });
    expect(await tokenFor(one.authorization, { user: { id: one.id }, tenant: { id: newId() } })).toEqual({
      refused: 'PERMISSION_DENIED',
    });
  });

  it('refuses a token for a user with a higher role, and for a user of another tenant unless ROOT or SYSTEM asks', async () => {
    const tenantId = await newTenant(`tokens ${newId()}`);
    const [stranger, root, system] = [
      await someone('USER', { tenantId }),
      await someone('ROOT'),
      await someone('SYSTEM'),
    ];
    for (const user of [{ id: root.id }, { id: system.id }])
      expect(await tokenFor(app.admin, { user })).toEqual({ refused: 'PERMISSION_DENIED' });
    expect(await tokenFor(system.authorization, { user: { id: root.id } })).toEqual({
      refused: 'PERMISSION_DENIED',
    });
    const hidden = await tokenFor(app.admin, { user: { id: stranger.id } });
    const absent = await tokenFor(app.admin, { user: { id: newId() } });
    expect([hidden.code, absent.code]).toEqual(['NOT_FOUND', 'NOT_FOUND']);
    expect(await tokenFor(app.admin, { user: { id: stranger.id }, tenant: { id: tenantId } })).toEqual({
      refused: 'PERMISSION_DENIED',
    });
    const { name } = await db.tenant.findUniqueOrThrow({ where: { id: tenantId } });
    for (const { authorization } of [root, system])
      for (const input of [
        { user: { username: stranger.username }, tenant: { id: tenantId } },
        { user: { username: `${name}/${stranger.username}` } },
      ]) {
        const { token } = await tokenFor(authorization, input);
        expect(await statusOf(`Bearer ${token}`)).toBe(200);
      }
  });

  it('does not find a user in another tenant than the one that is named', async () => {
    const [root, user] = [await someone('ROOT'), await someone('USER')];
    const tenant = { id: await newTenant(`named ${newId()}`) };
    for (const by of [{ id: user.id }, { username: `default/${user.username}` }])
      expect(await tokenFor(root.authorization, { user: by, tenant })).toMatchObject({ code: 'NOT_FOUND' });
  });

  it('gives a token that has the scopes of the one who asks', async () => {
    const scopes = ['token:createForOthers', 'project:list'];
    const [asker, user] = [await someone('ADMIN', { scopes }), await someone('ADMIN')];
    const token = `Bearer ${(await tokenFor(asker.authorization, { user: { id: user.id } })).token}`;
    expect(await outcome('{ projects { __typename } }', {}, token)).toEqual({
      __typename: 'ProjectConnection',
    });
    expect(await outcome('{ queues { __typename } }', {}, token)).toEqual({ refused: 'PERMISSION_DENIED' });
    const narrow = await someone('ADMIN', { scopes: ['token:validate'] });
    expect(await tokenFor(narrow.authorization, { user: { id: user.id } })).toEqual({
      refused: 'PERMISSION_DENIED',
    });
  });

  it('answers NOT_FOUND for a disabled user, and gives tokens that end with the sign-in of either user', async () => {
    const disabled = await someone('USER');
    await changeUser(disabled.username, { disabledAt: new Date() });
    expect((await tokenFor(app.admin, { user: { id: disabled.id } })).code).toBe('NOT_FOUND');
    const ends: ((asker: User, user: User) => Promise<unknown>)[] = [
      (asker) => changeUser(asker.username, { version: { increment: 1 } }),
      (asker) => changeUser(asker.username, { role: 'USER' }),
      (_asker, { username }) => changeUser(username, { role: 'ROOT' }),
      (asker) =>
        changeUser(asker.username, {
          credentials: { updateMany: { where: {}, data: { revokedAt: new Date() } } },
        }),
      (_asker, { username }) => changeUser(username, { disabledAt: new Date() }),
    ];
    for (const end of ends) {
      const [asker, user] = [await someone('ADMIN'), await someone('USER')];
      const token = `Bearer ${(await tokenFor(asker.authorization, { user: { id: user.id } })).token}`;
      expect(await statusOf(token)).toBe(200);
      await end(asker, user);
      expect(await statusOf(token)).toBe(401);
    }
  });
});

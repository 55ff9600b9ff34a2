import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { type Answer, type App, basic, startApp } from '../support/app.ts';
import { createUser, deleteUser, editUser, password, updateUserAdmin, viewerOf } from '../support/people.ts';
import { registerProject } from '../support/seed.ts';
import { newCaller, newGroup, newTenant, newUser } from '../support/users.ts';

let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
});
afterAll(() => app.stop());

let made = 0;
const person = (input: object = {}) =>
  createUser(app, { username: `person-${++made}`, password, ...input }).then(({ user }) => user);
const tokenOf = async ({ username }: Answer) => {
  const document = 'mutation { login { ... on LoginPayload { token } } }';
  return `Bearer ${(await app.ask(document, {}, basic(username, password))).data.login.token}`;
};

describe('editUser', () => {
  it('changes the given fields, answers them, and reports when nothing changed', async () => {
    const { id } = await person({ email: 'old@example.com', avatar: 'https://example.com/a.png' });
    const input = {
      ...{ by: { id }, username: 'Renamed', email: null, name: 'New', givenName: 'N', avatar: null },
      ...{ role: 'SUPERUSER', defaultLevel: 'USE' },
    };
    const fields = ['username', 'email', 'name', 'givenName', 'avatar', 'role', 'defaultLevel'];
    const first = await editUser(app, input);
    expect(first).toMatchObject({
      updated: 1,
      user: {
        username: 'Renamed',
        email: null,
        name: 'New',
        givenName: 'N',
        avatar: null,
        role: 'SUPERUSER',
      },
    });
    expect(first.fields.sort()).toEqual([...fields].sort());
    const again = await editUser(app, input);
    expect(again).toMatchObject({ updated: 0, user: { defaultLevel: 'USE' } });
    expect(again.fields.sort()).toEqual([...fields].sort());
  });

  it.each([
    ['givenName', 'Ada'],
    ['familyName', 'Lovelace'],
    ['avatar', 'https://example.com/ada.png'],
  ])('sets %s, and removes it with null or with an empty text', async (field, value) => {
    const { id } = await person();
    for (const empty of [null, '']) {
      expect((await editUser(app, { by: { id }, [field]: value })).user).toMatchObject({ [field]: value });
      expect((await editUser(app, { by: { id }, [field]: empty })).user).toMatchObject({ [field]: null });
    }
    const made = await person({ [field]: '' });
    expect(made).toMatchObject({ [field]: null });
  });

  it('changes nothing where null is given for what cannot be removed', async () => {
    const { id, username } = await person({ name: 'Kept' });
    const nothing = { username: null, name: null, role: null, disabled: null };
    const answer = await editUser(app, { by: { id }, givenName: 'New', ...nothing });
    expect(answer).toMatchObject({ fields: ['givenName'], user: { username, name: 'Kept', role: 'USER' } });
  });

  it('lets nobody back in who is disabled, unless it says so', async () => {
    const { id } = await person();
    await editUser(app, { by: { id }, disabled: true });
    const { user } = await editUser(app, { by: { id }, name: 'Still out' });
    expect(user).toMatchObject({ name: 'Still out', disabledAt: expect.any(String) });
  });

  it('changes users whom a file declared once, while the server has no such file', async () => {
    const { id } = await person();
    await db.user.update({ where: { id }, data: { isFixed: true } });
    expect(await editUser(app, { by: { id }, name: 'Free' })).toMatchObject({ user: { name: 'Free' } });
    const { data } = await app.ask('{ fixedUsersMode { enabled guest { enabled } } }');
    expect(data.fixedUsersMode).toEqual({ enabled: false, guest: { enabled: false } });
  });

  it('refuses an input without changes', async () => {
    const { id } = await person();
    expect(await editUser(app, { by: { id } })).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(await editUser(app, { by: { id }, role: null })).toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('lets users change their own names and avatar only', async () => {
    const { id, username } = await person();
    const self = basic(username, password);
    const own = { by: { id }, name: 'Me', givenName: 'M', familyName: 'E', avatar: 'https://example.com/me' };
    expect(await editUser(app, own, self)).toMatchObject({ updated: 1, user: { name: 'Me' } });
    for (const change of [
      { role: 'ADMIN' },
      { role: 'USER' },
      { username: 'boss' },
      { email: 'boss@example.com' },
      { defaultLevel: 'MANAGE' },
      { disabled: false },
    ])
      expect(await editUser(app, { by: { id }, name: 'Not me', ...change }, self)).toMatchObject({
        code: 'PERMISSION_DENIED',
        refused: expect.any(String),
      });
    expect(await viewerOf(app, self)).toMatchObject({ name: 'Me', role: 'USER' });
  });

  it('is PERMISSION_DENIED for other users, whether the user exists or not, and NOT_FOUND for administrators', async () => {
    const { id } = await person();
    for (const role of ['SUPERUSER', 'USER'] as const) {
      const caller = await newCaller({ role, level: 'MANAGE' });
      for (const by of [{ id }, { username: 'nobody' }])
        expect(await editUser(app, { by, name: 'x' }, caller)).toMatchObject({ code: 'PERMISSION_DENIED' });
    }
    const foreigner = await newCaller({ role: 'ADMIN', tenantId: await newTenant(`tenant-${++made}`) });
    expect(await editUser(app, { by: { id }, name: 'x' }, foreigner)).toMatchObject({ code: 'NOT_FOUND' });
    expect(await editUser(app, { by: { username: 'nobody' }, name: 'x' })).toMatchObject({
      code: 'NOT_FOUND',
      refused: expect.any(String),
    });
  });

  it('names the field whose value another user has, and accepts the own name again', async () => {
    const [one, other] = [await person({ email: 'one@example.com' }), await person()];
    const by = { id: other.id };
    expect(await editUser(app, { by, username: one.username.toUpperCase() })).toMatchObject({
      ...{ code: 'ALREADY_EXISTS', path: ['input', 'username'] },
    });
    expect(await editUser(app, { by, email: 'ONE@example.com' })).toMatchObject({
      ...{ code: 'ALREADY_EXISTS', path: ['input', 'email'] },
    });
    const taken = { username: one.username, email: 'one@example.com' };
    expect(await editUser(app, { by, ...taken })).toMatchObject({ path: ['input', 'username'] });
    expect(await editUser(app, { by, ...taken, username: 'not-taken' })).toMatchObject({
      ...{ code: 'ALREADY_EXISTS', path: ['input', 'email'] },
    });
    expect(await editUser(app, { by, email: 'Two@Example.com' })).toMatchObject({ updated: 1 });
    expect(await editUser(app, { by: { email: 'two@example.com' }, name: 'Two' })).toMatchObject({
      user: { id: other.id, email: 'Two@Example.com' },
    });
    expect(await editUser(app, { by, username: other.username.toUpperCase() })).toMatchObject({ updated: 1 });
    expect(await editUser(app, { by, username: 'a:b', name: ' ' })).toMatchObject({
      problems: [{ path: ['input', 'username'] }, { path: ['input', 'name'] }],
    });
  });

  it('refuses a role above the role of the caller, and users with a higher role', async () => {
    const { id } = await person();
    for (const role of ['ROOT', 'SYSTEM'])
      expect(await editUser(app, { by: { id }, role })).toMatchObject({ code: 'PERMISSION_DENIED' });
    const [root, system] = [await newCaller({ role: 'ROOT' }), await newCaller({ role: 'SYSTEM' })];
    for (const caller of [root, system])
      for (const change of [{ name: 'x' }, { role: 'USER' }, { disabled: true }]) {
        const by = { id: (await viewerOf(app, caller)).id };
        expect(await editUser(app, { by, ...change })).toMatchObject({ code: 'PERMISSION_DENIED' });
      }
    expect(await editUser(app, { by: { id }, role: 'SYSTEM' }, root)).toMatchObject({
      ...{ code: 'INVALID_ARGUMENT', path: ['input', 'role'] },
    });
    expect(await editUser(app, { by: { id }, role: 'ROOT' }, root)).toMatchObject({ user: { role: 'ROOT' } });
  });

  it('with scopes gives no role that administers, but any other one', async () => {
    const { authorization } = await newUser({ role: 'ADMIN', scopes: ['user:*'] });
    const by = { id: (await person()).id };
    expect(await editUser(app, { by, role: 'ADMIN' }, authorization)).toMatchObject({
      code: 'PERMISSION_DENIED',
    });
    expect(await editUser(app, { by, role: 'SUPERUSER' }, authorization)).toMatchObject({ updated: 1 });
    await editUser(app, { by, role: 'ADMIN' });
    // It has the role already.
    expect(await editUser(app, { by, role: 'ADMIN', name: 'A' }, authorization)).toMatchObject({
      updated: 1,
    });
  });

  it('applies a new role to the next call of an old token', async () => {
    const user = await person({ role: 'SUPERUSER' });
    const token = await tokenOf(user);
    const users = () => app.ask('{ users(first: 1) { edges { cursor } } }', {}, token);
    expect((await users()).errors).toBeUndefined();
    await editUser(app, { by: { id: user.id }, role: 'USER' });
    expect((await users()).errors?.[0]?.extensions.code).toBe('PERMISSION_DENIED');
    await editUser(app, { by: { id: user.id }, role: 'SUPERUSER' });
    expect((await users()).errors).toBeUndefined();
  });

  it('ends all access of a disabled user at once, and old tokens for good', async () => {
    const user = await person();
    const token = await tokenOf(user);
    const disabled = await editUser(app, { by: { id: user.id }, disabled: true });
    expect(disabled.user.disabledAt).toBeTruthy();
    expect(await viewerOf(app, token)).toBeNull();
    expect(await viewerOf(app, basic(user.username, password))).toBeNull();
    expect(await editUser(app, { by: { id: user.id }, disabled: true })).toMatchObject({ updated: 0 });
    await editUser(app, { by: { id: user.id }, disabled: false });
    expect(await viewerOf(app, token)).toBeNull();
    expect(await viewerOf(app, basic(user.username, password))).toMatchObject({ id: user.id });
  });

  it('records the values before and after in the audit log', async () => {
    const { id } = await person();
    await editUser(app, { by: { id }, role: 'GUEST', name: 'Visitor' });
    const row = await db.auditEvent.findFirstOrThrow({ where: { action: 'user:update', targetId: id } });
    expect(row).toMatchObject({ before: { role: 'USER' }, after: { role: 'GUEST', name: 'Visitor' } });
  });
});

describe('updateUserAdmin', () => {
  it('makes any user an ADMIN, and an administrator a USER; other roles stay', async () => {
    const { id } = await person({ role: 'SUPERUSER' });
    const by = { id };
    expect((await updateUserAdmin(app, { by, isAdmin: false })).user).toMatchObject({ role: 'SUPERUSER' });
    expect((await updateUserAdmin(app, { by, isAdmin: true })).user).toMatchObject({
      role: 'ADMIN',
      isAdmin: true,
    });
    expect((await updateUserAdmin(app, { by, isAdmin: true })).user).toMatchObject({ role: 'ADMIN' });
    expect((await updateUserAdmin(app, { by, isAdmin: false })).user).toMatchObject({
      role: 'USER',
      isAdmin: false,
    });
  });

  it('refuses to change ROOT and SYSTEM users, whoever asks', async () => {
    const root = await newCaller({ role: 'ROOT' });
    const other = await viewerOf(app, await newCaller({ role: 'ROOT' }));
    const system = await viewerOf(app, await newCaller({ role: 'SYSTEM' }));
    for (const { id } of [other, system])
      for (const isAdmin of [true, false])
        for (const caller of [root, app.admin])
          expect(await updateUserAdmin(app, { by: { id }, isAdmin }, caller)).toMatchObject({
            code: 'FAILED_PRECONDITION',
          });
  });

  it('requires an administrator, also for the own user', async () => {
    const { id, username } = await person();
    for (const caller of [basic(username, password), await newCaller({ role: 'SUPERUSER' })])
      expect(await updateUserAdmin(app, { by: { id }, isAdmin: true }, caller)).toMatchObject({
        code: 'PERMISSION_DENIED',
      });
  });
});

describe('deleteUser', () => {
  it('removes sign-ins, memberships and grants, and keeps the objects of the user', async () => {
    const admin = await person({ role: 'ADMIN' });
    const token = await tokenOf(admin);
    const projectId = await registerProject(
      { ...app, ask: (d, v) => app.ask(d, v, token) },
      'of-the-deleted',
    );
    await newGroup('gone', [admin]);
    expect(await db.grant.count({ where: { userId: admin.id } })).toBe(1);
    expect(await deleteUser(app, { by: { username: admin.username } })).toMatchObject({
      user: { id: admin.id },
    });
    expect(await viewerOf(app, token)).toBeNull();
    expect(await viewerOf(app, basic(admin.username, password))).toBeNull();
    const where = { where: { userId: admin.id } };
    expect([
      await db.grant.count(where),
      await db.groupMember.count(where),
      await db.credential.count(where),
      await db.revokedSession.count(where),
    ]).toEqual([0, 0, 0, 0]);
    expect(await db.project.count({ where: { id: projectId } })).toBe(1);
    const again = await person({ username: admin.username });
    expect(again.id).not.toBe(admin.id);
    expect(await deleteUser(app, { by: { id: admin.id } })).toMatchObject({ code: 'NOT_FOUND' });
  });

  it('refuses the user itself and every role below ADMIN', async () => {
    const { id, username } = await person();
    for (const caller of [basic(username, password), await newCaller({ role: 'SUPERUSER' })])
      for (const by of [{ id }, { username: 'nobody' }])
        expect(await deleteUser(app, { by }, caller)).toMatchObject({ code: 'PERMISSION_DENIED' });
  });

  it('lets an administrator delete service accounts, but no ROOT user', async () => {
    const robot = (await createUser(app, { username: 'executor-2', kind: 'SERVICE_ACCOUNT', role: 'SYSTEM' }))
      .user;
    expect(await deleteUser(app, { by: { id: robot.id } })).toMatchObject({ user: { id: robot.id } });
    const { id } = await viewerOf(app, await newCaller({ role: 'ROOT' }));
    expect(await deleteUser(app, { by: { id } })).toMatchObject({ code: 'PERMISSION_DENIED' });
  });
});

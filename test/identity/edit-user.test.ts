import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { type Answer, type App, basic, startApp } from '../support/app.ts';
import { createUser, deleteUser, editUser, password, updateUserAdmin, viewerOf } from '../support/people.ts';
import { registerProject } from '../support/seed.ts';
import { newCaller, newGroup, newTenant } from '../support/users.ts';

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
    expect(await editUser(app, { by: { id }, role: 'ROOT' }, root)).toMatchObject({ user: { role: 'ROOT' } });
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

/** A separate tenant with administrators who sign in with access keys. */
async function tenantWith(administrators: number): Promise<{ callers: string[]; ids: string[] }> {
  const tenantId = await newTenant(`guarded-${++made}`);
  const callers: string[] = [];
  for (let at = 0; at < administrators; at += 1) callers.push(await newCaller({ role: 'ADMIN', tenantId }));
  const ids = await Promise.all(callers.map(async (caller) => (await viewerOf(app, caller)).id));
  return { callers, ids };
}

const activeAdministrators = (ids: readonly string[]) =>
  db.user.count({ where: { id: { in: [...ids] }, role: 'ADMIN', disabledAt: null } });

describe('administrators', () => {
  it('cannot demote, disable or delete themselves', async () => {
    const { callers, ids } = await tenantWith(2);
    const by = { id: ids[0] };
    const [caller] = callers;
    for (const answer of [
      await editUser(app, { by, role: 'USER' }, caller),
      await editUser(app, { by, disabled: true }, caller),
      await updateUserAdmin(app, { by, isAdmin: false }, caller),
      await deleteUser(app, { by }, caller),
    ])
      expect(answer).toMatchObject({ __typename: 'FailedPreconditionError' });
    expect(await editUser(app, { by, role: 'ADMIN', disabled: false }, caller)).toMatchObject({ updated: 0 });
    expect(await activeAdministrators(ids)).toBe(2);
  });

  it('always include at least one: the last one cannot be removed, not even by ROOT', async () => {
    const { ids } = await tenantWith(2);
    const root = await newCaller({ role: 'ROOT' });
    const [one, last] = ids;
    expect(await editUser(app, { by: { id: one }, disabled: true }, root)).toMatchObject({ updated: 1 });
    for (const answer of [
      await editUser(app, { by: { id: last }, role: 'USER' }, root),
      await editUser(app, { by: { id: last }, disabled: true }, root),
      await updateUserAdmin(app, { by: { id: last }, isAdmin: false }, root),
      await deleteUser(app, { by: { id: last } }, root),
    ])
      expect(answer).toMatchObject({ code: 'FAILED_PRECONDITION', message: expect.stringContaining('last') });
    // A disabled administrator does not count, so it may be deleted.
    expect(await deleteUser(app, { by: { id: one } }, root)).toMatchObject({ user: { id: one } });
  });

  it.each([
    ['demote', (by: object, caller?: string) => editUser(app, { by, role: 'USER' }, caller)],
    ['disable', (by: object, caller?: string) => editUser(app, { by, disabled: true }, caller)],
    ['unmake', (by: object, caller?: string) => updateUserAdmin(app, { by, isAdmin: false }, caller)],
    ['delete', (by: object, caller?: string) => deleteUser(app, { by }, caller)],
  ])('who %s each other at the same time leave one administrator', async (_verb, act) => {
    const tenants = await Promise.all(Array.from({ length: 12 }, () => tenantWith(2)));
    const answers = await Promise.all(
      tenants.flatMap(({ callers, ids }) => [
        act({ id: ids[1] }, callers[0]),
        act({ id: ids[0] }, callers[1]),
      ]),
    );
    for (const { ids } of tenants) expect(await activeAdministrators(ids)).toBe(1);
    // The later calls were refused: because one administrator must remain, or because the caller was not an
    // administrator any more.
    expect(answers.filter((answer) => !answer?.code)).toHaveLength(12);
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

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Answer, App } from '../support/app.ts';

const folder = mkdtempSync(join(tmpdir(), 'slipway-fixed-users-'));
const file = join(folder, 'users.json');
const password = 'of the fixed user';
const guest = { enabled: true, name: 'Visitor', username: 'visitor', password: 'welcome' };
const bea = { username: 'Bea', password, name: 'Bea B.', role: 'ADMIN' };
const carl = { username: 'carl', password: 'of carl the second', name: 'Carl', tenant: 'works' };

writeFileSync(file, JSON.stringify({ enabled: true, users: [bea, carl], guest }));
// The configuration is read when it is first imported.
vi.stubEnv('FIXED_USERS_FILE', file);
const { basic, startApp } = await import('../support/app.ts');
const { newKey, tokenOf } = await import('../support/users.ts');
const { endOf, mutate } = await import('../support/mutate.ts');
const { createUser, deleteUser, editUser, updatePreferences, updateUserAdmin, updateUserPassword, viewerOf } =
  await import('../support/people.ts');
const { keepFixedUsers } = await import('../../src/identity/commands/keep-fixed-users.ts');
const { fixedUsers, readFixedUsers } = await import('../../src/identity/fixed-users.ts');
const { isGuestAccount } = await import('../../src/identity/shared-identities.ts');
const { hashPassword } = await import('../../src/identity/passwords.ts');
const { newAccessKey } = await import('../../src/identity/domain/secrets.ts');
const { db } = await import('../../src/platform/database/client.ts');

let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await keepFixedUsers();
});
afterAll(async () => {
  await app.stop();
  rmSync(folder, { recursive: true });
});

const rowOf = (username: string) => db.user.findFirstOrThrow({ where: { usernameKey: username } });

function read(content: unknown) {
  const path = join(folder, 'other.json');
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return () => readFixedUsers(path);
}

describe('the file of fixed users', () => {
  const user = { username: 'a', password, name: 'A' };
  it.each([
    ['no JSON', '{ "password": "hunter2hunter2"', 'the file is not valid JSON'],
    ['a name twice', { enabled: true, users: [user, { ...user, username: 'Ａ' }] }, 'declared twice'],
    ['a name of the guest', { enabled: true, users: [{ ...user, username: 'Visitor' }], guest }, 'twice'],
    ['a role above ADMIN', { enabled: true, users: [{ ...user, role: 'ROOT' }] }, 'users.0.role'],
    ['a short password', { enabled: true, users: [{ ...user, password: 'short' }] }, 'users.0.password'],
    ['a wrong name', { enabled: true, users: [{ ...user, username: 'a:b' }] }, 'users.0.username'],
    ['a word that it does not know', { enabled: true, user: [] }, 'user'],
    ['no argon2id', { enabled: true, passHashed: true, users: [{ ...user, password: '$2b$12$abc' }] }, 'PHC'],
    [
      'a hash that takes too long to check',
      {
        ...{ enabled: true, passHashed: true },
        users: [{ ...user, password: `$argon2id$v=19$m=999999,t=9,p=1$${'a'.repeat(22)}$${'a'.repeat(43)}` }],
      },
      'takes too long to check',
    ],
  ])('prevents the start with %s, and shows no password', (_what, content, message) => {
    expect(read(content)).toThrow(message);
    try {
      read(content)();
    } catch (error) {
      expect((error as Error).name).toBe('ConfigurationError');
      expect((error as Error).message).not.toMatch(/hunter2|of the fixed user|short"|\$2b/);
    }
  });

  it.each([
    ['no object', [], 'file: '],
    ['a name without characters', { enabled: true, users: [{ ...user, name: '' }] }, 'users.0.name'],
    [
      'a name that is too long',
      { enabled: true, users: [{ ...user, name: 'x'.repeat(256) }] },
      'users.0.name',
    ],
    ['a long password', { enabled: true, users: [{ ...user, password: 'x'.repeat(1025) }] }, '12 to 1024'],
    [
      'more than 1000 users',
      { enabled: true, users: Array.from({ length: 1001 }, (_, at) => ({ ...user, username: `u${at}` })) },
      'users: ',
    ],
  ])('prevents the start with %s', (_what, content, message) => {
    expect(read(content)).toThrow(message);
  });

  const withCosts = (costs: string) =>
    read({
      ...{ enabled: true, passHashed: true },
      users: [{ ...user, password: `$argon2id$v=19$${costs}$${'a'.repeat(22)}$${'a'.repeat(43)}` }],
    });

  it.each(['m=262144,t=10,p=16', 'm=8,t=1,p=1'])('accepts hashes that can be checked: %s', (costs) => {
    expect(withCosts(costs)).not.toThrow();
  });

  it.each([
    ...['m=262145,t=10,p=16', 'm=262144,t=11,p=16', 'm=262144,t=10,p=17'],
    ...['m=8,t=0,p=1', 'm=8,t=1,p=0'],
  ])('refuses hashes that cost more, or have no costs: %s', (costs) => {
    expect(withCosts(costs)).toThrow('takes too long to check');
  });

  it('may declare 1000 users with names of 255 characters', () => {
    const users = Array.from({ length: 1000 }, (_, at) => ({
      ...user,
      ...{ username: `u${at}`, name: 'x'.repeat(255) },
    }));
    expect(read({ enabled: true, users })().users).toHaveLength(1000);
  });

  it.each([
    ['declared and enabled', { enabled: true, guest }, guest],
    ['not declared', { enabled: true }, null],
    ['switched off', { enabled: true, guest: { ...guest, enabled: false } }, null],
    ['in a mode that is off', { enabled: false, guest }, null],
  ])('has a guest only if it is declared and everything is enabled: %s', (_what, content, found) => {
    expect(read(content)().guest).toEqual(found);
  });

  it('prevents the start when it does not exist', () => {
    expect(() => readFixedUsers(join(folder, 'none.json'))).toThrow('FIXED_USERS_FILE');
  });
});

describe('fixed users', () => {
  it('can sign in with their passwords, and have the declared roles and tenants', async () => {
    expect(await viewerOf(app, basic('bea', password))).toMatchObject({
      ...{ username: 'Bea', name: 'Bea B.', role: 'ADMIN', isFixed: true, tenant: { name: 'default' } },
    });
    expect(await viewerOf(app, basic('carl', carl.password))).toMatchObject({
      ...{ role: 'USER', tenant: { name: 'works' }, groups: [{ name: 'everyone' }] },
    });
  });

  it('keep id, hash, tokens and access keys when their declaration does not change', async () => {
    const before = await rowOf('bea');
    const { authorization } = await newKey(before);
    await keepFixedUsers();
    expect(await rowOf('bea')).toEqual(before);
    const other = { ...fixedUsers(), users: [{ ...bea, name: 'B', role: 'ADMIN' as const, tenant: null }] };
    await keepFixedUsers({ ...other, deletesMissing: false });
    expect(await rowOf('bea')).toMatchObject({ id: before.id, name: 'B', version: before.version });
    expect(await viewerOf(app, authorization)).toMatchObject({ id: before.id });
    await keepFixedUsers();
  });

  it('lose old sign-ins with a new password, also when many servers start at the same time', async () => {
    const before = await rowOf('carl');
    const users = [{ ...carl, role: 'USER' as const, password: 'of carl the third' }];
    const declared = { ...fixedUsers(), users, deletesMissing: false };
    await Promise.all(Array.from({ length: 6 }, () => keepFixedUsers(declared)));
    expect(await rowOf('carl')).toMatchObject({ id: before.id, version: before.version + 1 });
    expect(await viewerOf(app, basic('carl', carl.password))).toBeNull();
    expect(await viewerOf(app, basic('carl', 'of carl the third'))).toMatchObject({ id: before.id });
    await keepFixedUsers();
  });

  it('may be declared with hashes', async () => {
    const hash = await hashPassword('hashed elsewhere');
    const users = [{ username: 'dora', password: hash, name: 'Dora' }];
    const declared = read({ enabled: true, passHashed: true, deleteMissing: false, users })();
    await keepFixedUsers(declared);
    const { version } = await rowOf('dora');
    await keepFixedUsers(declared);
    expect(await rowOf('dora')).toMatchObject({ passwordHash: hash, version });
    expect(await viewerOf(app, basic('dora', 'hashed elsewhere'))).toMatchObject({ isFixed: true });
  });

  it('are deleted when they are no longer declared, and no other user is', async () => {
    const made = (await createUser(app, { username: 'made-in-the-product' })).user;
    const users = [{ ...carl, role: 'USER' as const, username: 'passing' }];
    await keepFixedUsers({ ...fixedUsers(), users, deletesMissing: false });
    expect(await db.user.count({ where: { username: { in: ['passing', 'Bea'] } } })).toBe(2);
    await keepFixedUsers();
    expect(await db.user.count({ where: { username: 'passing' } })).toBe(0);
    expect(await db.user.count({ where: { id: made.id } })).toBe(1);
  });

  it('are in the audit log when they are created, changed and deleted, and no hash is', async () => {
    const user = { username: 'logged', password, name: 'Old', role: 'USER' as const, tenant: 'of the log' };
    const declare = (users: readonly (typeof user)[]) =>
      keepFixedUsers({ ...fixedUsers(), users: [...fixedUsers().users, ...users] });
    await declare([user]);
    const { id, tenantId } = await rowOf('logged');
    await declare([{ ...user, name: 'New', role: 'ADMIN' } as never]);
    await declare([]);
    const rows = await db.auditEvent.findMany({ where: { tenantId }, orderBy: { id: 'asc' } });
    const [old, renamed] = [
      { username: 'logged', name: 'Old', role: 'USER' },
      { username: 'logged', name: 'New', role: 'ADMIN' },
    ];
    expect(rows.map(({ action, targetId, before, after }) => [action, targetId, before, after])).toEqual([
      ['tenant:create', tenantId, null, { name: 'of the log' }],
      ['user:create', id, null, { ...old, isFixed: true }],
      ['user:update', id, old, { ...renamed, isFixed: true }],
      ['user:delete', id, { username: 'logged', role: 'ADMIN', isFixed: true }, null],
    ]);
    expect(await db.accessChange.count({ where: { userId: id, kind: 'PRINCIPAL' } })).toBe(3);
  });

  it('prevent the start when a user of that name was created over the API', async () => {
    await createUser(app, { username: 'older' });
    const users = [{ ...bea, role: 'ADMIN' as const, username: 'OLDER', tenant: null }];
    await expect(keepFixedUsers({ ...fixedUsers(), users, deletesMissing: false })).rejects.toThrow(
      'who already exists',
    );
    await keepFixedUsers();
  });

  it('cannot be changed over the API, neither by administrators nor by themselves', async () => {
    const { id } = await rowOf('bea');
    const by = { id };
    const self = basic('bea', password);
    for (const answer of [
      await editUser(app, { by, name: 'x' }),
      await editUser(app, { by, disabled: true }),
      await editUser(app, { by, name: 'x' }, self),
      await updateUserAdmin(app, { by, isAdmin: false }),
      await updateUserPassword(app, { by, password: 'another password' }),
      await updateUserPassword(app, { password: 'another password', currentPassword: password }, self),
      await deleteUser(app, { by }),
    ])
      expect(answer).toMatchObject({ __typename: 'FailedPreconditionError' });
    expect(await updatePreferences(app, { preferences: { theme: 'dark' } }, self)).toMatchObject({
      updated: 1,
    });
  });
});

describe('the guest', () => {
  it('has the role GUEST in the tenant guests, and is marked as the guest account', async () => {
    const row = await rowOf('visitor');
    const viewer = await viewerOf(app, await tokenOf(app, basic('visitor', 'welcome')));
    expect(viewer).toMatchObject({ role: 'GUEST', name: 'Visitor', tenant: { name: 'guests' } });
    expect(isGuestAccount(row.id)).toBe(true);
    expect(isGuestAccount((await rowOf('bea')).id)).toBe(false);
  });

  it('can take and end a token, and change nothing about itself', async () => {
    const token = await tokenOf(app, basic('visitor', 'welcome'));
    const { id } = await rowOf('visitor');
    const keys = await app.ask('{ credentials { edges { node { id } } } }', {}, token);
    expect(keys.errors).toMatchObject([{ extensions: { code: 'PERMISSION_DENIED' } }]);
    for (const [field, input] of [
      ['createCredentials', { label: 'for ever' }],
      ['editCredentials', { by: { accessKey: newAccessKey() }, label: 'x' }],
      ['revokeCredentials', { by: { accessKey: newAccessKey() } }],
      ['createTokenForUser', { user: { id } }],
      ['updatePreferences', { preferences: { theme: 'dark' } }],
      ['editUser', { by: { id }, name: 'x' }],
      ['editUser', { by: { id }, email: 'x@example.com' }],
      ['updateUserPassword', { password: 'another password', currentPassword: 'welcome' }],
    ] as const)
      expect([field, endOf(await mutate(app, field, input, '', token))]).toEqual([
        field,
        'PERMISSION_DENIED',
      ]);
    expect(await db.credential.count({ where: { userId: id } })).toBe(0);
    const ended = await app.ask('mutation { logout { ... on LogoutPayload { ended } } }', {}, token);
    expect(ended.data.logout).toEqual({ ended: true });
  });

  it('is deleted when it is switched off', async () => {
    await keepFixedUsers({ ...fixedUsers(), guest: null });
    expect(await db.user.count({ where: { usernameKey: 'visitor' } })).toBe(0);
    await keepFixedUsers();
    expect(isGuestAccount((await rowOf('visitor')).id)).toBe(true);
  });
});

describe('fixedUsersMode', () => {
  it('answers everybody, with or without a sign-in, what a sign-in page shows', async () => {
    const document =
      '{ fixedUsersMode { enabled migrationWarning guest { enabled name username password } serverErrors } }';
    const expected: Answer = { enabled: true, migrationWarning: false, guest, serverErrors: [] };
    for (const authorization of [null, app.admin])
      expect((await app.ask(document, {}, authorization)).data.fixedUsersMode).toEqual(expected);
  });
});

describe('a server', () => {
  /** Waits until it is ready or has ended. */
  async function startServer(path: string) {
    const script = fileURLToPath(new URL('../../src/bin/server.ts', import.meta.url));
    const env = { ...process.env, FIXED_USERS_FILE: path, NODE_OPTIONS: '' };
    const server = fork(script, { execArgv: ['--import', 'tsx'], env, silent: true });
    let told = '';
    server.stderr?.on('data', (part) => {
      told += part;
    });
    let isReady = false;
    server.once('message', () => {
      isReady = true;
      server.kill('SIGTERM');
    });
    const [code] = (await once(server, 'close')) as [number | null];
    return { isReady, code, told };
  }

  it('applies the file before it answers requests', async () => {
    const path = join(folder, 'of-the-server.json');
    const users = [{ username: 'of-the-server', password, name: 'S' }];
    writeFileSync(path, JSON.stringify({ enabled: true, deleteMissing: false, users }));
    expect(await startServer(path)).toMatchObject({ isReady: true, code: 0 });
    expect(await viewerOf(app, basic('of-the-server', password))).toMatchObject({ isFixed: true });
  });

  it('does not start with an invalid file', async () => {
    const path = join(folder, 'wrong.json');
    writeFileSync(path, JSON.stringify({ enabled: true, users: [{ ...bea, password: 'short' }] }));
    const { isReady, code, told } = await startServer(path);
    expect([isReady, code]).toEqual([false, 1]);
    expect(told).toContain('users.0.password');
    expect(told).not.toContain('short');
  });
});

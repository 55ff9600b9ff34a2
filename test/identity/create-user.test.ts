import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createOutsideUser } from '../../src/identity/commands/create-outside-user.ts';
import { db } from '../../src/platform/database/client.ts';
import { type App, basic, startApp } from '../support/app.ts';
import { createUser, password, viewerOf } from '../support/people.ts';
import { newCaller, newTenant } from '../support/users.ts';

let app: App;
let otherTenant: string;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  otherTenant = await newTenant('elsewhere');
});
afterAll(() => app.stop());

describe('createUser', () => {
  it('creates a person who can sign in with the password, whatever the case of the name', async () => {
    const made = (await createUser(app, { username: 'Ada', email: 'Ada@Example.com', password })).user;
    expect(made).toMatchObject({
      ...{ username: 'Ada', email: 'Ada@Example.com', name: 'Ada', role: 'USER', kind: 'PERSON' },
      ...{ isAdmin: false, isFixed: false, defaultLevel: null, disabledAt: null },
    });
    expect(await viewerOf(app, basic('aDA', password))).toMatchObject({
      id: made.id,
      tenant: { name: 'default' },
    });
    const { passwordHash } = await db.user.findUniqueOrThrow({ where: { id: made.id } });
    expect(passwordHash).toMatch(/^\$argon2id\$/);
  });

  it('uses the e-mail address as the user name, and the user name as the name, when they are left out', async () => {
    const made = (await createUser(app, { email: 'grace@example.com' })).user;
    expect(made).toMatchObject({ username: 'grace@example.com', name: 'grace@example.com' });
  });

  it('creates a user who cannot sign in by password when none is given', async () => {
    (await createUser(app, { username: 'sso' })).user;
    for (const guess of ['', 'null', password]) expect(await viewerOf(app, basic('sso', guess))).toBeNull();
  });

  it('stores every field that is given', async () => {
    const given = {
      ...{ username: 'all', email: 'all@example.com', name: 'All', givenName: 'A', familyName: 'L' },
      ...{ avatar: 'https://example.com/a.png', role: 'SUPERUSER', defaultLevel: 'READ' },
    };
    expect((await createUser(app, given)).user).toMatchObject(given);
  });

  it('reports all problems together', async () => {
    const input = { username: 'a:b', email: 'nobody', password: 'short', role: 'SYSTEM' };
    const { code, problems } = await createUser(app, input);
    expect(code).toBe('INVALID_ARGUMENT');
    expect(problems.map(({ path }: { path: string[] }) => path.join('.'))).toEqual([
      ...['input.username', 'input.email', 'input.password', 'input.role'],
    ]);
    expect(await createUser(app, { password })).toMatchObject({
      problems: [{ path: ['input', 'username'], code: 'MissingField' }],
    });
    expect(await createUser(app, { name: ' ', kind: 'SERVICE_ACCOUNT', password })).toMatchObject({
      problems: ['username', 'name', 'password'].map((field) => ({ path: ['input', field] })),
    });
  });

  it.each([
    ['the user name', { username: 'ＴＡＫＥＮ' }, 'username'],
    ['the e-mail address', { username: 'another', email: 'TAKEN@example.com' }, 'email'],
    ['the e-mail address that stands in for the name', { email: 'taken' + '@EXAMPLE.com' }, 'email'],
  ])('names the field that is taken: %s', async (_what, input, field) => {
    if (field === 'username') (await createUser(app, { username: 'taken', email: 'taken@example.com' })).user;
    expect(await createUser(app, input)).toMatchObject({
      __typename: 'AlreadyExistsError',
      path: ['input', field],
    });
  });

  it('creates one user when 20 calls use the same name at the same time, and refuses 19', async () => {
    for (const [round, input] of [{ username: 'race' }, { email: 'race@example.com' }].entries()) {
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, at) =>
          createUser(app, { username: round === 0 ? 'race' : `racer-${at}`, ...input, password }),
        ),
      );
      const kinds = answers.map((answer) => answer.__typename).sort();
      expect(kinds).toEqual([...Array(19).fill('AlreadyExistsError'), 'CreateUserPayload']);
    }
  });

  it.each([
    ['SUPERUSER', 'PERMISSION_DENIED'],
    ['USER', 'PERMISSION_DENIED'],
    ['GUEST', 'PERMISSION_DENIED'],
  ] as const)('is not for %s', async (role, code) => {
    const caller = await newCaller({ role, level: 'MANAGE' });
    expect(await createUser(app, { username: `by-${role}` }, caller)).toMatchObject({
      code,
      refused: expect.any(String),
    });
  });

  it.each([
    ['ADMIN', 'ADMIN', 'PERSON', null],
    ['ADMIN', 'ROOT', 'PERSON', 'PERMISSION_DENIED'],
    ['ADMIN', 'ROOT', 'SERVICE_ACCOUNT', 'PERMISSION_DENIED'],
    ['ADMIN', 'SYSTEM', 'PERSON', 'INVALID_ARGUMENT'],
    ['ADMIN', 'SYSTEM', 'SERVICE_ACCOUNT', null],
    ['SYSTEM', 'ROOT', 'PERSON', 'PERMISSION_DENIED'],
    ['ROOT', 'SYSTEM', 'PERSON', 'INVALID_ARGUMENT'],
    ['ROOT', 'ROOT', 'PERSON', null],
  ] as const)('by %s of a %s %s is %s', async (by, role, kind, code) => {
    const caller = await newCaller({ role: by });
    const input = { username: `${by}-${role}-${kind}`, role, kind };
    const answer = await createUser(app, input, caller);
    expect(answer.code ?? null).toBe(code);
    if (!code) expect(answer.user).toMatchObject({ role, kind });
  });

  it('refuses a password for a service account', async () => {
    const input = { username: 'robot', kind: 'SERVICE_ACCOUNT', password };
    expect(await createUser(app, input)).toMatchObject({
      problems: [{ path: ['input', 'password'] }],
    });
  });

  describe('in another tenant', () => {
    it('requires ROOT, or SYSTEM in the first tenant', async () => {
      const root = await newCaller({ role: 'ROOT' });
      const byId = await createUser(app, { username: 'far', tenant: { id: otherTenant } }, root);
      const system = await newCaller({ role: 'SYSTEM' });
      const byName = await createUser(app, { username: 'far-2', tenant: { name: 'elsewhere' } }, system);
      const rows = await db.user.findMany({ where: { id: { in: [byId.user.id, byName.user.id] } } });
      expect(rows.map((row) => row.tenantId)).toEqual([otherTenant, otherTenant]);
    });

    it('refuses administrators and SYSTEM of another tenant, whether the tenant exists or not', async () => {
      const home = (await db.tenant.findFirstOrThrow({ where: { name: 'default' } })).id;
      const foreignSystem = await newCaller({ role: 'SYSTEM', tenantId: otherTenant });
      for (const [tenant, caller] of [
        [{ id: otherTenant }, app.admin],
        [{ name: 'elsewhere' }, app.admin],
        [{ name: 'nowhere' }, app.admin],
        [{ id: home }, foreignSystem],
      ] as const)
        expect(await createUser(app, { username: 'spy', tenant }, caller)).toMatchObject({
          code: 'PERMISSION_DENIED',
        });
      expect(await db.user.count({ where: { username: 'spy' } })).toBe(0);
    });

    it('answers NOT_FOUND for a tenant that does not exist, and accepts the own tenant by name', async () => {
      const root = await newCaller({ role: 'ROOT' });
      expect(await createUser(app, { username: 'lost', tenant: { name: 'nowhere' } }, root)).toMatchObject({
        __typename: 'NotFoundError',
        path: ['input', 'tenant'],
      });
      (await createUser(app, { username: 'at-home', tenant: { name: 'default' } })).user;
    });

    it('allows the same user name in each tenant', async () => {
      const caller = await newCaller({ role: 'ADMIN', tenantId: otherTenant });
      (await createUser(app, { username: 'twin' })).user;
      expect(await createUser(app, { username: 'twin' }, caller)).toMatchObject({
        __typename: 'CreateUserPayload',
      });
    });
  });

  it('records the actor in the audit log, and no password', async () => {
    const { id } = (await createUser(app, { username: 'audited', password: 'a secret of the audit' })).user;
    const row = await db.auditEvent.findFirstOrThrow({ where: { action: 'user:create', targetId: id } });
    expect(row).toMatchObject({ actorName: 'admin', outcome: 'DONE', targetName: 'audited' });
    expect(row.after).toMatchObject({ role: 'USER', hasPassword: true });
    expect(JSON.stringify(row)).not.toMatch(/a secret of the audit|argon2/);
    const change = await db.accessChange.findFirst({ where: { userId: id } });
    expect(change).toMatchObject({ kind: 'PRINCIPAL' });
  });
});

describe('a first sign-in from outside', () => {
  it('creates its user without a password, in a tenant that exists', async () => {
    const outside = { username: 'outside', role: 'USER', source: 'test', address: null, name: null } as const;
    expect(await createOutsideUser({ ...outside, tenant: 'nowhere' })).toBe(false);
    expect(await createOutsideUser({ ...outside, tenant: 'Elsewhere' })).toBe(true);
    const rows = await db.user.findMany({ where: { username: 'outside' } });
    expect(rows).toMatchObject([{ tenantId: otherTenant, name: 'outside', passwordHash: null }]);
  });
});

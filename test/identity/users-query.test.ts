import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { flushDenials } from '../../src/authorization/audit.ts';
import { db } from '../../src/platform/database/client.ts';
import { type Answer, type App, basic, startApp } from '../support/app.ts';
import { answerOf } from '../support/mutate.ts';
import { createGroup, createUser, editUser, password, viewerOf } from '../support/people.ts';
import { countStatements, statementsOf } from '../support/statements.ts';
import { newCaller, newTenant, newUser } from '../support/users.ts';

let app: App;
let ada: Answer;
let asAda: string;
let superuser: string;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  ada = (await createUser(app, { username: 'Ada', email: 'ada@example.com', password, defaultLevel: 'READ' }))
    .user;
  asAda = basic('ada', password);
  superuser = await newCaller({ role: 'SUPERUSER' });
});
afterAll(() => app.stop());
// Otherwise, refusals of the last test would be written while statements are counted.
beforeEach(() => flushDenials());

const document = `query ($by: UserByInput!) {
  user(by: $by) { id username email defaultLevel preferences isAdmin groups { name } tenant { name } }
}`;
const user = async (by: object, authorization?: string) =>
  answerOf(await app.ask(document, { by }, authorization));

describe('user', () => {
  it.each(['id', 'username', 'email'] as const)('is found by %s for an administrator', async (address) => {
    const by = { id: ada.id, username: 'ＡＤＡ', email: 'ADA@example.com' }[address];
    expect(await user({ [address]: by })).toMatchObject({ id: ada.id, email: 'ada@example.com' });
  });

  it.each(['id', 'username', 'email'] as const)('is found by %s for itself', async (address) => {
    const by = { id: ada.id, username: 'aDa', email: 'Ada@Example.com' }[address];
    expect(await user({ [address]: by }, asAda)).toMatchObject({
      ...{ id: ada.id, email: 'ada@example.com', defaultLevel: 'READ', preferences: {}, isAdmin: false },
      ...{ groups: [{ name: 'everyone' }], tenant: { name: 'default' } },
    });
  });

  it('is found by `tenant/name` for itself and its administrator, and for ROOT in other tenants', async () => {
    const address = { username: 'DEFAULT/ada' };
    expect(await user(address)).toMatchObject({ id: ada.id });
    expect(await user(address, asAda)).toMatchObject({ id: ada.id, email: 'ada@example.com' });
    const tenantId = await newTenant('the other one');
    const there = await newUser({ tenantId });
    const far = { username: `the other one/${there.username}` };
    expect(await user(far, await newCaller({ role: 'ROOT' }))).toMatchObject({ id: there.id });
    const hidden = await statementsOf(() => user(far));
    const absent = await statementsOf(() => user({ username: 'no such one/nobody' }));
    expect(hidden.result).toMatchObject({ code: 'NOT_FOUND' });
    expect(absent.result).toMatchObject({ code: 'NOT_FOUND' });
    expect(hidden.statements).toEqual(absent.statements);
    for (const caller of [asAda, superuser])
      expect((await user(far, caller)).code).toBe(caller === asAda ? 'PERMISSION_DENIED' : 'NOT_FOUND');
    expect(await user({ username: '/ada' })).toMatchObject({ code: 'NOT_FOUND' });
  });

  it.each([
    ['the name', { username: 'admin' }],
    ['the name with the tenant', { username: 'default/admin' }],
    ['the same name in another tenant', { username: 'no such one/ada' }],
    ['the e-mail address', { email: 'admin@example.com' }],
    ['the e-mail address of nobody', { email: 'nobody@example.com' }],
  ])('is not told about another one by %s', async (_what, by) => {
    await db.user.updateMany({ where: { username: 'admin' }, data: { emailKey: 'admin@example.com' } });
    expect(await user(by, asAda)).toMatchObject({ code: 'PERMISSION_DENIED' });
  });

  it('of another tenant has no groups for ROOT, whose own groups they are not', async () => {
    const there = await newUser({ tenantId: await newTenant('far away') });
    const shown = await user({ id: there.id }, await newCaller({ role: 'ROOT' }));
    expect(shown).toMatchObject({ id: there.id, groups: [] });
  });

  it('shows a superuser neither e-mail address, default level nor preferences', async () => {
    expect(await user({ id: ada.id }, superuser)).toMatchObject({
      ...{ username: 'Ada', email: null, defaultLevel: null, preferences: null },
    });
    expect((await user({ id: ada.id })).preferences).toBeNull();
  });

  it('is PERMISSION_DENIED for others, whether the user exists or not, after the same statements', async () => {
    const caller = await newCaller({ role: 'USER', level: 'MANAGE' });
    await user({ id: ada.id }, caller);
    for (const [there, absent] of [
      [{ username: 'ada' }, { username: 'nobody' }],
      [{ email: 'ada@example.com' }, { email: 'nobody@example.com' }],
      [{ id: ada.id }, { id: '01890000-0000-7000-8000-000000000000' }],
    ] as const) {
      const [one, other] = [
        await countStatements(() => app.ask(document, { by: there }, caller)),
        await countStatements(() => app.ask(document, { by: absent }, caller)),
      ];
      expect(one.result.errors?.[0]?.extensions.code).toBe('PERMISSION_DENIED');
      expect(one.result.errors).toEqual(other.result.errors);
      const asked = (statements: string[]) => statements.filter((text) => !text.includes('audit_events'));
      expect(asked(one.statements)).toEqual(asked(other.statements));
      expect(asked(one.statements).some((text) => /"username_key" (=|IN)/i.test(text))).toBe(false);
    }
  });

  it('is NOT_FOUND for administrators when it does not exist or is in another tenant', async () => {
    const tenantId = await newTenant('foreign');
    const foreigner = await newCaller({ role: 'ADMIN', tenantId });
    const { id } = await viewerOf(app, foreigner);
    for (const by of [{ username: 'nobody' }, { id: 'no id' }, { id }, { username: id }])
      expect(await user(by)).toMatchObject({ code: 'NOT_FOUND' });
    expect(await user({ id: ada.id }, foreigner)).toMatchObject({ code: 'NOT_FOUND' });
    const root = await newCaller({ role: 'ROOT' });
    expect(await user({ id }, root)).toMatchObject({ id, tenant: { name: 'foreign' } });
  });

  it('takes as many statements with all its fields as with one', async () => {
    const one = await countStatements(() => app.ask('{ viewer { id } }', {}, superuser));
    const fields =
      'id kind username name role isAdmin isFixed disabledAt createdAt updatedAt avatar preferences';
    const all = await countStatements(() => app.ask(`{ viewer { ${fields} } }`, {}, superuser));
    expect(all.statements.length).toBe(one.statements.length);
  });
});

describe('users', () => {
  const list = async (variables: object, authorization?: string | null) => {
    const answer = await app.ask(
      `query ($filter: UserFilterInput, $first: Int, $after: String, $last: Int, $before: String, $orderBy: UserOrder) {
         users(filter: $filter, first: $first, after: $after, last: $last, before: $before, orderBy: $orderBy) {
           totalCount pageInfo { hasNextPage endCursor startCursor } edges { node { username email groups { name } } }
         }
       }`,
      variables,
      authorization,
    );
    const users = answer.data?.users;
    return {
      ...users,
      code: answer.errors?.[0]?.extensions.code,
      names: users?.edges.map((edge: Answer) => edge.node.username),
    };
  };

  let names: string[];
  beforeAll(async () => {
    const tenantId = await newTenant('listed');
    names = ['Bea', 'ádám', 'carl', 'Dora', 'Émile', 'fay'];
    for (const username of names) await newUser({ tenantId, username });
    names = ['Bea', 'carl', 'Dora', 'fay', 'ádám', 'Émile'];
  });
  const tenant = { name: 'listed' };

  it('are listed by user name, forward and backward, without gap or repeat', async () => {
    const root = await newCaller({ role: 'ROOT' });
    const seen: string[] = [];
    let after: string | null = null;
    for (let page = 0; page < 10; page += 1) {
      const answer: Answer = await list({ filter: { tenant }, first: 2, after }, root);
      expect(answer.totalCount).toBe(6);
      seen.push(...answer.names);
      if (!answer.pageInfo.hasNextPage) break;
      after = answer.pageInfo.endCursor;
    }
    expect(seen).toEqual(names);
    const last = await list({ filter: { tenant }, last: 2 }, root);
    expect(last.names).toEqual(['ádám', 'Émile']);
    const before = await list({ filter: { tenant }, last: 3, before: last.pageInfo.startCursor }, root);
    expect(before.names).toEqual(['carl', 'Dora', 'fay']);
  });

  it('are filtered by role, kind, prefix, state and group', async () => {
    const robot = (await createUser(app, { username: 'z-robot', kind: 'SERVICE_ACCOUNT', role: 'SUPERUSER' }))
      .user;
    const gone = (await createUser(app, { username: 'z-gone' })).user;
    await editUser(app, { by: { id: gone.id }, disabled: true });
    await createGroup(app, { name: 'Zs', members: [{ id: robot.id }] });
    const usernamePrefix = 'Z-';
    for (const [filter, expected] of [
      [{ usernamePrefix }, ['z-gone', 'z-robot']],
      [{ usernamePrefix, roles: ['SUPERUSER', 'GUEST'] }, ['z-robot']],
      [{ usernamePrefix, kind: 'PERSON' }, ['z-gone']],
      [{ usernamePrefix, disabled: true }, ['z-gone']],
      [{ usernamePrefix, disabled: false }, ['z-robot']],
      [{ group: { name: 'zS' } }, ['z-robot']],
      [{ usernamePrefix, group: { name: 'everyone' } }, ['z-gone', 'z-robot']],
      [{ group: { name: 'none' } }, []],
      [{ group: { id: 'no id' } }, []],
    ] as const) {
      const answer = await list({ filter });
      expect([answer.names, answer.totalCount]).toEqual([expected, expected.length]);
    }
  });

  it('are listed newest first when orderBy says so', async () => {
    const first = await list({ orderBy: 'NEWEST', first: 1 });
    const second = await list({ orderBy: 'NEWEST', first: 1, after: first.pageInfo.endCursor });
    const rows = await db.user.findMany({
      where: { tenant: { name: 'default' } },
      orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
      take: 2,
    });
    expect([...first.names, ...second.names]).toEqual(rows.map((row) => row.username));
  });

  it('are listed for superusers without e-mail addresses, and refused to lower roles', async () => {
    const seen = await list({ filter: { usernamePrefix: 'ada' } }, superuser);
    expect(seen.edges).toEqual([{ node: { username: 'Ada', email: null, groups: [{ name: 'everyone' }] } }]);
    expect((await list({ filter: { usernamePrefix: 'ada' } })).edges[0].node.email).toBe('ada@example.com');
    for (const role of ['USER', 'ANNOTATOR', 'GUEST'] as const)
      expect((await list({}, await newCaller({ role, level: 'MANAGE' }))).code).toBe('PERMISSION_DENIED');
    expect((await list({ filter: { tenant } })).code).toBe('PERMISSION_DENIED');
  });

  it('take as many statements with their groups for many users as for one', async () => {
    await list({ first: 1 }, superuser);
    const count = async (first: number) =>
      (await countStatements(() => list({ first }, superuser))).statements.length;
    expect(await count(100)).toBe(await count(1));
  });
});

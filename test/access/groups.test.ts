import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { addGroupMembers as addMembers } from '../../src/access/commands/add-group-members.ts';
import { deleteGroup as removeWholeGroup } from '../../src/access/commands/delete-group.ts';
import { removeGroupMembers as removeMembers } from '../../src/access/commands/remove-group-members.ts';
import { flushDenials } from '../../src/authorization/audit.ts';
import { decisionOn } from '../../src/authorization/can.ts';
import { systemCaller } from '../../src/platform/caller.ts';
import { db } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { type Answer, type App, basic, startApp } from '../support/app.ts';
import { answerOf, mutate } from '../support/mutate.ts';
import {
  addGroupMembers,
  createGroup,
  createUser,
  deleteGroup,
  deleteUser,
  password,
  removeGroupMembers,
  updateGroup,
  viewerOf,
} from '../support/people.ts';
import { registerProject } from '../support/seed.ts';
import { countStatements } from '../support/statements.ts';
import { grantTo, newCaller, newGroup, newKey, newTenant, newUser } from '../support/users.ts';
import { overtaken } from '../support/waiting.ts';

let app: App;
let superuser: string;
let ada: Answer;
let asAda: string;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  superuser = await newCaller({ role: 'SUPERUSER' });
  ada = (await createUser(app, { username: 'ada', email: 'ada@example.com', password })).user;
  asAda = basic('ada', password);
});
afterAll(() => app.stop());
// Otherwise, refusals of the last test would be written while statements are counted.
beforeEach(() => flushDenials());

const membersOf = ({ group }: Answer) => group.members?.edges.map((edge: Answer) => edge.node.username);
const group = async (by: object, authorization?: string) =>
  answerOf(
    await app.ask(
      'query ($by: GroupByInput!) { group(by: $by) { id name memberCount members { edges { node { username } } } } }',
      { by },
      authorization,
    ),
  );
const groups = async (variables: object, authorization?: string) => {
  const document = `query ($filter: GroupFilterInput, $first: Int, $after: String) {
    groups(filter: $filter, first: $first, after: $after) {
      totalCount pageInfo { endCursor hasNextPage } edges { node { name memberCount } }
    }
  }`;
  const { data } = await app.ask(document, variables, authorization);
  return { ...data.groups, names: data.groups.edges.map((edge: Answer) => edge.node.name) };
};

describe('createGroup', () => {
  it('creates a group with members that are named by any address, once or twice', async () => {
    const members = [
      { id: ada.id },
      { username: 'ADA' },
      { email: 'ada@example.com' },
      { username: 'admin' },
    ];
    const made = await createGroup(app, { name: 'Readers', description: 'They read', members }, superuser);
    expect(made.group).toMatchObject({ name: 'Readers', description: 'They read', memberCount: 2 });
    expect(membersOf(made)).toEqual(['ada', 'admin']);
    const row = await db.auditEvent.findFirstOrThrow({ where: { targetId: made.group.id } });
    expect(row).toMatchObject({
      action: 'group:create',
      after: { members: expect.arrayContaining([ada.id]) },
    });
  });

  it('requires SUPERUSER', async () => {
    for (const role of ['USER', 'ANNOTATOR', 'GUEST'] as const)
      expect(await createGroup(app, { name: 'x' }, await newCaller({ role, level: 'MANAGE' }))).toMatchObject(
        {
          ...{ code: 'PERMISSION_DENIED', refused: expect.any(String) },
        },
      );
  });

  it.each(['', 'x\ny', 'a/b', '__x'])('refuses the name %j', async (name) => {
    expect(await createGroup(app, { name })).toMatchObject({ problems: [{ path: ['input', 'name'] }] });
  });

  it('answers the same for a member that does not exist as for one of another tenant', async () => {
    const foreigner = await viewerOf(
      app,
      await newCaller({ role: 'USER', tenantId: await newTenant('foreign') }),
    );
    for (const by of [{ username: 'nobody' }, { id: foreigner.id }])
      expect(await createGroup(app, { name: 'stray', members: [{ id: ada.id }, by] })).toMatchObject({
        ...{ code: 'NOT_FOUND', path: ['input', 'members', '1'] },
        message: `user ${Object.values(by)[0]} not found`,
      });
    expect(await db.group.count({ where: { name: 'stray' } })).toBe(0);
    const members = Array(1001).fill({ id: ada.id });
    expect(await createGroup(app, { name: 'many', members })).toMatchObject({ path: ['input', 'members'] });
    expect(await createGroup(app, { name: 'many', members: members.slice(1) })).toMatchObject({
      group: { memberCount: 1 },
    });
  });

  it.each(['createGroup', 'addGroupMembers'])(
    'finds no member who is deleted in the meantime: %s',
    async (field) => {
      const { id } = await newUser();
      const { group: made } = await createGroup(app, { name: `late-${field}` });
      const members = [{ id }];
      const input =
        field === 'createGroup' ? { name: 'too-late', members } : { by: { id: made.id }, members };
      const answer = await overtaken(
        () => mutate(app, field, input),
        (tx) => tx.user.delete({ where: { id } }),
      );
      expect(answer).toMatchObject({ __typename: 'NotFoundError', path: ['input', 'members'] });
    },
  );

  it('creates one group when 20 calls use one name at the same time, whatever its case', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, at) => createGroup(app, { name: at % 2 ? 'RACE' : 'race' }, superuser)),
    );
    const kinds = answers.map((answer) => answer.__typename).sort();
    expect(kinds).toEqual([...Array(19).fill('AlreadyExistsError'), 'CreateGroupPayload']);
    expect(await createGroup(app, { name: 'Everyone' })).toMatchObject({ path: ['input', 'name'] });
  });
});

describe('groups', () => {
  it('are visible to superusers and to their own members only', async () => {
    await createGroup(app, { name: 'g-open', members: [{ id: ada.id }] });
    const closed = (await createGroup(app, { name: 'g-closed' })).group;
    const filter = { namePrefix: 'G-' };
    expect((await groups({ filter }, superuser)).names).toEqual(['g-closed', 'g-open']);
    expect(await groups({ filter }, asAda)).toMatchObject({ names: ['g-open'], totalCount: 1 });
    await createGroup(app, { name: 'g-of-others', members: [{ username: 'admin' }] });
    const mine = (await viewerOf(app, asAda)).groups.map(({ name }: Answer) => name);
    expect(mine.filter((name: string) => name.startsWith('g-'))).toEqual(['g-open']);
    for (const by of [{ id: closed.id }, { name: 'g-closed' }, { name: 'nothing' }, { id: 'no id' }])
      expect(await group(by, asAda)).toMatchObject({ code: 'NOT_FOUND' });
    expect(await group({ name: 'G-OPEN' }, asAda)).toMatchObject({ memberCount: 1 });
    const foreigner = await newCaller({ role: 'ADMIN', tenantId: await newTenant('elsewhere') });
    expect(await group({ id: closed.id }, foreigner)).toMatchObject({ code: 'NOT_FOUND' });
    expect((await groups({}, foreigner)).names).toEqual(['everyone']);
  });

  it('of a user are listed with the scope group:list, and to nobody in another tenant', async () => {
    const user = await newUser({ scopes: ['group:list'] });
    const narrow = await newKey(user, ['user:read']);
    const far = await newUser({ tenantId: await newTenant('far away') });
    const document = 'query ($id: ID!) { node(id: $id) { ... on User { groups { name } } } }';
    const groupsOf = async (id: string, authorization: string) =>
      (await app.ask(document, { id }, authorization)).data.node.groups;
    const mine = async (authorization: string) =>
      (await app.ask('{ viewer { groups { name } } }', {}, authorization)).data.viewer.groups;
    expect(await mine(user.authorization)).toEqual([{ name: 'everyone' }]);
    expect(await mine(narrow.authorization)).toEqual([]);
    const root = await newCaller({ role: 'ROOT' });
    expect(await groupsOf(user.id, root)).toEqual([{ name: 'everyone' }]);
    expect(await groupsOf(far.id, root)).toEqual([]);
  });

  it('take the same statements whether they are hidden or absent', async () => {
    await createGroup(app, { name: 'g-hidden' });
    await group({ name: 'g-hidden' }, asAda);
    const [hidden, absent] = [
      await countStatements(() => group({ name: 'g-hidden' }, asAda)),
      await countStatements(() => group({ name: 'g-absent' }, asAda)),
    ];
    expect(hidden.statements).toEqual(absent.statements);
  });

  it('come in pages by name', async () => {
    const seen: string[] = [];
    let after: string | null = null;
    for (let page = 0; page < 50; page += 1) {
      const answer: Answer = await groups({ first: 2, after });
      seen.push(...answer.names);
      if (!answer.pageInfo.hasNextPage) break;
      after = answer.pageInfo.endCursor;
    }
    expect(seen.length).toBeGreaterThan(4);
    expect(new Set(seen).size).toBe(seen.length);
    const { tenantId } = await db.user.findUniqueOrThrow({ where: { id: ada.id } });
    expect(seen.length).toBe(await db.group.count({ where: { tenantId } }));
    expect(seen.map((name) => name.toLowerCase())).toEqual(seen.map((name) => name.toLowerCase()).sort());
  });

  it('take as many statements with their member counts for many groups as for one', async () => {
    const count = async (first: number) =>
      (await countStatements(() => groups({ filter: { namePrefix: 'g-' }, first }))).statements.length;
    await count(1);
    expect(await count(100)).toBe(await count(1));
  });
});

describe('members', () => {
  it('are added and removed; a repeat changes nothing', async () => {
    const { group: made } = await createGroup(app, { name: 'members' });
    const input = { by: { id: made.id }, members: [{ id: ada.id }, { username: 'admin' }] };
    expect(await addGroupMembers(app, input)).toMatchObject({ added: 2, group: { memberCount: 2 } });
    expect(await addGroupMembers(app, input)).toMatchObject({ added: 0, group: { memberCount: 2 } });
    const less = { by: { name: 'MEMBERS' }, members: [{ id: ada.id }] };
    expect(await removeGroupMembers(app, less)).toMatchObject({ removed: 1, group: { memberCount: 1 } });
    expect(await removeGroupMembers(app, less)).toMatchObject({ removed: 0 });
    const actions = await db.auditEvent.findMany({ where: { targetId: made.id }, orderBy: { id: 'asc' } });
    expect(actions.map((row) => row.action)).toEqual([
      'group:create',
      'group:addMembers',
      'group:removeMembers',
    ]);
    const changes = await db.accessChange.findMany({ where: { userId: ada.id, kind: 'GRANT' } });
    expect(changes).toHaveLength(1);
  });

  it('are not added to a group that is deleted in the meantime, nor to an id that is none', async () => {
    const { group: made } = await createGroup(app, { name: 'short-lived' });
    const input = { by: { id: made.id }, members: [{ id: ada.id }] };
    const answer = await overtaken(
      () => addGroupMembers(app, input),
      (tx) => tx.$queryRaw`select from groups where id = ${made.id}::uuid for update`,
      (tx) => tx.group.delete({ where: { id: made.id } }),
    );
    expect(answer).toMatchObject({ code: 'NOT_FOUND', path: ['input', 'by'] });
    for (const by of [{ id: 'no id' }, { id: newId() }])
      expect(await addGroupMembers(app, { ...input, by })).toMatchObject({ code: 'NOT_FOUND' });
  });

  it('are members once when many calls add them at the same time', async () => {
    const { group: made } = await createGroup(app, { name: 'crowd' });
    const input = { by: { id: made.id }, members: [{ id: ada.id }] };
    const answers = await Promise.all(Array.from({ length: 20 }, () => addGroupMembers(app, input)));
    expect(answers.map(({ added }) => added).sort()).toEqual([...Array(19).fill(0), 1]);
  });

  it('have the grants of the group at once, and lose them when they leave', async () => {
    const projectId = await registerProject(app, 'for-the-group');
    const { group: made } = await createGroup(app, { name: 'granted' });
    await grantTo({ groupId: made.id }, 'PROJECT', projectId, 'READ');
    const sees = async () =>
      answerOf(await app.ask('{ project(by: { identifier: "for-the-group" }) { id } }', {}, asAda)).id;
    expect(await sees()).toBeUndefined();
    const input = { by: { id: made.id }, members: [{ id: ada.id }] };
    await addGroupMembers(app, input);
    expect(await sees()).toBe(projectId);
    await removeGroupMembers(app, input);
    expect(await sees()).toBeUndefined();
    await addGroupMembers(app, input);
    expect(await deleteGroup(app, { by: { id: made.id } })).toMatchObject({ group: { id: made.id } });
    expect(await sees()).toBeUndefined();
    expect(await db.grant.count({ where: { groupId: made.id } })).toBe(0);
    expect(await group({ id: made.id })).toMatchObject({ code: 'NOT_FOUND' });
  });

  it('are removed when their user is deleted', async () => {
    const passing = (await createUser(app, { username: 'passing' })).user;
    const { group: made } = await createGroup(app, { name: 'left', members: [{ id: passing.id }] });
    await deleteUser(app, { by: { id: passing.id } });
    expect(await group({ id: made.id })).toMatchObject({ memberCount: 0, members: { edges: [] } });
  });

  it('can be changed by administrators only, which also holds for a group that does not exist', async () => {
    for (const by of [{ name: 'members' }, { name: 'nothing' }])
      for (const caller of [superuser, asAda]) {
        const members = [{ id: ada.id }];
        for (const answer of [
          await addGroupMembers(app, { by, members }, caller),
          await removeGroupMembers(app, { by, members }, caller),
          await updateGroup(app, { by, description: 'x' }, caller),
          await deleteGroup(app, { by }, caller),
        ])
          expect(answer).toMatchObject({ code: 'PERMISSION_DENIED', refused: expect.any(String) });
      }
    const missing = { by: { name: 'nothing' }, members: [] };
    expect(await addGroupMembers(app, missing)).toMatchObject({
      code: 'NOT_FOUND',
      refused: expect.any(String),
    });
  });
});

describe('the rights of the caller', () => {
  it('are read again after its own membership has changed', async () => {
    const user = await newUser();
    const caller = { ...systemCaller(user.tenantId, user.id), role: 'USER' as const };
    const id = await newGroup('own');
    const target = { tenantId: user.tenantId, resources: [{ type: 'QUEUE', id: newId() }] } as const;
    await grantTo({ groupId: id }, 'QUEUE', target.resources[0].id, 'READ');
    const level = async () => (await decisionOn(caller, target)).level;
    expect(await level()).toBe('NO_PERMISSIONS');
    await addMembers(caller, { id }, [user.id]);
    expect(await level()).toBe('READ');
    await removeMembers(caller, { id }, [user.id]);
    expect(await level()).toBe('NO_PERMISSIONS');
    await addMembers(caller, { id }, [user.id]);
    expect(await level()).toBe('READ');
    await removeWholeGroup(caller, { id });
    expect(await level()).toBe('NO_PERMISSIONS');
  });
});

describe('updateGroup', () => {
  it('changes name and description, and keeps the grants', async () => {
    const { group: made } = await createGroup(app, { name: 'old-name' });
    const by = { id: made.id };
    expect((await updateGroup(app, { by, name: 'New-Name', description: 'd' })).group).toMatchObject({
      ...{ id: made.id, name: 'New-Name', description: 'd' },
    });
    expect((await updateGroup(app, { by, name: 'new-name' })).group.name).toBe('new-name');
    expect(await updateGroup(app, { by, name: 'EVERYONE' })).toMatchObject({ code: 'ALREADY_EXISTS' });
    expect(await updateGroup(app, { by })).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(await updateGroup(app, { by, name: 'a/b' })).toMatchObject({ path: ['input', 'name'] });
    expect(await updateGroup(app, { by, name: null, description: 'e' })).toMatchObject({
      group: { name: 'new-name', description: 'e' },
    });
    expect(await updateGroup(app, { by, name: 'newest', description: null })).toMatchObject({
      group: { name: 'newest', description: 'e' },
    });
  });
});

describe('everyone', () => {
  const by = { name: 'everyone' };
  it('cannot be renamed and always has all users as members', async () => {
    for (const answer of [
      await updateGroup(app, { by, name: 'nobody' }),
      await addGroupMembers(app, { by, members: [{ id: ada.id }] }),
      await removeGroupMembers(app, { by, members: [{ id: ada.id }] }),
      await deleteGroup(app, { by }),
    ])
      expect(answer).toMatchObject({ __typename: 'FailedPreconditionError' });
    expect((await updateGroup(app, { by, description: 'All of us' })).group.description).toBe('All of us');
    const { memberCount } = await group(by, superuser);
    expect(memberCount).toBe(await db.user.count({ where: { tenant: { name: 'default' } } }));
  });

  it('shows its members to superusers only', async () => {
    expect((await group(by, superuser)).members.edges.length).toBeGreaterThan(2);
    expect(await group(by, asAda)).toMatchObject({ memberCount: null, members: null });
  });
});

/** Owners and permissions of queues, which are grants of the one permission model. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Level } from '../../src/generated/prisma/enums.ts';
import { db } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { newGroup, newTenant, newUser, type User } from '../support/users.ts';
import { allVerbs, queueCalls } from './queue-stage.ts';

let app: App;
let calls: ReturnType<typeof queueCalls>;
let ann: User;
let bob: User;
let team: string;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  calls = queueCalls(app);
  ann = await newUser({ username: 'ann' });
  bob = await newUser({ username: 'bob' });
  team = await newGroup('Team', [bob]);
});
afterAll(() => app.stop());

const user = (name: string) => ({ kind: 'User', name });
const group = (name: string) => ({ kind: 'Group', name });
const named = () => `rights-${newId()}`;

/** The grants on a queue: who has which level. */
async function grantsOn(queueId: string): Promise<[string | null, Level][]> {
  const rows = await db.grant.findMany({ where: { resourceId: queueId, resourceType: 'QUEUE' } });
  return rows.map(({ userId, groupId, level }): [string | null, Level] => [userId ?? groupId, level]).sort();
}

describe('owners and permissions of a queue', () => {
  it('become grants, and are shown back with all verbs that a level has, the owners too', async () => {
    const { queue } = await calls.create({
      name: named(),
      userOwners: ['ann'],
      groupOwners: ['Team'],
      permissions: [{ subjects: [user('bob'), group('everyone')], verbs: ['submit'] }],
    });
    const everyone = await db.group.findFirstOrThrow({ where: { isEveryone: true } });
    expect(await grantsOn(queue.id)).toEqual(
      (
        [
          [ann.id, 'MANAGE'],
          [team, 'MANAGE'],
          [bob.id, 'USE'],
          [everyone.id, 'USE'],
        ] as [string, Level][]
      ).sort(),
    );
    expect(queue).toMatchObject({
      userOwners: ['ann'],
      groupOwners: ['Team'],
      permissions: [
        { subjects: [user('ann'), group('Team')], verbs: allVerbs },
        { subjects: [user('bob'), group('everyone')], verbs: ['watch', 'submit'] },
      ],
    });
  });

  it.each<[string[], Level, string[]]>([
    [['watch'], 'READ', ['watch']],
    [['submit'], 'USE', ['watch', 'submit']],
    [['cancel'], 'EDIT', allVerbs],
    [['reprioritize'], 'EDIT', allVerbs],
    [['preempt'], 'EDIT', allVerbs],
    [['watch', 'submit', 'watch'], 'USE', ['watch', 'submit']],
    [['preempt', 'watch'], 'EDIT', allVerbs],
  ])('%j are the level %s', async (verbs, level, shown) => {
    const { queue } = await calls.create({
      name: named(),
      permissions: [{ subjects: [user('ann')], verbs }],
    });
    expect(await grantsOn(queue.id)).toContainEqual([ann.id, level]);
    expect(queue.permissions.at(-1)).toEqual({ subjects: [user('ann')], verbs: shown });
  });

  it('count with the highest level, if a user is named several times', async () => {
    const { queue } = await calls.create({
      name: named(),
      permissions: [
        { subjects: [user('ann'), user('bob')], verbs: ['submit'] },
        { subjects: [user('ANN')], verbs: ['watch'] },
        { subjects: [user('bob')], verbs: ['cancel'] },
      ],
    });
    expect(await grantsOn(queue.id)).toEqual(
      expect.arrayContaining([
        [ann.id, 'USE'],
        [bob.id, 'EDIT'],
      ]),
    );
  });

  it('are only for those who may see grants', async () => {
    const name = named();
    await calls.create({ name, permissions: [{ subjects: [user('ann')], verbs: ['cancel'] }] });
    expect(await calls.read(name, ann.authorization)).toMatchObject({
      ...{ name, userOwners: null, groupOwners: null, permissions: null },
    });
    const scoped = await newUser({ role: 'ADMIN', scopes: ['queue:read'] });
    expect(await calls.read(name, scoped.authorization)).toMatchObject({ name, permissions: null });
  });

  const permission = (more: object) => ({
    permissions: [{ subjects: [user('ann')], verbs: ['watch'], ...more }],
  });
  it.each<[string, object, string[]]>([
    ['an unknown user', { userOwners: ['ann', 'nobody'] }, ['userOwners', '1']],
    ['an unknown group', { groupOwners: ['nobody'] }, ['groupOwners', '0']],
    ['a user of another tenant', { userOwners: ['stranger'] }, ['userOwners', '0']],
    ['an unknown verb', permission({ verbs: ['watch', 'Watch'] }), ['permissions', '0', 'verbs', '1']],
    ['a verb of every object', permission({ verbs: ['toString'] }), ['permissions', '0', 'verbs', '0']],
    ['no verbs', permission({ verbs: [] }), ['permissions', '0', 'verbs']],
    ['no subjects', permission({ subjects: [] }), ['permissions', '0', 'subjects']],
    [
      'an unknown kind',
      permission({ subjects: [{ kind: 'user', name: 'ann' }] }),
      ['permissions', '0', 'subjects', '0', 'kind'],
    ],
    [
      'an unknown user in the second place',
      permission({ subjects: [user('ann'), user('nobody')] }),
      ['permissions', '0', 'subjects', '1', 'name'],
    ],
    [
      'the name of a group as a user',
      permission({ subjects: [user('Team')] }),
      ['permissions', '0', 'subjects', '0', 'name'],
    ],
    ['201 owners', { userOwners: Array(201).fill('ann') }, ['permissions']],
  ])('are refused with %s', async (_what, given, path) => {
    await newUser({ username: 'stranger', tenantId: await newTenant(newId()) });
    const name = named();
    const answer = await calls.create({ name, ...given });
    expect(answer.problems.map((problem: Answer) => problem.path)).toEqual([['input', ...path]]);
    expect(await calls.read(name)).toEqual({ code: 'NOT_FOUND' });
  });
});

describe('a queue that is replaced', () => {
  it('has exactly the grants that the input names, from this moment on', async () => {
    const name = named();
    const { queue } = await calls.create({ name, userOwners: ['admin', 'ann'], groupOwners: ['Team'] });
    expect(await calls.read(name, bob.authorization)).toMatchObject({ name });
    await calls.update({
      name,
      userOwners: ['ann'],
      permissions: [{ subjects: [user('bob')], verbs: ['watch'] }],
    });
    expect(await grantsOn(queue.id)).toEqual(
      (
        [
          [ann.id, 'MANAGE'],
          [bob.id, 'READ'],
        ] as [string, Level][]
      ).sort(),
    );
    await calls.update({ name, userOwners: ['ann'] });
    expect(await calls.read(name, bob.authorization)).toEqual({ code: 'NOT_FOUND' });
  });

  it('writes each changed grant into the audit log, and nothing if none changes', async () => {
    const name = named();
    const { queue } = await calls.create({ name, userOwners: ['ann', 'bob'] });
    await calls.update({ name, userOwners: ['bob', 'ann'], priorityFactor: 2 });
    const events = async () => {
      const rows = await db.auditEvent.findMany({ where: { targetId: queue.id }, orderBy: { id: 'asc' } });
      return rows.map(({ action, targetName }) => [action, targetName]);
    };
    expect(await events()).toEqual(Array(2).fill(['permission:grant', name]));
    await calls.update({
      name,
      userOwners: ['ann'],
      permissions: [{ subjects: [user('bob')], verbs: ['watch'] }],
      groupOwners: ['Team'],
    });
    expect((await events()).slice(2)).toEqual(
      expect.arrayContaining([
        ['permission:update', name],
        ['permission:grant', name],
      ]),
    );
    await calls.update({ name, userOwners: ['ann'] });
    expect((await events()).slice(4)).toEqual(Array(2).fill(['permission:revoke', name]));
  });
});

describe('a sign-in whose scopes do not cover grants', () => {
  it('creates queues only for its own user', async () => {
    const { username, authorization } = await newUser({ role: 'SUPERUSER', scopes: ['queue:*'] });
    const [own, foreign] = [named(), named()];
    expect(await calls.create({ name: own }, authorization)).toMatchObject({ queue: { name: own } });
    expect(await calls.read(own)).toMatchObject({ userOwners: [username] });
    expect(await calls.create({ name: foreign, userOwners: ['ann'] }, authorization)).toMatchObject({
      refused: 'PERMISSION_DENIED',
    });
    expect(await calls.read(foreign)).toEqual({ code: 'NOT_FOUND' });
  });

  it('changes a queue only if no grant changes', async () => {
    const name = named();
    const { queue } = await calls.create({ name, userOwners: ['ann'] });
    const keeper = await newUser({
      scopes: ['queue:*'],
      grants: [{ type: 'QUEUE', id: queue.id, level: 'MANAGE' }],
    });
    const owners = { userOwners: ['ann', keeper.username] };
    expect(
      (await calls.update({ name, priorityFactor: 3, ...owners }, keeper.authorization)).queue,
    ).toMatchObject({
      priorityFactor: 3,
    });
    for (const given of [{}, { ...owners, groupOwners: ['Team'] }])
      expect(await calls.update({ name, priorityFactor: 9, ...given }, keeper.authorization)).toMatchObject({
        refused: 'PERMISSION_DENIED',
      });
    expect(await calls.read(name)).toMatchObject({ priorityFactor: 3, ...owners, groupOwners: [] });
  });
});

describe('the retry policies of a queue', () => {
  it('can be kept, but not chosen, by owners who may not see retry policies', async () => {
    const [name, kept, other] = [named(), `p-${newId()}`, `p-${newId()}`];
    for (const policy of [kept, other])
      await mutate(app, 'createRetryPolicy', { name: policy, retryLimit: 1, defaultAction: 'RETRY' });
    const { queue } = await calls.create({ name, userOwners: ['ann'], retryPolicies: [kept] });
    expect(queue.retryPolicies).toEqual([kept]);
    const again = { name, userOwners: ['ann'] };
    expect((await calls.update({ ...again, retryPolicies: [kept] }, ann.authorization)).queue).toMatchObject({
      retryPolicies: [kept],
    });
    const [exists, absent] = [
      await calls.update({ ...again, retryPolicies: [other] }, ann.authorization),
      await calls.update({ ...again, retryPolicies: ['absent'] }, ann.authorization),
    ];
    expect(exists).toMatchObject({ problems: [{ path: ['input', 'retryPolicies', '0'] }] });
    expect(JSON.stringify(exists).replaceAll(other, 'absent')).toBe(JSON.stringify(absent));
    expect((await calls.update({ ...again, retryPolicies: [other, kept] })).queue.retryPolicies).toEqual([
      other,
      kept,
    ]);
  });
});

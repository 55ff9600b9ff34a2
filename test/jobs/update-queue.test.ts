/** Replacing queues: alone, with many others, and whether or not they exist. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { flushDenials } from '../../src/authorization/audit.ts';
import { db } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { grantTo, newUser } from '../support/users.ts';
import { defaultsFor, queueCalls, rich } from './queue-stage.ts';

let app: App;
let calls: ReturnType<typeof queueCalls>;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  calls = queueCalls(app);
});
afterAll(() => app.stop());

const admin = 'admin';
const queueId = async (name: string) => (await db.queue.findFirstOrThrow({ where: { name } })).id;

describe('createQueue', () => {
  it('stores all fields, and the caller is the owner if no user is named', async () => {
    const made = await calls.create({ name: 'rich', ...rich });
    expect(made.queue).toMatchObject({ ...defaultsFor(admin), ...rich });
    expect(await calls.read('rich')).toEqual(made.queue);
  });

  it('does not change a queue that exists', async () => {
    await calls.create({ name: 'kept', ...rich });
    expect(await calls.create({ name: 'kept' })).toMatchObject({
      code: 'ALREADY_EXISTS',
      path: ['input', 'name'],
    });
    expect(await calls.read('kept')).toMatchObject(rich);
  });

  it('creates one queue of two that have the same name and come at the same time', async () => {
    const answers = await Promise.all(
      [1, 2].map((priorityFactor) => calls.create({ name: 'raced', priorityFactor })),
    );
    const [made] = answers.filter(({ queue }) => queue);
    expect(answers.map(({ code }) => code ?? 'OK').sort()).toEqual(['ALREADY_EXISTS', 'OK']);
    expect(await calls.read('raced')).toEqual(made?.queue);
    expect(await db.queue.count({ where: { name: 'raced' } })).toBe(1);
  });

  const limit = (more: object) => ({
    resourceLimitsByPriorityClass: [{ priorityClass: 'slipway-default', ...more }],
  });
  const inLimit = ['resourceLimitsByPriorityClass', '0'];
  it.each<[string, object, string[]]>([
    ['a reason without a cordon', { cordonReason: 'x' }, ['cordonReason']],
    ['a reason that is too long', { cordoned: true, cordonReason: 'x'.repeat(513) }, ['cordonReason']],
    [
      'a class that does not exist',
      { resourceLimitsByPriorityClass: [{ priorityClass: 'unheard' }] },
      [...inLimit, 'priorityClass'],
    ],
    [
      'a class that is named twice',
      { resourceLimitsByPriorityClass: Array(2).fill({ priorityClass: 'slipway-default' }) },
      ['resourceLimitsByPriorityClass', '1', 'priorityClass'],
    ],
    [
      'more limits than classes',
      { resourceLimitsByPriorityClass: Array(3).fill({ priorityClass: 'slipway-default' }) },
      ['resourceLimitsByPriorityClass'],
    ],
    [
      'a fraction above 1',
      limit({ maximumResourceFraction: [{ resource: 'cpu', fraction: 1.001 }] }),
      [...inLimit, 'maximumResourceFraction', '0', 'fraction'],
    ],
    [
      'a negative fraction',
      limit({ maximumResourceFraction: [{ resource: 'cpu', fraction: -0.001 }] }),
      [...inLimit, 'maximumResourceFraction', '0', 'fraction'],
    ],
    [
      'a resource that is named twice',
      limit({ maximumResourceFraction: Array(2).fill({ resource: 'cpu', fraction: 1 }) }),
      [...inLimit, 'maximumResourceFraction', '1', 'resource'],
    ],
    [
      'a resource with a bad name',
      limit({ maximumResourceFraction: [{ resource: ' cpu', fraction: 1 }] }),
      [...inLimit, 'maximumResourceFraction', '0', 'resource'],
    ],
    [
      '33 resources',
      limit({
        maximumResourceFraction: Array.from({ length: 33 }, (_, at) => ({ resource: `r${at}`, fraction: 1 })),
      }),
      [...inLimit, 'maximumResourceFraction'],
    ],
    [
      'a pool with a bad name',
      limit({ maximumResourceFractionByPool: [{ pool: 'Large', fractions: [] }] }),
      [...inLimit, 'maximumResourceFractionByPool', '0', 'pool'],
    ],
    [
      'a pool that is named twice',
      limit({ maximumResourceFractionByPool: Array(2).fill({ pool: 'large', fractions: [] }) }),
      [...inLimit, 'maximumResourceFractionByPool', '1', 'pool'],
    ],
    [
      '101 pools',
      limit({
        maximumResourceFractionByPool: Array.from({ length: 101 }, (_, at) => ({
          pool: `p${at}`,
          fractions: [],
        })),
      }),
      [...inLimit, 'maximumResourceFractionByPool'],
    ],
    [
      'a bad fraction of a pool',
      limit({
        maximumResourceFractionByPool: [{ pool: 'large', fractions: [{ resource: 'cpu', fraction: 2 }] }],
      }),
      [...inLimit, 'maximumResourceFractionByPool', '0', 'fractions', '0', 'fraction'],
    ],
    ['a retry policy that does not exist', { retryPolicies: ['unheard'] }, ['retryPolicies', '0']],
    ['a retry policy that is named twice', { retryPolicies: ['x', 'x'] }, ['retryPolicies', '1']],
    ['nine retry policies', { retryPolicies: Array.from('abcdefghi') }, ['retryPolicies']],
  ])('refuses %s', async (_what, given, path) => {
    const answer = await calls.create({ name: `refused-${newId()}`, ...given });
    expect(answer).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(answer.problems.map((problem: Answer) => problem.path)).toContainEqual(['input', ...path]);
  });
});

describe('updateQueue', () => {
  it('replaces the whole queue: what is left out gets its default', async () => {
    const { id } = (await calls.create({ name: 'replaced', ...rich, groupOwners: ['everyone'] })).queue;
    expect((await calls.update({ name: 'replaced', priorityFactor: 2 })).queue).toEqual({
      id,
      name: 'replaced',
      ...defaultsFor(admin),
      priorityFactor: 2,
    });
    expect((await calls.update({ name: 'replaced', ...rich })).queue).toMatchObject(rich);
    expect(await calls.read('replaced')).toMatchObject(rich);
  });

  it('creates nothing: an absent queue and a hidden one are NOT_FOUND', async () => {
    await calls.create({ name: 'hidden' });
    const { authorization } = await newUser({ role: 'SUPERUSER' });
    for (const name of ['absent', 'hidden'])
      expect(await calls.update({ name }, authorization)).toMatchObject({
        refused: 'NOT_FOUND',
        message: `queue ${name} not found`,
      });
    expect(await db.queue.count({ where: { name: 'absent' } })).toBe(0);
  });

  it.each(['READ', 'USE', 'EDIT'] as const)('is refused with %s, and works with MANAGE', async (level) => {
    const { id } = (await calls.create({ name: `level-${level}` })).queue;
    const user = await newUser({ grants: [{ type: 'QUEUE', id, level }] });
    const input = { name: `level-${level}`, priorityFactor: 5 };
    expect((await calls.update(input, user.authorization)).refused).toBe('PERMISSION_DENIED');
    const owner = await newUser({ grants: [{ type: 'QUEUE', id, level: 'MANAGE' }] });
    expect((await calls.update(input, owner.authorization)).queue).toMatchObject({ priorityFactor: 5 });
  });

  it('leaves the queue of a project to the grants on the project', async () => {
    const project = await db.project.create({
      data: { tenantId: (await db.tenant.findFirstOrThrow()).id, identifier: 'owner', name: 'Owner' },
    });
    const name = 'owner/development';
    await db.queue.create({ data: { tenantId: project.tenantId, projectId: project.id, name } });
    expect((await calls.update({ name, priorityFactor: 2 })).queue).toMatchObject({
      ...{ name, priorityFactor: 2, userOwners: [], permissions: [] },
    });
  });

  it('does not mix the fields of two calls that come at the same time', async () => {
    await calls.create({ name: 'mixed' });
    const wishes = Array.from({ length: 6 }, (_, at) => ({
      ...{ name: 'mixed', priorityFactor: at + 1, labels: [{ key: 'n', value: String(at) }] },
    }));
    await Promise.all(wishes.map((wish) => calls.update(wish)));
    const { priorityFactor, labels } = await calls.read('mixed');
    expect(labels).toEqual([{ key: 'n', value: String(priorityFactor - 1) }]);
  });
});

describe('upsertQueue', () => {
  it('creates a queue, and replaces it the next time', async () => {
    const first = await calls.upsert({ name: 'twice', ...rich });
    expect(first.queue).toMatchObject(rich);
    const second = await calls.upsert({ name: 'twice' });
    expect(second.queue).toEqual({ id: first.queue.id, name: 'twice', ...defaultsFor(admin) });
  });

  it('makes one queue, whole, from eight clients at the same time', async () => {
    const wishes = Array.from({ length: 8 }, (_, at) => ({
      ...{ name: 'eight', priorityFactor: at + 1, labels: [{ key: 'n', value: String(at) }] },
    }));
    const answers = await Promise.all(wishes.map((wish) => calls.upsert(wish)));
    expect(answers.map(({ code }) => code ?? 'OK')).toEqual(Array(8).fill('OK'));
    expect(new Set(answers.map(({ queue }) => queue.id)).size).toBe(1);
    expect(answers.map(({ queue }) => queue.priorityFactor)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    const { priorityFactor, labels } = await calls.read('eight');
    expect(labels).toEqual([{ key: 'n', value: String(priorityFactor - 1) }]);
    expect(await db.queue.count({ where: { name: 'eight' } })).toBe(1);
  });

  it('is for the owner of a queue without the role to create one, and for nobody who cannot see it', async () => {
    const { id } = (await calls.create({ name: 'lent' })).queue;
    const owner = await newUser({ grants: [{ type: 'QUEUE', id, level: 'MANAGE' }] });
    expect(
      (await calls.upsert({ name: 'lent', priorityFactor: 4 }, owner.authorization)).queue,
    ).toMatchObject({ priorityFactor: 4 });
    const reader = await newUser({ grants: [{ type: 'QUEUE', id, level: 'EDIT' }] });
    expect(await calls.upsert({ name: 'lent' }, reader.authorization)).toMatchObject({
      refused: 'PERMISSION_DENIED',
      message: 'requires MANAGE on queue lent',
    });
    const stranger = await newUser();
    const [hidden, absent] = [
      await calls.upsert({ name: 'lent' }, stranger.authorization),
      await calls.upsert({ name: 'nobody has it' }, stranger.authorization),
    ];
    expect(hidden).toMatchObject({ refused: 'PERMISSION_DENIED' });
    expect({ ...hidden }).toEqual({ ...absent });
    const superuser = await newUser({ role: 'SUPERUSER' });
    expect(await calls.upsert({ name: 'lent' }, superuser.authorization)).toMatchObject({
      problems: [{ code: 'NameUnavailable', path: ['input', 'name'] }],
    });
    expect(await calls.read('lent')).toMatchObject({ priorityFactor: 4 });
  });
});

const outcomes = 'results { name queue { name priorityFactor } error { code message path } }';

describe('createQueues', () => {
  it('answers for each queue in the order of the request, and creates those that can be created', async () => {
    await calls.create({ name: 'taken', priorityFactor: 7 });
    const queues = [
      { name: 'many-1' },
      { name: 'taken' },
      { name: 'many-2', priorityFactor: 0 },
      { name: 'many-1' },
      { name: 'many-3', labels: Array(2).fill({ key: 'a', value: 'b' }) },
      { name: 'many-4', priorityFactor: 2 },
    ];
    const { results } = await mutate(app, 'createQueues', { queues }, outcomes);
    expect(results.map(({ name }: Answer) => name)).toEqual(queues.map(({ name }) => name));
    expect(results.map(({ error }: Answer) => error?.code ?? 'OK')).toEqual([
      'OK',
      'ALREADY_EXISTS',
      'INVALID_ARGUMENT',
      'ALREADY_EXISTS',
      'INVALID_ARGUMENT',
      'OK',
    ]);
    expect(results[2].error.path).toEqual(['input', 'queues', '2', 'priorityFactor']);
    expect(results[4].error.path).toEqual(['input', 'queues', '4', 'labels', 'a']);
    expect(results[5].queue).toEqual({ name: 'many-4', priorityFactor: 2 });
    expect(results[1].queue).toBeNull();
    expect(await calls.read('taken')).toMatchObject({ priorityFactor: 7 });
    expect(await calls.read('many-2')).toEqual({ code: 'NOT_FOUND' });
  });

  it('takes 100 queues, not 101', async () => {
    const queues = Array.from({ length: 101 }, (_, at) => ({ name: `hundred-${at}`, priorityFactor: 0 }));
    const most = await mutate(app, 'createQueues', { queues: queues.slice(1) }, 'results { name }');
    expect(most.results).toHaveLength(100);
    expect(await mutate(app, 'createQueues', { queues })).toMatchObject({
      problems: [{ path: ['input', 'queues'], code: 'TooLarge' }],
    });
  });

  it('is refused as a whole without the role', async () => {
    const { authorization } = await newUser();
    const answer = await mutate(app, 'createQueues', { queues: [{ name: 'x' }] }, '', authorization);
    expect(answer.refused).toBe('PERMISSION_DENIED');
  });
});

describe('updateQueues', () => {
  it('answers for each queue, also if the caller may change only some of them', async () => {
    for (const name of ['own', 'seen', 'unseen']) await calls.create({ name });
    const user = await newUser({
      grants: [
        { type: 'QUEUE', id: await queueId('own'), level: 'MANAGE' },
        { type: 'QUEUE', id: await queueId('seen'), level: 'EDIT' },
      ],
    });
    const queues = ['unseen', 'seen', 'absent', 'own'].map((name) => ({ name, priorityFactor: 3 }));
    const { results } = await mutate(app, 'updateQueues', { queues }, outcomes, user.authorization);
    expect(results).toMatchObject([
      { name: 'unseen', error: { code: 'NOT_FOUND', path: ['input', 'queues', '0', 'name'] } },
      { name: 'seen', error: { code: 'PERMISSION_DENIED' } },
      { name: 'absent', error: { code: 'NOT_FOUND', path: ['input', 'queues', '2', 'name'] } },
      { name: 'own', queue: { priorityFactor: 3 }, error: null },
    ]);
    expect(await calls.read('seen')).toMatchObject({ priorityFactor: 1 });
    await flushDenials();
    const denials = await db.auditEvent.findMany({ where: { actorId: user.id, outcome: 'DENIED' } });
    expect(denials.map(({ action, targetName }) => [action, targetName]).sort()).toEqual([
      ['queue:update', 'seen'],
      ['queue:update', 'unseen'],
    ]);
  });
});

const defaultsWith = (more: object) => ({ ...defaultsFor(admin), ...more });

describe('a queue that hides from somebody', () => {
  it('still does so after it was replaced, unless this user is named', async () => {
    const { id } = (await calls.create({ name: 'closed' })).queue;
    const user = await newUser({ level: 'READ' });
    await grantTo({ userId: user.id }, 'QUEUE', id, 'NO_PERMISSIONS');
    await calls.update({ name: 'closed', priorityFactor: 2 });
    expect(await calls.read('closed', user.authorization)).toEqual({ code: 'NOT_FOUND' });
    // It is not among the permissions, which cannot say it.
    expect(await calls.read('closed')).toMatchObject(defaultsWith({ priorityFactor: 2 }));
    await calls.update({
      name: 'closed',
      permissions: [{ subjects: [{ kind: 'User', name: user.username }], verbs: ['watch'] }],
    });
    expect(await calls.read('closed', user.authorization)).toMatchObject({
      name: 'closed',
      permissions: null,
    });
  });
});

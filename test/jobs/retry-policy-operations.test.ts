/** Retry policies through the API. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { newTenant, newUser } from '../support/users.ts';
import { queueCalls } from './queue-stage.ts';

let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
});
afterAll(() => app.stop());

const fields = `
  name retryLimit defaultAction
  rules { action onCategory onSubcategory
          mutate { affinity { avoidSameNode } resources { memory { static factor } } } }`;
const create = (input: object, authorization?: string): Promise<Answer> =>
  mutate(app, 'createRetryPolicy', input, `retryPolicy { id ${fields} }`, authorization);
const update = (input: object): Promise<Answer> =>
  mutate(app, 'updateRetryPolicy', input, `retryPolicy { id ${fields} }`);
const remove = (name: string): Promise<Answer> =>
  mutate(app, 'deleteRetryPolicy', { name }, 'retryPolicy { name } detachedQueues');

const plain = { retryLimit: 3, defaultAction: 'FAIL' };
const rules = [
  { action: 'FAIL', onCategory: 'USER', onSubcategory: 'BadInput' },
  {
    action: 'RETRY',
    onCategory: 'USER',
    mutate: { affinity: { avoidSameNode: true }, resources: { memory: { factor: 1.5 } } },
  },
  { action: 'RETRY', onCategory: 'SYSTEM', mutate: { resources: { memory: { static: '8Gi' } } } },
  { action: 'RETRY', onCategory: 'UNKNOWN', mutate: {} },
];
const shown = [
  { ...rules[0], mutate: null },
  {
    ...{ action: 'RETRY', onCategory: 'USER', onSubcategory: null },
    mutate: { affinity: { avoidSameNode: true }, resources: { memory: { static: null, factor: 1.5 } } },
  },
  {
    ...{ action: 'RETRY', onCategory: 'SYSTEM', onSubcategory: null },
    mutate: { affinity: { avoidSameNode: false }, resources: { memory: { static: '8Gi', factor: null } } },
  },
  {
    ...{ action: 'RETRY', onCategory: 'UNKNOWN', onSubcategory: null },
    mutate: { affinity: { avoidSameNode: false }, resources: { memory: null } },
  },
];

describe('createRetryPolicy', () => {
  it('stores the policy with its rules in their order', async () => {
    const made = await create({ name: 'whole', ...plain, rules });
    expect(made.retryPolicy).toMatchObject({ name: 'whole', ...plain, rules: shown });
    const { data } = await app.ask(
      `query ($id: ID!) { byName: retryPolicy(by: { name: "whole" }) { id ${fields} }
         byId: retryPolicy(by: { id: $id }) { id ${fields} } node(id: $id) { id __typename } }`,
      { id: made.retryPolicy.id },
    );
    expect(data.byName).toEqual(made.retryPolicy);
    expect(data.byId).toEqual(made.retryPolicy);
    expect(data.node).toEqual({ id: made.retryPolicy.id, __typename: 'RetryPolicy' });
  });

  it('does not change a policy that exists, and creates one of two at the same time', async () => {
    const answers = await Promise.all(
      [1, 2].map((retryLimit) => create({ name: 'raced', ...plain, retryLimit })),
    );
    expect(answers.map(({ code }) => code ?? 'OK').sort()).toEqual(['ALREADY_EXISTS', 'OK']);
    expect(await create({ name: 'raced', ...plain, retryLimit: 9 })).toMatchObject({
      code: 'ALREADY_EXISTS',
      path: ['input', 'name'],
    });
    const { retryLimit } = await db.retryPolicy.findFirstOrThrow({ where: { name: 'raced' } });
    expect(retryLimit).toBe(answers.find(({ retryPolicy }) => retryPolicy)?.retryPolicy.retryLimit);
  });

  const memory = (given: object) => ({
    rules: [{ action: 'RETRY', onCategory: 'USER', mutate: { resources: { memory: given } } }],
  });
  const inMemory = ['rules', '0', 'mutate', 'resources', 'memory'];
  it.each<[string, object, string[]]>([
    ['an empty name', { name: '' }, ['name']],
    ['a name with a capital letter', { name: 'Upper' }, ['name']],
    ['a name of 64 characters', { name: 'x'.repeat(64) }, ['name']],
    ['a negative limit', { retryLimit: -1 }, ['retryLimit']],
    ['a limit of 1001', { retryLimit: 1001 }, ['retryLimit']],
    ['101 rules', { rules: Array(101).fill(rules[0]) }, ['rules']],
    [
      'an empty subcategory',
      { rules: [{ ...rules[0], onSubcategory: '' }] },
      ['rules', '0', 'onSubcategory'],
    ],
    [
      'a subcategory of 256 characters',
      { rules: [rules[0], { ...rules[0], onSubcategory: 'x'.repeat(256) }] },
      ['rules', '1', 'onSubcategory'],
    ],
    ['neither static nor factor', memory({}), inMemory],
    ['both static and factor', memory({ static: '1Gi', factor: 2 }), inMemory],
    ['a factor of 1', memory({ factor: 1 }), [...inMemory, 'factor']],
    ['a factor of 101', memory({ factor: 101 }), [...inMemory, 'factor']],
    ['an amount that is none', memory({ static: '8 GB' }), [...inMemory, 'static']],
    ['an amount of 0', memory({ static: '0' }), [...inMemory, 'static']],
    ['an amount that cannot be counted', memory({ static: '9E' }), [...inMemory, 'static']],
  ])('refuses %s', async (_what, given, path) => {
    const answer = await create({ name: 'refused', ...plain, ...given });
    expect(answer.problems.map((problem: Answer) => problem.path)).toEqual([['input', ...path]]);
    expect(await db.retryPolicy.count({ where: { name: 'refused' } })).toBe(0);
  });

  it('accepts the longest name, the largest limits and 100 rules', async () => {
    const most = { retryLimit: 1000, defaultAction: 'RETRY', rules: Array(100).fill(rules[2]) };
    expect((await create({ name: 'x'.repeat(63), ...most })).retryPolicy.rules).toHaveLength(100);
    expect((await create({ name: 'most', ...plain, ...memory({ factor: 100 }) })).retryPolicy).toBeTruthy();
  });

  it('requires SUPERUSER, also to see a policy', async () => {
    await create({ name: 'private', ...plain });
    const user = await newUser({ level: 'MANAGE' });
    expect((await create({ name: 'user', ...plain }, user.authorization)).refused).toBe('PERMISSION_DENIED');
    for (const query of ['retryPolicies { nodes { id } }', 'retryPolicy(by: { name: "private" }) { id }']) {
      const { errors } = await app.ask(`{ ${query} }`, {}, user.authorization);
      expect(errors?.[0]?.extensions.code).toBe('PERMISSION_DENIED');
    }
  });
});

describe('updateRetryPolicy', () => {
  it('replaces the whole policy', async () => {
    const { id } = (await create({ name: 'replaced', ...plain, rules })).retryPolicy;
    const after = { name: 'replaced', retryLimit: 0, defaultAction: 'RETRY' };
    expect((await update(after)).retryPolicy).toEqual({ id, ...after, rules: [] });
  });

  it('creates nothing', async () => {
    expect(await update({ name: 'absent', ...plain })).toMatchObject({ refused: 'NOT_FOUND' });
    expect(await db.retryPolicy.count({ where: { name: 'absent' } })).toBe(0);
  });

  it('refuses what createRetryPolicy refuses', async () => {
    await create({ name: 'strict', ...plain });
    expect(await update({ name: 'strict', ...plain, retryLimit: -1 })).toMatchObject({
      problems: [{ path: ['input', 'retryLimit'] }],
    });
  });
});

describe('deleteRetryPolicy', () => {
  it('takes the policy from all queues, and can be repeated', async () => {
    const { create: createQueue, read } = queueCalls(app);
    for (const name of ['left', 'other']) await create({ name, ...plain });
    await createQueue({ name: 'first', retryPolicies: ['left', 'other'] });
    await createQueue({ name: 'second', retryPolicies: ['other', 'left'] });
    expect(await remove('left')).toMatchObject({ retryPolicy: { name: 'left' }, detachedQueues: 2 });
    expect((await read('first')).retryPolicies).toEqual(['other']);
    expect((await read('second')).retryPolicies).toEqual(['other']);
    expect(await remove('left')).toMatchObject({ retryPolicy: null, detachedQueues: 0 });
  });

  it('refuses a text that cannot be a name', async () => {
    expect(await remove('No name')).toMatchObject({ problems: [{ path: ['input', 'name'] }] });
  });

  it('leaves no queue with a policy that is gone, if a queue takes it at the same time', async () => {
    const { create: createQueue, update: updateQueue, read } = queueCalls(app);
    for (let round = 0; round < 5; round += 1) {
      await create({ name: 'brief', ...plain });
      await createQueue({ name: `old-${round}`, retryPolicies: ['brief'] });
      await Promise.all([
        remove('brief'),
        createQueue({ name: `new-${round}`, retryPolicies: ['brief'] }),
        updateQueue({ name: `old-${round}`, retryPolicies: ['brief'], priorityFactor: 2 }),
      ]);
      for (const name of [`old-${round}`, `new-${round}`]) {
        const queue = await read(name);
        expect([name, queue.retryPolicies ?? []]).toEqual([name, []]);
      }
    }
  });
});

describe('retryPolicies', () => {
  it('lists the policies of the tenant by name', async () => {
    const tenantId = await newTenant('policies');
    const { authorization } = await newUser({ role: 'SUPERUSER', tenantId });
    for (const name of ['b', 'c', 'a']) await create({ name, ...plain }, authorization);
    const { data } = await app.ask('{ retryPolicies { totalCount nodes { name } } }', {}, authorization);
    expect(data.retryPolicies).toEqual({
      totalCount: 3,
      nodes: [{ name: 'a' }, { name: 'b' }, { name: 'c' }],
    });
    const lookUp = await app.ask('{ retryPolicy(by: { name: "whole" }) { id } }', {}, authorization);
    expect(lookUp.errors?.[0]?.extensions.code).toBe('NOT_FOUND');
  });
});

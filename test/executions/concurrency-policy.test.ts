import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listPlansWithWaiting } from '../../src/executions/store/slots.ts';
import { db } from '../../src/platform/database/client.ts';
import { type Answer, type LocalApp, startApp } from '../support/app.ts';
import { bind, promise, registerFlow } from '../support/flows.ts';
import { Hands } from '../support/hands.ts';
import { mutate } from '../support/mutate.ts';
import {
  createLaunchPlan,
  domain,
  eventually,
  integer,
  keyOf,
  launch,
  readExecution,
  registerProject,
  registerTask,
  registerWorkflow,
  untilEnded,
} from '../support/seed.ts';

const project = 'limits';
let app: LocalApp;
let hands: Hands;

beforeAll(async () => {
  app = await startApp();
  hands = new Hands(app);
  await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerWorkflow(app, project, 'one', { a: [] });
});
afterAll(() => app.stop());

/** Registers a version of a launch plan with a policy. */
async function limit(name: string, max: number, behavior: string, version = 'v1'): Promise<void> {
  const plan = await createLaunchPlan(app, {
    key: keyOf(project, name, version),
    workflow: { key: keyOf(project, 'one') },
    defaultInputs: { x: 1 },
    concurrencyPolicy: { max, behavior },
  });
  expect(plan, JSON.stringify(plan)).toMatchObject({ __typename: 'CreateLaunchPlanPayload' });
}

const create = (plan: string, more: object = {}, version = 'v1'): Promise<Answer> =>
  mutate(
    app,
    'createExecution',
    { project, domain, launchPlan: { key: keyOf(project, plan, version) }, ...more },
    'execution { id phase queuedByConcurrencyPolicy }',
  );
const createId = async (plan: string, more: object = {}): Promise<string> => {
  const answer = await create(plan, more);
  expect(answer, JSON.stringify(answer)).toHaveProperty('execution.id');
  return answer['execution'].id;
};

const ofPlan = async (name: string) => {
  const plans = await db.launchPlan.findMany({ where: { name } });
  return await db.execution.findMany({
    where: { launchPlanId: { in: plans.map(({ id }) => id) } },
    orderBy: { createdAt: 'asc' },
  });
};

const isRunning = (id: string) =>
  eventually(
    () => readExecution(app, id),
    ({ phase }) => phase === 'RUNNING',
  );

/** Lets the one execution that has a job succeed. @returns the id of the execution. */
async function finishNext(): Promise<string> {
  const run = await hands.leaseNode('a');
  await hands.start(run);
  await hands.succeed(run, { y: 2 });
  const id = run.environment['SLIPWAY_EXECUTION_ID'] ?? '';
  await untilEnded(app, id);
  return id;
}

describe('the concurrency policy SKIP', () => {
  it('creates no more executions than it allows, also when many ask at the same time', async () => {
    await limit('skip', 2, 'SKIP');
    const answers = await Promise.all(Array.from({ length: 12 }, () => create('skip')));
    expect(answers.filter((answer) => 'execution' in answer)).toHaveLength(2);
    const refused = answers.filter((answer) => !('execution' in answer));
    expect(new Set(refused.map(({ code }) => code))).toEqual(new Set(['ALREADY_EXISTS']));
    expect(refused[0]).toMatchObject({
      path: ['input', 'launchPlan'],
      message:
        'the launch plan skip has 2 executions that have not ended, and its concurrency policy allows 2',
    });
    expect(await ofPlan('skip')).toHaveLength(2);
  });

  it('counts the executions of all versions', async () => {
    await limit('skip', 2, 'SKIP', 'v2');
    expect(await create('skip', {}, 'v2')).toMatchObject({ code: 'ALREADY_EXISTS' });
  });

  it('creates another one when one has ended', async () => {
    await finishNext();
    const id = await createId('skip');
    expect(await create('skip')).toMatchObject({ code: 'ALREADY_EXISTS' });
    expect([await finishNext(), await finishNext()]).toContain(id);
  });

  it('fails a node that would start one too many', async () => {
    await limit('child', 1, 'SKIP');
    await registerFlow(app, project, 'parent', {
      inputs: { x: integer },
      nodes: [
        {
          id: 'call',
          inputs: bind({ x: promise('', 'x') }),
          workflowNode: { launchplanRef: keyOf(project, 'child') },
        },
      ],
    });
    await createId('child');
    const id = await launch(app, project, 'parent', { inputs: { x: 1 } });
    expect(await untilEnded(app, id)).toMatchObject({
      phase: 'FAILED',
      nodes: { call: { phase: 'FAILED', error: { code: 'ConcurrencyLimitReached', kind: 'USER' } } },
    });
    await finishNext();
  });
});

describe('an execution that waits', () => {
  it('takes no place from a version that lets none wait', async () => {
    await limit('mixed', 1, 'QUEUE');
    await limit('mixed', 2, 'SKIP', 'v2');
    await createId('mixed');
    expect(await create('mixed')).toMatchObject({ execution: { queuedByConcurrencyPolicy: true } });
    expect(await create('mixed', {}, 'v2')).toMatchObject({
      execution: { queuedByConcurrencyPolicy: false },
    });
    expect(await create('mixed', {}, 'v2')).toMatchObject({
      code: 'ALREADY_EXISTS',
      message: expect.stringContaining('has 2 executions that have not ended'),
    });
    for (const _ of [1, 2, 3]) await finishNext();
  });
});

describe('without a limit', () => {
  it.each([
    ['max 0', 0, 'SKIP'],
    ['no behavior', 1, 'UNSPECIFIED'],
  ])('every execution starts: %s', async (name, max, behavior) => {
    const plan = `free-${name.replace(' ', '-')}`;
    await limit(plan, max, behavior);
    for (const _ of [1, 2])
      expect(await create(plan)).toMatchObject({ execution: { queuedByConcurrencyPolicy: false } });
    for (const _ of [1, 2]) await finishNext();
  });
});

describe('the concurrency policy QUEUE', () => {
  it('lets executions wait, and starts the oldest one when another has ended', async () => {
    await limit('queue', 1, 'QUEUE');
    const first = await createId('queue');
    const answers = [await create('queue'), await create('queue')];
    for (const answer of answers)
      expect(answer).toMatchObject({ execution: { phase: 'QUEUED', queuedByConcurrencyPolicy: true } });
    const [second, third] = answers.map((answer) => answer['execution'].id);
    await isRunning(first);
    expect(await finishNext()).toBe(first);
    await isRunning(second);
    expect(await readExecution(app, third)).toMatchObject({ phase: 'QUEUED', nodes: {} });
    expect([await finishNext(), await finishNext()]).toEqual([second, third]);
    expect((await ofPlan('queue')).every(({ awaitsSlot }) => !awaitsSlot)).toBe(true);
  });

  it('lets a waiting execution be aborted, which runs nothing and keeps no place', async () => {
    const first = await createId('queue');
    const waiting = await createId('queue');
    const last = await createId('queue');
    await mutate(app, 'terminateExecution', { by: { id: waiting }, cause: 'not needed' });
    expect(await untilEnded(app, waiting)).toMatchObject({ phase: 'ABORTED', startedAt: null, nodes: {} });
    const { data } = await app.ask(
      'query ($id: ID!) { execution(by: { id: $id }) { queuedByConcurrencyPolicy } }',
      { id: waiting },
    );
    expect(data.execution.queuedByConcurrencyPolicy).toBe(false);
    expect([await finishNext(), await finishNext()]).toEqual([first, last]);
    expect(await listPlansWithWaiting(100)).toEqual([]);
  });

  it('never runs more than it allows, also when many are created at the same time', async () => {
    await limit('crowd', 2, 'QUEUE');
    const answers = await Promise.all(Array.from({ length: 10 }, () => create('crowd')));
    const waiting = answers.filter((answer) => answer['execution'].queuedByConcurrencyPolicy);
    expect(waiting).toHaveLength(8);
    for (let ended = 0; ended < 10; ended += 1) {
      const open = (await ofPlan('crowd')).filter(({ endedAt }) => endedAt === null);
      expect(open.filter(({ awaitsSlot }) => !awaitsSlot).length).toBeLessThanOrEqual(2);
      await finishNext();
    }
    expect((await ofPlan('crowd')).map(({ phase }) => phase)).toEqual(Array(10).fill('SUCCEEDED'));
  });

  it('refuses an execution of an engine from outside, which would not wait', async () => {
    await limit('outside', 1, 'QUEUE');
    await createId('outside', { engine: 'EXTERNAL' });
    expect(await create('outside', { engine: 'EXTERNAL' })).toMatchObject({ code: 'ALREADY_EXISTS' });
  });
});

describe('the concurrency policy REPLACE', () => {
  it('aborts the oldest execution, and starts the new one when it has ended', async () => {
    await limit('replace', 1, 'REPLACE');
    const first = await createId('replace');
    const run = await hands.leaseNode('a');
    await hands.start(run);
    const second = await createId('replace');
    expect(await readExecution(app, first)).toMatchObject({
      phase: 'ABORTING',
      abort: { cause: 'a newer execution of the launch plan replaces it', principal: { username: 'admin' } },
    });
    expect(await readExecution(app, second)).toMatchObject({ phase: 'QUEUED', nodes: {} });
    await hands.stopCancelled();
    expect(await untilEnded(app, first)).toMatchObject({ phase: 'ABORTED' });
    expect(await finishNext()).toBe(second);
  });

  it('aborts the executions that wait, too, so that only the newest one is left', async () => {
    const first = await createId('replace');
    const run = await hands.leaseNode('a');
    await hands.start(run);
    const second = await createId('replace');
    const third = await createId('replace');
    expect(await untilEnded(app, second)).toMatchObject({ phase: 'ABORTED', nodes: {} });
    await hands.stopCancelled();
    await untilEnded(app, first);
    expect(await finishNext()).toBe(third);
  });

  it('aborts nothing for an execution whose name is taken', async () => {
    const first = await createId('replace', { name: 'holder' });
    expect(await create('replace', { name: 'holder' })).toMatchObject({ code: 'ALREADY_EXISTS' });
    expect((await readExecution(app, first)).abort).toBeNull();
    expect(await finishNext()).toBe(first);
  });
});

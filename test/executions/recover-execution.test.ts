import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Level } from '../../src/generated/prisma/enums.ts';
import { db } from '../../src/platform/database/client.ts';
import { type Answer, type LocalApp, startApp } from '../support/app.ts';
import { bind, doubleIn, type Flow, listOf, promise, registerFlow } from '../support/flows.ts';
import { Hands } from '../support/hands.ts';
import { make, mutate } from '../support/mutate.ts';
import {
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
import { newUser } from '../support/users.ts';

const project = 'recovery';
const double = doubleIn(project);
let app: LocalApp;
let hands: Hands;

beforeAll(async () => {
  app = await startApp();
  hands = new Hands(app);
  await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerTask(app, project, 'report', { inputs: { err: { simple: 'ERROR' } }, outputs: {} });
});
afterAll(() => app.stop());

const recover = (id: string, more: object = {}, authorization?: string) =>
  mutate(
    app,
    'recoverExecution',
    { by: { id }, ...more },
    'execution { id name mode phase maxParallelism data { inputs } }',
    authorization,
  );
const recoverId = (id: string): Promise<string> => make(app, 'recoverExecution', { by: { id } }, 'execution');

async function succeed(nodeId: string): Promise<void> {
  const run = await hands.leaseNode(nodeId);
  await hands.start(run);
  await hands.succeed(run, { y: Number(run.inputs['x']) * 2 });
}
async function fail(nodeId: string): Promise<void> {
  const run = await hands.leaseNode(nodeId);
  await hands.start(run);
  await hands.fail(run);
}

/** The phases of all nodes of an execution. */
async function phasesOf(executionId: string): Promise<Record<string, string>> {
  const rows = await db.nodeExecution.findMany({ where: { executionId } });
  return Object.fromEntries(rows.map(({ nodeId, phase }) => [nodeId, phase]));
}

/** The nodes that got a job, by id. */
async function nodesWithJobs(executionId: string): Promise<string[]> {
  const rows = await db.taskExecution.findMany({ where: { executionId }, include: { node: true } });
  return rows.map(({ node }) => node.nodeId).sort();
}

const inner: Flow = {
  inputs: { x: integer },
  outputs: { z: integer },
  bound: { z: promise('second', 'y') },
  nodes: [double('first', promise('', 'x')), double('second', promise('first', 'y'))],
};
const callInner = (id: string, x: object) => ({
  id,
  inputs: bind({ x }),
  workflowNode: { subWorkflowRef: keyOf(project, 'inner') },
});

describe('recoverExecution', () => {
  it('runs only the nodes that did not succeed, and uses the outputs of the others', async () => {
    await registerFlow(app, project, 'line', {
      inputs: { x: integer },
      outputs: { z: integer },
      bound: { z: promise('c', 'y') },
      nodes: [double('a', promise('', 'x')), double('b', promise('a', 'y')), double('c', promise('b', 'y'))],
    });
    const source = await launch(app, project, 'line', { inputs: { x: 3 }, maxParallelism: 7 });
    await succeed('a');
    await fail('b');
    await untilEnded(app, source);

    const recovered = await recover(source, { name: 'second-try' });
    expect(recovered).toMatchObject({
      execution: {
        name: 'second-try',
        mode: 'RECOVERED',
        phase: 'QUEUED',
        maxParallelism: 7,
        data: { inputs: { x: 3 } },
      },
    });
    await succeed('b');
    await succeed('c');
    const { id } = recovered['execution'];
    const execution = await untilEnded(app, id);
    expect(execution).toMatchObject({
      phase: 'SUCCEEDED',
      data: { outputs: { z: 24 } },
      nodes: {
        a: { phase: 'RECOVERED', data: { inputs: { x: 3 }, outputs: { y: 6 } }, latestAttempt: null },
        b: { phase: 'SUCCEEDED', data: { inputs: { x: 6 } } },
      },
    });
    expect(execution.nodeCounts).toEqual([
      { phase: 'RECOVERED', count: 1 },
      { phase: 'SUCCEEDED', count: 2 },
    ]);
    expect(await nodesWithJobs(id)).toEqual(['b', 'c']);
    const row = await db.execution.findUniqueOrThrow({ where: { id } });
    expect(row).toMatchObject({ referenceId: source, sourceId: source, nesting: 0, parentNodeId: null });
  });

  it('recovers an execution that was itself recovered', async () => {
    const source = await launch(app, project, 'line', { inputs: { x: 1 } });
    await succeed('a');
    await fail('b');
    await untilEnded(app, source);
    const second = await recoverId(source);
    await succeed('b');
    await fail('c');
    await untilEnded(app, second);
    const third = await recoverId(second);
    await succeed('c');
    expect(await untilEnded(app, third)).toMatchObject({ phase: 'SUCCEEDED', data: { outputs: { z: 8 } } });
    expect(await phasesOf(third)).toEqual({ a: 'RECOVERED', b: 'RECOVERED', c: 'SUCCEEDED' });
  });

  it('recovers the nodes inside of a workflow and a branch that failed, and all of those that succeeded', async () => {
    const condition = {
      comparison: { operator: 'GT', leftValue: { var: 'n' }, rightValue: { value: 0 } },
    };
    await registerFlow(
      app,
      project,
      'nested',
      {
        inputs: { x: integer },
        nodes: [
          callInner('done', promise('', 'x')),
          {
            id: 'choice',
            inputs: bind({ n: promise('', 'x') }),
            upstreamNodeIds: ['done'],
            branchNode: {
              ifElse: {
                case: { condition, thenNode: callInner('then', promise('done', 'z')) },
                error: { message: 'no case' },
              },
            },
          },
        ],
      },
      { inner },
    );
    const source = await launch(app, project, 'nested', { inputs: { x: 1 } });
    await succeed('done:first');
    await succeed('done:second');
    await succeed('choice:then:first');
    await fail('choice:then:second');
    await untilEnded(app, source);

    const id = await recoverId(source);
    await succeed('choice:then:second');
    expect(await untilEnded(app, id)).toMatchObject({ phase: 'SUCCEEDED' });
    expect(await phasesOf(id)).toEqual({
      done: 'RECOVERED',
      choice: 'SUCCEEDED',
      'choice:then': 'SUCCEEDED',
      'choice:then:first': 'RECOVERED',
      'choice:then:second': 'SUCCEEDED',
    });
    expect(await nodesWithJobs(id)).toEqual(['choice:then:second']);
  });

  it('runs only the items of an array that did not succeed', async () => {
    await registerFlow(app, project, 'each', {
      inputs: { xs: listOf(integer) },
      outputs: { ys: listOf(integer) },
      bound: { ys: promise('fan', 'y') },
      nodes: [
        {
          id: 'fan',
          inputs: bind({ x: promise('', 'xs') }),
          arrayNode: { node: { id: 'item', taskNode: { referenceId: keyOf(project, 'double') } } },
        },
      ],
    });
    const source = await launch(app, project, 'each', { inputs: { xs: [1, 2, 3] } });
    await succeed('fan:0');
    await succeed('fan:2');
    await fail('fan:1');
    await untilEnded(app, source);

    const id = await recoverId(source);
    await succeed('fan:1');
    expect(await untilEnded(app, id)).toMatchObject({
      phase: 'SUCCEEDED',
      data: { outputs: { ys: [2, 4, 6] } },
    });
    expect(await nodesWithJobs(id)).toEqual(['fan:1']);
  });

  it('runs a failure node again', async () => {
    await registerFlow(app, project, 'guarded', {
      inputs: { x: integer },
      nodes: [double('work', promise('', 'x'))],
      failureNode: { id: 'clean', taskNode: { referenceId: keyOf(project, 'report') } },
    });
    const clean = async () => {
      const run = await hands.leaseNode('clean');
      await hands.start(run);
      await hands.succeed(run, {});
    };
    const source = await launch(app, project, 'guarded', { inputs: { x: 1 } });
    await fail('work');
    await clean();
    await untilEnded(app, source);
    const id = await recoverId(source);
    await fail('work');
    await clean();
    expect(await untilEnded(app, id)).toMatchObject({ phase: 'FAILED' });
    expect(await nodesWithJobs(id)).toEqual(['clean', 'work']);
  });

  it('recovers the execution that a launch plan node had started', async () => {
    await registerWorkflow(app, project, 'child', { a: [], b: ['a'] });
    await registerFlow(app, project, 'parent', {
      inputs: { x: integer },
      outputs: { z: integer },
      bound: { z: promise('call', 'z') },
      nodes: [
        {
          id: 'call',
          inputs: bind({ x: promise('', 'x') }),
          workflowNode: { launchplanRef: keyOf(project, 'child') },
        },
      ],
    });
    const source = await launch(app, project, 'parent', { inputs: { x: 5 } });
    await succeed('a');
    await fail('b');
    await untilEnded(app, source);
    const firstChild = await db.execution.findFirstOrThrow({ where: { sourceId: source, nesting: 1 } });

    const id = await recoverId(source);
    await succeed('b');
    expect(await untilEnded(app, id)).toMatchObject({ phase: 'SUCCEEDED', data: { outputs: { z: 20 } } });
    const child = await db.execution.findFirstOrThrow({ where: { sourceId: id, nesting: 1 } });
    expect(child).toMatchObject({ mode: 'RECOVERED', referenceId: firstChild.id });
    expect(await phasesOf(child.id)).toEqual({ a: 'RECOVERED', b: 'SUCCEEDED' });
  });

  it('starts the execution of a launch plan node afresh if the earlier one was deleted', async () => {
    const source = await launch(app, project, 'parent', { inputs: { x: 5 } });
    await fail('a');
    await untilEnded(app, source);
    await db.execution.deleteMany({ where: { sourceId: source } });
    const id = await recoverId(source);
    await succeed('a');
    await succeed('b');
    expect(await untilEnded(app, id)).toMatchObject({ phase: 'SUCCEEDED' });
    const child = await db.execution.findFirstOrThrow({ where: { sourceId: id } });
    expect(child).toMatchObject({ mode: 'CHILD_WORKFLOW', referenceId: null });
  });

  it('refuses an execution that runs or has succeeded, and says its phase', async () => {
    const id = await launch(app, project, 'line', { inputs: { x: 1 } });
    await eventually(
      () => readExecution(app, id),
      ({ phase }) => phase === 'RUNNING',
    );
    expect(await recover(id)).toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringContaining('RUNNING'),
    });
    for (const nodeId of ['a', 'b', 'c']) await succeed(nodeId);
    await untilEnded(app, id);
    expect(await recover(id)).toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringContaining('SUCCEEDED'),
    });
  });

  describe('of an execution whose first node failed', () => {
    let failed: string;
    beforeAll(async () => {
      failed = await launch(app, project, 'line', { inputs: { x: 1 } });
      await fail('a');
      await untilEnded(app, failed);
    });

    it('gives a name to only one of many that ask for it at the same time', async () => {
      const answers: Answer[] = await Promise.all(
        Array.from({ length: 8 }, () => recover(failed, { name: 'only-one' })),
      );
      expect(answers.filter((answer) => 'execution' in answer)).toHaveLength(1);
      expect(answers.filter((answer) => answer['code'] === 'ALREADY_EXISTS')).toHaveLength(7);
      expect(await recover(failed, { name: 'Not-A-Name' })).toMatchObject({
        code: 'INVALID_ARGUMENT',
        problems: [{ path: ['input', 'name'] }],
      });
    });

    it('requires USE, and does not tell a stranger that the execution exists', async () => {
      const { id: projectId } = await db.project.findFirstOrThrow({ where: { identifier: project } });
      const withLevel = (level: Level) => newUser({ grants: [{ type: 'PROJECT', id: projectId, level }] });
      const [reader, launcher] = [await withLevel('READ'), await withLevel('USE')];
      const stranger = await newUser();
      expect(await recover(failed, {}, reader.authorization)).toMatchObject({ code: 'PERMISSION_DENIED' });
      expect(await recover(failed, {}, stranger.authorization)).toMatchObject({ code: 'NOT_FOUND' });
      expect(await recover(failed, {}, launcher.authorization)).toMatchObject({
        execution: { mode: 'RECOVERED' },
      });
    });

    it('refuses if the project is archived', async () => {
      await db.project.updateMany({ where: { identifier: project }, data: { state: 'ARCHIVED' } });
      expect(await recover(failed)).toMatchObject({ code: 'INVALID_ARGUMENT' });
    });
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { type Answer, type LocalApp, startApp } from '../support/app.ts';
import { bind, doubleIn, type Flow, listOf, promise, registerFlow } from '../support/flows.ts';
import { Hands } from '../support/hands.ts';
import { endOf, make } from '../support/mutate.ts';
import {
  integer,
  keyOf,
  launch,
  registerProject,
  registerTask,
  registerWorkflow,
  untilEnded,
} from '../support/seed.ts';
import { countStatements } from '../support/statements.ts';
import { newUser } from '../support/users.ts';

const project = 'planning';
const double = doubleIn(project);
const x = promise('', 'x');
let app: LocalApp;
let hands: Hands;

const inner: Flow = {
  inputs: { x: integer },
  outputs: { z: integer },
  bound: { z: promise('second', 'y') },
  nodes: [double('first', x), double('second', promise('first', 'y'))],
};
const call = { inputs: bind({ x }), workflowNode: { subWorkflowRef: keyOf(project, 'inner') } };
const fan = (id: string) => ({
  id,
  inputs: bind({ x: promise('', 'xs') }),
  arrayNode: { node: { id: 'item', taskNode: { referenceId: keyOf(project, 'double') } } },
});
const flow: Flow = {
  inputs: { x: integer, xs: listOf(integer) },
  nodes: [
    double('after', promise('sub', 'z')),
    double('done', x),
    { id: 'sub', ...call },
    { id: 'started', ...call },
    { id: 'launched', inputs: bind({ x }), workflowNode: { launchplanRef: keyOf(project, 'one') } },
    fan('some'),
  ],
  failureNode: { id: 'cleanup', inputs: [], taskNode: { referenceId: keyOf(project, 'tidy') } },
  onFailure: 'FAIL_AFTER_EXECUTABLE_NODES_COMPLETE',
};

beforeAll(async () => {
  app = await startApp();
  hands = new Hands(app);
  await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerTask(app, project, 'tidy', { inputs: {}, outputs: {} });
  await registerWorkflow(app, project, 'one', { only: [] });
  await registerFlow(app, project, 'mixed', flow, { inner });
});
afterAll(() => app.stop());

async function end(nodeId: string, isGood: boolean): Promise<void> {
  const run = await hands.leaseNode(nodeId);
  await hands.start(run);
  await (isGood ? hands.succeed(run, nodeId === 'cleanup' ? {} : { y: 2 }) : hands.fail(run));
}

const document = `query ($by: ExecutionByInput!) {
  recoveryPlan(by: $by) { obstacle nodes { nodeId kind action nodeExecution { nodeId phase } } }
}`;
const planOf = (id: string, authorization?: string) => app.ask(document, { by: { id } }, authorization);

describe('recoveryPlan', () => {
  let source: string;

  it('says of each node what a recovery then does', async () => {
    source = await launch(app, project, 'mixed', { inputs: { x: 1, xs: [1, 2] } });
    // The workflow inside of `sub` got as far as its second node, the one inside of `started` only to its first.
    const ends: [string, boolean][] = [
      ['done', true],
      ['sub:first', true],
      ['started:first', false],
      ['only', false],
      ['some:0', true],
      ['some:1', false],
      ['sub:second', false],
      ['cleanup', true],
    ];
    for (const [nodeId, isGood] of ends) await end(nodeId, isGood);
    expect((await untilEnded(app, source)).phase).toBe('FAILED');

    const { data, errors } = await planOf(source);
    expect(errors).toBeUndefined();
    const planned: Answer[] = data.recoveryPlan.nodes;
    expect(planned.map(({ nodeId, kind, action }) => [nodeId, kind, action])).toEqual([
      ['after', 'TASK', 'RUN'],
      ['done', 'TASK', 'REUSE'],
      ['sub', 'WORKFLOW', 'CONTINUE'],
      ['started', 'WORKFLOW', 'RUN'],
      ['launched', 'LAUNCH_PLAN', 'CONTINUE'],
      ['some', 'ARRAY', 'CONTINUE'],
    ]);
    expect(planned.map(({ nodeExecution }) => nodeExecution?.phase ?? null)).toEqual([
      null,
      'SUCCEEDED',
      'FAILED',
      'FAILED',
      'FAILED',
      'FAILED',
    ]);

    const recovered = await make(app, 'recoverExecution', { by: { id: source } }, 'execution');
    for (const nodeId of ['sub:second', 'started:first', 'started:second', 'only', 'some:1', 'after'])
      await end(nodeId, true);
    expect((await untilEnded(app, recovered)).phase).toBe('SUCCEEDED');
    const nodes = await db.nodeExecution.findMany({ where: { executionId: recovered, phase: 'RECOVERED' } });
    expect(nodes.map(({ nodeId }) => nodeId).sort()).toEqual(['done', 'some:0', 'sub:first']);
  });

  it('tells why there is nothing to recover, or not yet', async () => {
    const open = await launch(app, project, 'one');
    expect((await planOf(open)).data.recoveryPlan.obstacle).toContain('wait until it has ended, or abort it');
    await end('only', true);
    await untilEnded(app, open);
    expect((await planOf(open)).data.recoveryPlan).toMatchObject({
      obstacle: 'the execution has SUCCEEDED, so there is nothing to recover',
      nodes: [{ nodeId: 'only', action: 'REUSE' }],
    });
    expect((await planOf(source)).data.recoveryPlan.obstacle).toBeNull();
  });

  it('looks for executions at any depth, and does not count failure nodes', async () => {
    const calls = { inputs: bind({ x }), workflowNode: { launchplanRef: keyOf(project, 'one') } };
    const tidy = { id: 'tidy', inputs: [], taskNode: { referenceId: keyOf(project, 'tidy') } };
    const of = (name: string) => ({
      id: name,
      inputs: bind({ x }),
      workflowNode: { subWorkflowRef: keyOf(project, name) },
    });
    const subs: Record<string, Flow> = {
      calling: { inputs: { x: integer }, nodes: [{ id: 'call', ...calls }] },
      tidying: { inputs: { x: integer }, nodes: [double('work', x)], failureNode: tidy },
    };
    const nodes = [of('calling'), of('tidying')];
    const onFailure = 'FAIL_AFTER_EXECUTABLE_NODES_COMPLETE';
    await registerFlow(app, project, 'deep', { inputs: { x: integer }, nodes, onFailure }, subs);
    const id = await launch(app, project, 'deep', { inputs: { x: 1 } });
    await end('only', false);
    await end('tidying:work', false);
    const run = await hands.leaseNode('tidying:tidy');
    await hands.start(run);
    await hands.succeed(run, {});
    await untilEnded(app, id);
    const planned: Answer[] = (await planOf(id)).data.recoveryPlan.nodes;
    expect(planned.map(({ nodeId, action }) => [nodeId, action])).toEqual([
      ['calling', 'CONTINUE'],
      ['tidying', 'RUN'],
    ]);
  });

  it('does not find what is hidden, and is open to readers', async () => {
    const [reader, stranger] = [
      await newUser({ role: 'GUEST', level: 'READ' }),
      await newUser({ role: 'USER', level: 'NO_PERMISSIONS' }),
    ];
    expect((await planOf(source, reader.authorization)).data.recoveryPlan.nodes).toHaveLength(6);
    expect(endOf(await planOf(source, stranger.authorization))).toBe('NOT_FOUND');
  });

  it('takes as many statements for six nodes as for one', async () => {
    const short = await launch(app, project, 'one');
    await end('only', false);
    await untilEnded(app, short);
    await app.stopScheduler();
    const counted = async (id: string) => {
      // The compiled workflow is cached.
      await planOf(id);
      return (await countStatements(() => planOf(id))).statements.length;
    };
    const [many, one] = [await counted(source), await counted(short)];
    expect(many).toBe(one);
  });
});

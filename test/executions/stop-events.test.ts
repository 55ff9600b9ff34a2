/** The events of executions and nodes that somebody stops say who wanted it and why. The test runs the turns itself. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assignPool } from '../../src/jobs/commands/assign-jobs.ts';
import { db } from '../../src/platform/database/client.ts';
import { advanceExecution } from '../../src/scheduler/advance-executions.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { bind, doubleIn, listOf, promise, registerFlow } from '../support/flows.ts';
import { Hands } from '../support/hands.ts';
import { heard } from '../support/heard.ts';
import { endOf, mutate } from '../support/mutate.ts';
import { integer, keyOf, launch, registerProject, registerTask, registerWorkflow } from '../support/seed.ts';
import { countStatements } from '../support/statements.ts';
import { newUser, type User } from '../support/users.ts';
import { overSse } from '../support/watch.ts';

const project = 'stopped-events';
let app: App;
let hands: Hands;
let tenantId: string;
let editor: User;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  hands = new Hands(app);
  tenantId = (await db.tenant.findFirstOrThrow()).id;
  await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerWorkflow(app, project, 'one', { a: [] });
  await registerWorkflow(app, project, 'two', { a: [], b: [] });
  const item = { node: { id: 'item', taskNode: { referenceId: keyOf(project, 'double') } } };
  const fan = { id: 'fan', inputs: bind({ x: promise('', 'xs') }), arrayNode: item };
  const outer = { id: 'outer', inputs: bind({ xs: promise('', 'xs') }) };
  const inner = { inputs: { xs: listOf(integer) }, nodes: [fan] };
  const nodes = [{ ...outer, workflowNode: { subWorkflowRef: keyOf(project, 'inner') } }];
  await registerFlow(app, project, 'nested', { inputs: { xs: listOf(integer) }, nodes }, { inner });
  await registerFlow(app, project, 'fan', inner);
  const gate = { id: 'gate', gateNode: { approve: { signalId: 'go' } } };
  await registerFlow(app, project, 'gate', {
    inputs: { x: integer },
    nodes: [gate, doubleIn(project)('a', promise('', 'x'))],
  });
  editor = await newUser({ role: 'USER', level: 'EDIT' });
});
afterAll(() => app.stop());

/** Takes turns until there is nothing to do. */
async function turns(id: string): Promise<void> {
  while (await advanceExecution(id));
}

/** Gives the jobs that wait to the executor, and applies this. */
async function lease(id: string) {
  await hands.lease({ wait: 'PT0S', maxJobs: 100 });
  await assignPool({ tenantId, name: 'default' }, 30);
  const { runs } = await hands.lease({ wait: 'PT0S', maxJobs: 100 });
  await turns(id);
  return runs;
}

const eventOf = `__typename reason principal { username } error { code }`;
const documents = {
  executionEvents: `subscription ($id: ID!) { executionEvents(by: { id: $id }) { phase ${eventOf} } }`,
  nodeExecutionEvents: `subscription ($id: ID!) {
    nodeExecutionEvents(by: { id: $id }) {
      nodeId ${eventOf}
      ... on NodeAbortEvent { phase } ... on NodePhaseEvent { phase } ... on TaskPhaseEvent { taskPhase }
    }
  }`,
};

/** All events of an execution that has ended. */
async function eventsOf(id: string, field: keyof typeof documents): Promise<Answer[]> {
  const events: Answer[] = [];
  for await (const { data, errors } of overSse(app, documents[field], { id })) {
    expect(errors).toBeUndefined();
    events.push(data[field]);
  }
  return events;
}

/** The events of nodes that say something about a stop. */
const stopsOf = async (id: string) =>
  (await eventsOf(id, 'nodeExecutionEvents')).filter(
    ({ __typename, phase }) => __typename === 'NodeAbortEvent' || phase === 'ABORTED',
  );

const nodeIdOf = async (executionId: string, nodeId: string) =>
  (await db.nodeExecution.findUniqueOrThrow({ where: { executionId_nodeId: { executionId, nodeId } } })).id;

async function terminateNode(executionId: string, nodeId: string, cause: string, user = editor) {
  const by = { id: await nodeIdOf(executionId, nodeId) };
  const answer = await mutate(app, 'terminateNodeExecution', { by, cause }, '', user.authorization);
  expect(endOf(answer)).toBe('OK');
}

const by = ({ username }: User, reason: string) => ({ reason, principal: { username } });
const byNobody = (reason: string) => ({ reason, principal: null });

describe('a node that a user stops', () => {
  it('has an event of each request, and says at its end who stopped it and why', async () => {
    const other = await newUser({ role: 'USER', level: 'EDIT' });
    const id = await launch(app, project, 'two');
    await turns(id);
    await lease(id);
    await terminateNode(id, 'a', 'too slow', other);
    await terminateNode(id, 'a', 'too dear');
    await turns(id);
    await hands.stopCancelled();
    await turns(id);
    await hands.stopCancelled();
    await turns(id);
    const request = { __typename: 'NodeAbortEvent', nodeId: 'a', phase: 'QUEUED', error: null };
    const end = { __typename: 'NodePhaseEvent', phase: 'ABORTED', error: null };
    expect(await stopsOf(id)).toEqual([
      { ...request, ...by(other, 'too slow') },
      { ...request, ...by(editor, 'too dear') },
      { ...end, nodeId: 'a', ...by(editor, 'too dear') },
      // Nobody has asked to stop the other node.
      { ...end, nodeId: 'b', ...byNobody('another node of the execution failed') },
    ]);
  });

  it('names nobody if its work succeeds before it is stopped', async () => {
    const id = await launch(app, project, 'one');
    await turns(id);
    const [run] = await lease(id);
    if (!run) throw new Error('the node has no run');
    await hands.start(run);
    await turns(id);
    await terminateNode(id, 'a', 'too late');
    await hands.succeed(run, { y: 2 });
    await turns(id);
    const events = await eventsOf(id, 'nodeExecutionEvents');
    const ofNode = events.filter(({ __typename }) => __typename !== 'TaskPhaseEvent');
    expect(
      ofNode.map(({ phase, reason, principal }) => [phase, reason, principal?.username ?? null]),
    ).toEqual([
      ['QUEUED', null, null],
      ['RUNNING', null, null],
      ['RUNNING', 'too late', editor.username],
      ['SUCCEEDED', null, null],
    ]);
  });

  it('is news for those who watch the execution, before any turn', async () => {
    const id = await launch(app, project, 'one');
    await turns(id);
    const news = await heard(() => terminateNode(id, 'a', 'watched'));
    expect(news.toSorted()).toEqual([`advance:${id}`, `execution:${id}`]);
    await turns(id);
  });

  it('that contains others gives its cause to all of them, and the nearest request counts', async () => {
    const other = await newUser({ role: 'USER', level: 'EDIT' });
    const id = await launch(app, project, 'nested', { inputs: { xs: [1, 2] } });
    await turns(id);
    await terminateNode(id, 'outer:fan:0', 'only this', other);
    await terminateNode(id, 'outer', 'everything');
    await turns(id);
    const ends = (await stopsOf(id)).filter(({ __typename }) => __typename === 'NodePhaseEvent');
    const byNode = Object.fromEntries(
      ends.map(({ nodeId, reason, principal }) => [nodeId, { reason, principal }]),
    );
    expect(byNode).toEqual({
      'outer:fan:0': by(other, 'only this'),
      'outer:fan:1': by(editor, 'everything'),
      'outer:fan': by(editor, 'everything'),
      outer: by(editor, 'everything'),
    });
  });

  it('takes as many statements for an array of 100 running items as for one of 5', async () => {
    const counts: number[] = [];
    for (const items of [5, 100]) {
      const xs = Array.from({ length: items }, (_, index) => index);
      const id = await launch(app, project, 'fan', { inputs: { xs }, maxParallelism: 0 });
      await turns(id);
      const runs = await lease(id);
      await hands.report(...runs.map((run) => ({ run: run.id, kind: 'RUNNING' })));
      await turns(id);
      const running = await db.nodeExecution.count({
        where: { executionId: id, kind: 'TASK', phase: 'RUNNING' },
      });
      expect(running).toBe(items);
      const { statements } = await countStatements(async () => {
        await terminateNode(id, 'fan', 'enough');
        await turns(id);
      });
      // All jobs are told to stop at the same time, whose executor confirms it.
      expect(await hands.stopCancelled()).toHaveLength(items);
      const after = await countStatements(() => turns(id));
      counts.push(statements.length + after.statements.length);
      expect((await stopsOf(id)).filter(({ phase }) => phase === 'ABORTED')).toHaveLength(items + 1);
    }
    expect(counts[1]).toBe(counts[0]);
  });

  it('takes as many statements in a turn for 30 nodes that were stopped one by one as for 3', async () => {
    const counts: number[] = [];
    for (const items of [3, 30]) {
      const xs = Array.from({ length: items }, (_, index) => index);
      const id = await launch(app, project, 'fan', { inputs: { xs }, maxParallelism: 0 });
      await turns(id);
      for (const x of xs) await terminateNode(id, `fan:${x}`, 'enough');
      counts.push((await countStatements(() => turns(id))).statements.length);
      expect(await stopsOf(id)).toHaveLength(2 * items);
    }
    expect(counts[1]).toBe(counts[0]);
  });
});

describe('an execution that a user aborts', () => {
  const terminate = (id: string, more: object = {}) =>
    mutate(app, 'terminateExecution', { by: { id }, cause: 'not needed', ...more }, '', editor.authorization);

  it.each([{ force: false }, { force: true }])(
    'says who stopped it and why, in its own events and in those of its nodes: %j',
    async (how) => {
      const id = await launch(app, project, 'gate', { inputs: { x: 1 } });
      await turns(id);
      await terminate(id, how);
      await turns(id);
      const stop = { error: null, ...by(editor, 'not needed') };
      expect((await eventsOf(id, 'executionEvents')).slice(-2)).toEqual([
        { __typename: 'ExecutionEvent', phase: 'ABORTING', ...stop },
        { __typename: 'ExecutionEvent', phase: 'ABORTED', ...stop },
      ]);
      const [first, ...rest] = await stopsOf(id);
      for (const event of [first, ...rest])
        expect(event).toMatchObject({ __typename: 'NodePhaseEvent', phase: 'ABORTED', ...stop });
      expect(rest).toHaveLength(1);
    },
  );

  it('names nobody in the events before', async () => {
    const id = await launch(app, project, 'one');
    await turns(id);
    await terminate(id);
    await turns(id);
    const [first] = await eventsOf(id, 'executionEvents');
    expect(first).toMatchObject({ phase: 'QUEUED', reason: null, principal: null });
  });
});

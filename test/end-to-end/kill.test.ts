import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isAlive } from '../executor/fixture.ts';
import type { Answer } from '../support/app.ts';
import {
  createLaunchPlan,
  createWorkflow,
  eventually,
  integer,
  keyOf,
  launch,
  readExecution,
  registerProject,
  registerTask,
  untilEnded,
} from '../support/seed.ts';
import { type ProcessName, startTree, type Tree } from '../support/tree.ts';

/**
 * Each process of the tree is killed with SIGKILL in the middle of a workflow. It comes back by itself, the execution
 * still SUCCEEDS, and no node's work is recorded twice.
 */

const project = 'kills';
let tree: Tree;

beforeAll(async () => {
  tree = await startTree({ LEASE_SECONDS: '5', DRAIN_SECONDS: '5' });
  await registerProject(tree, project);
  await registerSteps();
});
afterAll(() => tree.stop());

/** Where each run that gets to its end leaves a line: node and run. */
const marks = () => join(tree.home, 'marks');

/**
 * first ─▶ left, right ─▶ last: each waits for a second, leaves its mark and adds one to what it was given.
 */
async function registerSteps(): Promise<void> {
  const script = [
    'sleep 1',
    `echo "$SLIPWAY_EXECUTION_ID $SLIPWAY_NODE_ID $SLIPWAY_RUN_ID" >> ${marks()}`,
    'echo $(($(cat "$SLIPWAY_INPUTS/x") + 1)) > "$SLIPWAY_OUTPUTS/y"',
    'echo "$SLIPWAY_RUN_ID" > "$SLIPWAY_OUTPUTS/run"',
    'echo "done by $SLIPWAY_RUN_ID"',
  ].join('\n');
  await registerTask(tree, project, 'step', {
    outputs: { y: integer, run: { simple: 'STRING' } },
    command: ['/bin/sh', '-c', script],
  });
  const promise = (nodeId: string, variable: string) => ({ promise: { nodeId, var: variable } });
  const node = (id: string, from: string, upstreamNodeIds: string[] = []) => ({
    id,
    inputs: [{ var: 'x', binding: from ? promise(from, 'y') : promise('', 'x') }],
    upstreamNodeIds,
    taskNode: { referenceId: keyOf(project, 'step') },
  });
  const key = keyOf(project, 'steps');
  const template = {
    interface: {
      inputs: [{ name: 'x', type: integer }],
      outputs: [{ name: 'z', type: integer }],
    },
    nodes: [
      node('first', ''),
      node('left', 'first'),
      node('right', 'first'),
      node('last', 'left', ['right']),
    ],
    outputs: [{ var: 'z', binding: promise('last', 'y') }],
  };
  const workflow = await createWorkflow(tree, { id: key, template });
  expect(workflow).toMatchObject({ __typename: 'CreateWorkflowPayload' });
  await createLaunchPlan(tree, { id: key, workflowId: key, defaultInputs: { x: 1 } });
}

/** Launches it and waits until it is well under way. @returns the execution's id. */
async function launchHalfWay(): Promise<string> {
  const id = await launch(tree, project, 'steps');
  await eventually(
    () => readExecution(tree, id),
    ({ nodes }) => nodes.left?.phase === 'RUNNING' && nodes.right?.phase === 'RUNNING',
  );
  return id;
}

function kill(name: ProcessName): number {
  const pid = tree.processes()[name];
  if (pid === null) throw new Error(`there is no ${name}`);
  process.kill(pid, 'SIGKILL');
  return pid;
}

async function isBack(name: ProcessName, killed: number): Promise<void> {
  await eventually(
    async () => tree.processes()[name],
    (pid) => pid !== null && pid !== killed,
  );
}

async function expectDoneOnce(id: string): Promise<void> {
  const execution = await untilEnded(tree, id, 30);
  expect(execution.phase).toBe('SUCCEEDED');
  expect(execution.data.outputs).toEqual({ z: 4 });
  const lines = readFileSync(marks(), 'utf8').trim().split('\n');
  for (const node of ['first', 'left', 'right', 'last']) {
    const { latestAttempt, data, taskExecutions } = execution.nodes[node];
    expect(latestAttempt).toBe(0);
    expect(taskExecutions.edges.map((edge: Answer) => edge.node.phase)).toEqual(['SUCCEEDED']);
    const { runs, state } = taskExecutions.edges[0].node.job;
    expect(state).toBe('SUCCEEDED');
    expect(runs.filter((run: Answer) => run.state === 'SUCCEEDED')).toEqual([
      { id: data.outputs.run, state: 'SUCCEEDED' },
    ]);
    expect(lines.filter((line) => line === `${id} ${node} ${data.outputs.run}`)).toHaveLength(1);
  }
  await expectRecordedOnce(id);
}

async function expectRecordedOnce(id: string): Promise<void> {
  const events = await tree.query(
    'select sequence::int, kind, phase, node_id from execution_events where execution_id = $1 order by sequence',
    [id],
  );
  expect(events.map((event) => event['sequence'])).toEqual(events.map((_, index) => index + 1));
  const ends = events
    .filter((event) => event['phase'] === 'SUCCEEDED')
    .map(({ kind, node_id }) => `${kind} ${node_id}`);
  expect(ends.sort()).toEqual([
    'EXECUTION null',
    ...['first', 'last', 'left', 'right'].map((node) => `NODE ${node}`),
    ...['first', 'last', 'left', 'right'].map((node) => `TASK ${node}`),
  ]);
  const jobEvents = await tree.query(
    `select event.sequence::int, event.kind from job_events as event join job_sets as set on set.id = event.job_set_id
      where set.name = $1 order by event.sequence`,
    [id],
  );
  expect(jobEvents.map((event) => event['sequence'])).toEqual(jobEvents.map((_, index) => index + 1));
  expect(jobEvents.filter((event) => event['kind'] === 'SUCCEEDED')).toHaveLength(4);
  expect(await tree.query('select id from job_runs where ended_at is null')).toEqual([]);
}

describe('a workflow goes on, and no work is recorded twice, after kill -9 of', () => {
  it.each(['executor', 'scheduler', 'server', 'postgres'] as const)(
    'the %s',
    async (name) => {
      const id = await launchHalfWay();
      const killed = kill(name);
      await isBack(name, killed);
      await expectDoneOnce(id);
    },
    45_000,
  );

  it('everything: the supervisor, whose next start goes on with the same data', async () => {
    const before = tree.processes();
    const id = await launchHalfWay();
    kill('supervisor');
    await tree.startAgain();
    await expectDoneOnce(id);
    for (const name of ['postgres', 'server', 'scheduler', 'executor'] as const) {
      await eventually(
        async () => isAlive(Number(before[name])),
        (alive) => !alive,
      );
    }
  }, 45_000);
});

describe('the processes of a tree', () => {
  it.runIf(process.platform === 'linux')('keep from the executor what opens the database', async () => {
    const { executor, server } = tree.processes();
    const environmentOf = (pid: number | null) => readFileSync(`/proc/${pid}/environ`, 'utf8');
    expect(environmentOf(server)).toMatch(/DATABASE_URL=.*SLIPWAY_SECRETS=/s);
    expect(environmentOf(executor)).not.toMatch(/DATABASE_URL|SLIPWAY_SECRETS/);
  });

  it('say once, in one block, where to go', () => {
    expect(tree.said()).toMatch(/Sign in as admin with this password/);
    expect(tree.said()).toMatch(/Slipway is ready\.\n\n {4}GraphiQL {2}http:\/\/127\.0\.0\.1:\d+\/graphql\n/);
  });
});

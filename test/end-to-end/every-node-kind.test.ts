import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Answer } from '../support/app.ts';
import { bind, doubleIn, type Flow, listOf, promise, registerFlow } from '../support/flows.ts';
import { mutate } from '../support/mutate.ts';
import {
  eventually,
  integer,
  keyOf,
  launch,
  readExecution,
  registerProject,
  registerTask,
  untilEnded,
} from '../support/seed.ts';
import { startTree, type Tree } from '../support/tree.ts';

/**
 * A workflow with a node of every kind runs through the real scheduler and the real executor, and again while the two
 * are killed again and again.
 */

const project = 'every-kind';
const double = doubleIn(project);
const script = (text: string) => ({ command: ['/bin/sh', '-c', text] });
let tree: Tree;

const inner: Flow = {
  inputs: { x: integer },
  outputs: { z: integer },
  bound: { z: promise('second', 'y') },
  nodes: [double('first', promise('', 'x')), double('second', promise('first', 'y'))],
};

/** It always fails, and its failure node runs. */
const breaks: Flow = {
  inputs: { x: integer },
  nodes: [
    {
      id: 'broken',
      inputs: bind({ x: promise('', 'x') }),
      taskNode: { referenceId: keyOf(project, 'fail') },
    },
  ],
  failureNode: { id: 'clean', taskNode: { referenceId: keyOf(project, 'report') } },
};

const sub = (name: string) => ({ workflowNode: { subWorkflowRef: keyOf(project, name) } });
const condition = { comparison: { operator: 'GT', leftValue: { var: 'n' }, rightValue: { value: 5 } } };

const everything: Flow = {
  inputs: { x: integer, xs: listOf(integer) },
  outputs: { z: integer, ys: listOf(integer) },
  bound: { z: promise('call', 'z'), ys: promise('fan', 'y') },
  nodes: [
    double('task', promise('', 'x')),
    { id: 'workflow', inputs: bind({ x: promise('task', 'y') }), ...sub('inner') },
    {
      id: 'branch',
      inputs: bind({ n: promise('workflow', 'z') }),
      branchNode: {
        ifElse: {
          case: { condition, thenNode: double('large', promise('workflow', 'z')) },
          elseNode: double('small', promise('workflow', 'z')),
        },
      },
    },
    {
      id: 'fan',
      inputs: bind({ x: promise('', 'xs') }),
      arrayNode: {
        node: { id: 'item', taskNode: { referenceId: keyOf(project, 'double') } },
        parallelism: 2,
      },
    },
    {
      id: 'lenient',
      inputs: bind({ x: promise('', 'xs') }),
      arrayNode: { node: { id: 'item', ...sub('breaks') }, minSuccesses: 0 },
    },
    {
      id: 'approval',
      inputs: bind({ x: promise('branch', 'y') }),
      gateNode: { approve: { signalId: 'go' } },
    },
    { id: 'sleep', gateNode: { sleep: { duration: 'PT2S' } } },
    {
      id: 'signal',
      upstreamNodeIds: ['sleep'],
      gateNode: { signal: { signalId: 'number', type: integer, outputVariableName: 'n' } },
    },
    {
      id: 'call',
      inputs: bind({ x: promise('approval', 'x') }),
      upstreamNodeIds: ['signal', 'fan', 'lenient'],
      workflowNode: { launchplanRef: keyOf(project, 'child') },
    },
  ],
};

beforeAll(async () => {
  tree = await startTree({ LEASE_SECONDS: '3', DRAIN_SECONDS: '5' });
  await registerProject(tree, project);
  await registerTask(
    tree,
    project,
    'double',
    script('sleep 0.2; echo $(( $(cat "$SLIPWAY_INPUTS/x") * 2 )) > "$SLIPWAY_OUTPUTS/y"'),
  );
  await registerTask(tree, project, 'fail', { ...script('exit 3'), outputs: {} });
  await registerTask(tree, project, 'report', {
    ...script('true'),
    inputs: { err: { simple: 'ERROR' } },
    outputs: {},
  });
  await registerFlow(tree, project, 'child', inner);
  await registerFlow(tree, project, 'everything', everything, { inner, breaks });
});
afterAll(() => tree.stop());

/** Launches the workflow. @returns the id of the execution. */
const launchEverything = (): Promise<string> =>
  launch(tree, project, 'everything', { inputs: { x: 1, xs: [1, 2, 3] } });

/** Sets the signals when the gates wait for them. */
async function answerGates(id: string): Promise<void> {
  for (const [nodeId, signalId, value] of [
    ['approval', 'go', true],
    ['signal', 'number', 5],
  ] as const) {
    await eventually(
      () => readExecution(tree, id),
      ({ nodes }) => nodes[nodeId]?.phase === 'RUNNING',
    );
    const set = await mutate(tree, 'setSignal', { execution: { id }, signalId, value }, 'signal { value }');
    expect(set).toMatchObject({ signal: { value } });
  }
}

/** The phase of each node, and how often each of them was moved to it. */
async function endsOf(id: string): Promise<Record<string, string>> {
  const events = await tree.query(
    `select node_id, phase, count(*)::int as times from execution_events
      where execution_id = $1 and kind = 'NODE' and phase in ('SUCCEEDED', 'FAILED', 'SKIPPED', 'ABORTED', 'TIMED_OUT')
      group by node_id, phase`,
    [id],
  );
  return Object.fromEntries(
    events.map((event) => [String(event['node_id']), `${event['phase']} × ${event['times']}`]),
  );
}

const once = (phase: string, nodeIds: readonly string[]) =>
  Object.fromEntries(nodeIds.map((nodeId) => [nodeId, `${phase} × 1`]));
const items = [0, 1, 2];
const expected = {
  ...once('SUCCEEDED', ['task', 'workflow', 'workflow:first', 'workflow:second', 'branch', 'branch:large']),
  ...once('SKIPPED', ['branch:small']),
  ...once('SUCCEEDED', ['fan', ...items.map((item) => `fan:${item}`), 'lenient']),
  ...once(
    'FAILED',
    items.flatMap((item) => [`lenient:${item}`, `lenient:${item}:broken`]),
  ),
  ...once(
    'SUCCEEDED',
    items.map((item) => `lenient:${item}:clean`),
  ),
  ...once('SUCCEEDED', ['approval', 'sleep', 'signal', 'call']),
};

async function expectEverythingDone(id: string): Promise<void> {
  const execution: Answer = await untilEnded(tree, id);
  expect(execution).toMatchObject({
    phase: 'SUCCEEDED',
    data: { outputs: { z: 64, ys: [2, 4, 6] } },
  });
  expect(await endsOf(id)).toEqual(expected);
  const [{ open }] = (await tree.query('select count(*)::int as open from jobs where ended_at is null')) as [
    { open: number },
  ];
  expect(open).toBe(0);
}

describe('a workflow with a node of every kind', () => {
  it('runs to SUCCEEDED', async () => {
    const id = await launchEverything();
    await answerGates(id);
    await expectEverythingDone(id);
  });

  it('runs to SUCCEEDED while the scheduler and the executor are killed in turn, whenever something has moved', async () => {
    const id = await launchEverything();
    let isOver = false;
    const killing = killInTurn(id, () => isOver);
    try {
      await answerGates(id);
      await expectEverythingDone(id);
    } finally {
      isOver = true;
      expect(await killing).toBeGreaterThan(3);
    }
  });
});

/** How often they are killed. Then the execution may end in peace. */
const MAX_KILLS = process.env['SOAK'] ? 60 : 12;

/** A job fails when it has lost its executor three times. */
const MAX_EXECUTOR_KILLS = 2;

/** Kills the scheduler, and in between the executor, as soon as the execution has moved on. @returns how often. */
async function killInTurn(id: string, isOver: () => boolean): Promise<number> {
  const movesOf = async () => {
    const [row] = await tree.query('select last_sequence::int as moves from executions where id = $1', [id]);
    return Number(row?.['moves']);
  };
  let kills = 0;
  for (let moves = 0; kills < MAX_KILLS && !isOver(); kills += 1) {
    const name = kills % 3 === 2 && kills < 3 * MAX_EXECUTOR_KILLS ? 'executor' : 'scheduler';
    const before = moves;
    moves = await eventually(movesOf, (now) => now > before || isOver());
    const pid = await eventually(
      async () => tree.processes()[name],
      (running) => running !== null,
    );
    if (!isOver()) process.kill(Number(pid), 'SIGKILL');
  }
  return kills;
}

/** What one step of an execution starts, ends and stops, for nodes that contain others. */
import { describe, expect, it } from 'vitest';
import type { Overdue } from '../../src/executions/domain/deadlines.ts';
import { nodeAt } from '../../src/executions/engine/node-paths.ts';
import { type NodeState, progress } from '../../src/executions/engine/progress.ts';
import type { ExecutionPhase, NodeExecutionPhase } from '../../src/generated/prisma/enums.ts';
import type { Closure, RunnableNode } from '../../src/registry/domain/closure.ts';
import { entityKeyText } from '../../src/registry/domain/entity-keys.ts';
import { keyOf } from '../registry/workflows.ts';

type Policy = 'FAIL_IMMEDIATELY' | 'FAIL_AFTER_EXECUTABLE_NODES_COMPLETE';
type Counts = Partial<Record<NodeExecutionPhase, number>>;

/** Only what decides about the next steps. */
const node = (id: string, kind: string, more: object = {}) =>
  ({ id, kind, ...more }) as unknown as RunnableNode;
const task = (id: string) => node(id, 'TASK');
const byId = (nodes: readonly RunnableNode[]) => new Map(nodes.map((one) => [one.id, one]));
const graphOf = (nodes: readonly RunnableNode[], onFailure: Policy) => ({
  workflow: { template: { metadata: { onFailure } }, connections: { upstream: {} } },
  nodes: byId(nodes),
  failureNode: null,
});
const closureOf = (nodes: readonly RunnableNode[], inner: readonly RunnableNode[] = [task('deep')]) =>
  ({
    ...graphOf(nodes, 'FAIL_IMMEDIATELY'),
    subWorkflows: new Map([[entityKeyText(keyOf('inner')), graphOf(inner, 'FAIL_IMMEDIATELY')]]),
  }) as unknown as Closure;

const sub = node('sub', 'WORKFLOW', { workflow: keyOf('inner') });
const choice = node('choice', 'BRANCH', { nodes: byId([task('yes'), task('no')]) });
const fan = (array: object = {}) => node('fan', 'ARRAY', { array, item: task('item') });

const state = (nodeId: string, kind: NodeState['kind'], phase: NodeExecutionPhase, itemCount = 0) => ({
  ...{ nodeId, specNodeId: nodeId.split(':').at(-1) ?? '', kind, phase, itemCount },
});

function stepOf(
  nodes: readonly RunnableNode[],
  states: readonly NodeState[] = [],
  {
    phase = 'RUNNING' as ExecutionPhase,
    overdue = null as Overdue,
    maxParallelism = 0,
    active = 0,
    places = undefined as number | undefined,
    counts = {} as Counts,
    failureNode = null as RunnableNode | null,
  } = {},
) {
  const items = new Map([['fan', new Map(Object.entries(counts) as [NodeExecutionPhase, number][])]]);
  const closure = { ...closureOf(nodes, [task('deep'), task('deeper'), fan()]), failureNode };
  const execution = { phase, maxParallelism, overdue, ...(places !== undefined && { places }) };
  return progress(closure, execution, { nodes: states, items, active });
}

/** The next step of an array of which so many items are in which phase. */
const arrayStep = (array: object, itemCount: number, counts: Counts, phase: ExecutionPhase = 'RUNNING') =>
  stepOf([fan(array)], [state('fan', 'ARRAY', 'RUNNING', itemCount)], { phase, counts });

describe('one step', () => {
  const wide = (count: number) => stepOf(Array.from({ length: count }, (_, at) => task(`n${at}`)));

  it('starts at most 200 nodes, and says whether there are more', () => {
    const [all, cut] = [wide(200), wide(201)];
    expect([all.start.length, all.hasMore]).toEqual([200, false]);
    expect([cut.start.length, cut.hasMore]).toEqual([200, true]);
  });

  it('starts at most 200 items of an array, and says whether there are more', () => {
    const [all, cut] = [arrayStep({}, 200, {}), arrayStep({}, 201, {})];
    expect([all.start.length, all.hasMore]).toEqual([200, false]);
    expect([cut.start.length, cut.hasMore]).toEqual([200, true]);
  });

  it.each([
    [0, 5, 3],
    [6, 3, 3],
    [6, 4, 2],
    [6, 6, 0],
    [6, 7, 0],
  ])(
    'keeps within %i tasks at the same time, of which %i run: it starts %i of 3',
    (most, active, started) => {
      const nodes = [task('a'), task('b'), task('c')];
      expect(stepOf(nodes, [], { maxParallelism: most, active }).start).toHaveLength(started);
    },
  );

  it('counts tasks, launch plans and branches, but not what only waits or contains others', () => {
    const nodes = [node('gate', 'GATE'), sub, fan(), task('a'), node('call', 'LAUNCH_PLAN'), choice];
    const started = (active: number) =>
      stepOf(nodes, [], { maxParallelism: 3, active }).start.map(({ nodeId }) => nodeId);
    expect(started(0)).toEqual(['gate', 'sub', 'fan', 'a', 'call', 'choice']);
    expect(started(1)).toEqual(['gate', 'sub', 'fan', 'a', 'call']);
    expect(started(3)).toEqual(['gate', 'sub', 'fan']);
  });

  it.each([
    ['as many tasks as there are places, and wants places for the others', 0, 0, 2, 2, 1],
    ['none if there are no places', 0, 0, 0, 0, 3],
    ['none if there are fewer places than tasks that run', 0, 0, -1, 0, 3],
    ['all if there are enough, and wants no more', 0, 0, 3, 3, 0],
    ['no more than its own limit, and wants no places beyond it', 4, 1, 1, 1, 2],
    ['none without places, and wants no more than its own limit allows', 4, 3, 0, 0, 1],
    ['none at its own limit, and wants no places', 2, 2, 0, 0, 0],
  ])('starts %s', (_name, maxParallelism, active, places, started, wanted) => {
    const step = stepOf([task('a'), task('b'), task('c')], [], { maxParallelism, active, places });
    expect([step.start.length, step.wanted]).toEqual([started, wanted]);
  });

  it('wants places for tasks and branches, and starts launch plans without one', () => {
    const nodes = [node('gate', 'GATE'), sub, task('a'), choice, node('call', 'LAUNCH_PLAN')];
    const step = stepOf(nodes, [], { places: 0 });
    expect(step.start.map(({ nodeId }) => nodeId)).toEqual(['gate', 'sub', 'call']);
    expect(step.wanted).toBe(2);
    expect(stepOf(nodes).wanted).toBe(0);
  });

  it('wants at most 200 places', () => {
    expect(
      stepOf(
        Array.from({ length: 300 }, (_, at) => task(`n${at}`)),
        [],
        { places: 0 },
      ).wanted,
    ).toBe(200);
  });
});

describe('an execution that has ended', () => {
  it('has nothing more to do', () => {
    const nothing = { ends: [], start: [], stop: [], wanted: 0, hasMore: false, phase: null };
    expect(stepOf([task('a')], [], { phase: 'ABORTED' })).toEqual(nothing);
  });
});

describe('the items of an array', () => {
  it('start in their order, as many as may run at the same time', () => {
    const started = (array: object, counts: Counts) => arrayStep(array, 5, counts).start;
    expect(started({ parallelism: 2 }, { SUCCEEDED: 1, RUNNING: 1 })).toEqual([
      { nodeId: 'fan:2', node: task('item'), itemIndex: 2, isFailureNode: false },
    ]);
    expect(started({ parallelism: 2 }, { RUNNING: 2 })).toEqual([]);
    expect(started({ parallelism: 2 }, { RUNNING: 3 })).toEqual([]);
    expect(started({}, { RUNNING: 2 })).toHaveLength(3);
  });

  it.each<[string, object, Counts, string[]]>([
    ['all have succeeded', {}, { SUCCEEDED: 4 }, ['SUCCEEDED']],
    ['one runs', {}, { SUCCEEDED: 3, RUNNING: 1 }, []],
    ['one has not started', {}, { SUCCEEDED: 3 }, []],
    ['one has failed', {}, { SUCCEEDED: 3, FAILED: 1 }, ['FAILED']],
    ['one has failed and one runs', {}, { FAILED: 1, RUNNING: 1 }, ['FAILING']],
    ['enough have succeeded', { minSuccesses: 3 }, { SUCCEEDED: 3, FAILED: 1 }, ['SUCCEEDED']],
    ['one too many has failed', { minSuccesses: 3 }, { SUCCEEDED: 2, FAILED: 2 }, ['FAILED']],
    ['more must succeed than there are', { minSuccesses: 9 }, { SUCCEEDED: 4 }, ['SUCCEEDED']],
    [
      'a share has succeeded, rounded up',
      { minSuccessRatio: 0.6 },
      { SUCCEEDED: 3, FAILED: 1 },
      ['SUCCEEDED'],
    ],
    ['less than a share has', { minSuccessRatio: 0.6 }, { SUCCEEDED: 2, FAILED: 2 }, ['FAILED']],
    ['all must run, and one has failed', { runAllSubNodes: true }, { FAILED: 1, RUNNING: 1 }, []],
    ['all have run, and one has failed', { runAllSubNodes: true }, { FAILED: 1, SUCCEEDED: 3 }, ['FAILED']],
  ])('decide about it: %s', (_what, array, counts, ends) => {
    expect(arrayStep(array, 4, counts).ends.map(({ to }) => to)).toEqual(ends);
  });

  it('that run workflows end in the same step as these, and the array with the last of them', () => {
    const array = node('fan', 'ARRAY', { array: {}, item: sub });
    const states = [
      state('fan', 'ARRAY', 'RUNNING', 3),
      state('fan:2', 'WORKFLOW', 'RUNNING'),
      ...['deep', 'deeper', 'fan'].map((id) => state(`fan:2:${id}`, 'TASK', 'SUCCEEDED')),
    ];
    const counts = { SUCCEEDED: 2, RUNNING: 1 };
    expect(stepOf([array], states, { counts }).ends).toEqual([
      { nodeId: 'fan:2', to: 'SUCCEEDED' },
      { nodeId: 'fan', to: 'SUCCEEDED' },
    ]);
  });

  it('stop when too many have failed', () => {
    expect(arrayStep({}, 4, { FAILED: 1, RUNNING: 1 })).toMatchObject({ start: [], stop: ['fan:'] });
    expect(arrayStep({}, 4, { FAILED: 1 })).toMatchObject({ stop: [] });
    expect(arrayStep({ minSuccesses: 3 }, 4, { FAILED: 1, RUNNING: 1 })).toMatchObject({ stop: [] });
  });

  it.each<[string, object, Counts, string[]]>([
    ['some run', {}, { SUCCEEDED: 3, RUNNING: 1 }, []],
    ['some were stopped', {}, { SUCCEEDED: 3, ABORTED: 1 }, ['ABORTED']],
    ['some never began', {}, { SUCCEEDED: 3 }, ['ABORTED']],
    ['enough had succeeded, but some never began', { minSuccesses: 3 }, { SUCCEEDED: 3 }, ['ABORTED']],
    ['enough had succeeded', { minSuccesses: 3 }, { SUCCEEDED: 3, FAILED: 1 }, ['SUCCEEDED']],
    ['all had succeeded', {}, { SUCCEEDED: 4 }, ['SUCCEEDED']],
  ])('decide about an array that is aborted: %s', (_what, array, counts, ends) => {
    expect(arrayStep(array, 4, counts, 'ABORTING').ends.map(({ to }) => to)).toEqual(ends);
  });
});

describe('the node that a branch has taken', () => {
  it.each<[NodeExecutionPhase, ExecutionPhase, string[]]>([
    ['RUNNING', 'RUNNING', []],
    ['SUCCEEDED', 'RUNNING', ['SUCCEEDED']],
    ['FAILED', 'RUNNING', ['FAILED']],
    ['ABORTED', 'RUNNING', ['FAILED']],
    ['RUNNING', 'ABORTING', []],
    ['SUCCEEDED', 'ABORTING', ['SUCCEEDED']],
    ['FAILED', 'ABORTING', ['FAILED']],
    ['ABORTED', 'ABORTING', ['ABORTED']],
  ])('decides about it: %s, in an execution that is %s', (inner, phase, ends) => {
    const states = [
      state('choice', 'BRANCH', 'RUNNING'),
      state('choice:no', 'TASK', 'SKIPPED'),
      state('choice:yes', 'TASK', inner),
    ];
    const step = stepOf([choice], states, { phase });
    expect(step.ends.map(({ to }) => to)).toEqual(ends);
    expect(step.stop).toEqual(inner === 'RUNNING' && phase === 'ABORTING' ? [''] : []);
  });
});

describe('an execution that is aborted', () => {
  const states = (deep: NodeExecutionPhase) => [
    state('sub', 'WORKFLOW', 'RUNNING'),
    state('sub:deep', 'TASK', deep),
  ];

  it('stops all of its nodes once, also those inside of others', () => {
    const step = stepOf([sub], states('RUNNING'), { phase: 'ABORTING' });
    expect(step).toMatchObject({ stop: [''], ends: [], start: [], phase: null });
  });

  it('ends in the same step in which its last node has ended', () => {
    const step = stepOf([sub], states('ABORTED'), { phase: 'ABORTING' });
    expect(step).toMatchObject({ stop: [], ends: [{ nodeId: 'sub', to: 'ABORTED' }], phase: 'ABORTED' });
  });
});

describe('a node that has failed', () => {
  const failed = state('a', 'TASK', 'FAILED');

  it('lets nothing start inside of the nodes beside it', () => {
    const open = [failed, state('sub', 'WORKFLOW', 'RUNNING'), state('sub:deep', 'TASK', 'RUNNING')];
    const step = stepOf([task('a'), sub], open);
    expect(step).toMatchObject({ start: [], stop: [''], ends: [], phase: 'FAILING' });
    const inArray = stepOf(
      [task('a'), sub],
      [...open, state('sub:deeper', 'TASK', 'SUCCEEDED'), state('sub:fan', 'ARRAY', 'RUNNING', 3)],
    );
    expect(inArray).toMatchObject({ start: [], ends: [{ nodeId: 'sub:fan', to: 'ABORTED' }] });
  });

  it('ends the nodes beside it that have nothing left to stop', () => {
    const ended = [failed, state('sub', 'WORKFLOW', 'RUNNING'), state('sub:deep', 'TASK', 'ABORTED')];
    expect(stepOf([task('a'), sub], ended)).toMatchObject({
      ...{ start: [], stop: [], phase: 'FAILED' },
      ends: [{ nodeId: 'sub', to: 'ABORTED' }],
    });
  });
});

describe('a failure node', () => {
  const clean = task('clean');
  const step = (phase: ExecutionPhase, ...states: NodeState[]) =>
    stepOf([task('a')], states, { phase, failureNode: clean });
  const failed = state('a', 'TASK', 'FAILED');

  it('starts when the other nodes have ended, and only if one has failed', () => {
    expect(step('QUEUED')).toMatchObject({
      start: [{ nodeId: 'a', node: task('a'), itemIndex: null, isFailureNode: false }],
      phase: 'RUNNING',
    });
    expect(step('RUNNING', state('a', 'TASK', 'SUCCEEDED'))).toMatchObject({ start: [], phase: 'SUCCEEDED' });
    expect(step('RUNNING', failed)).toMatchObject({
      start: [{ nodeId: 'clean', node: clean, itemIndex: null, isFailureNode: true }],
      phase: 'FAILING',
    });
  });

  it.each<[NodeExecutionPhase, ExecutionPhase, string | null, string[]]>([
    ['RUNNING', 'FAILING', null, []],
    ['SUCCEEDED', 'FAILING', 'FAILED', []],
    ['FAILED', 'FAILING', 'FAILED', []],
    ['RUNNING', 'ABORTING', null, ['']],
    ['SUCCEEDED', 'ABORTING', 'FAILED', []],
    ['ABORTED', 'ABORTING', 'ABORTED', []],
  ])('that is %s lets an execution that is %s change to %s', (clean, phase, next, stop) => {
    expect(step(phase, failed, state('clean', 'TASK', clean))).toMatchObject({
      start: [],
      phase: next,
      stop,
    });
  });
});

describe('an execution whose time is over', () => {
  it.each<[Overdue, ExecutionPhase, NodeExecutionPhase | null, string | null, string[]]>([
    ['TIMES_OUT', 'RUNNING', 'RUNNING', 'FAILING', ['']],
    ['TIMES_OUT', 'FAILING', 'RUNNING', null, ['']],
    ['TIMES_OUT', 'FAILING', 'ABORTED', 'TIMED_OUT', []],
    ['TIMES_OUT', 'FAILING', 'SUCCEEDED', 'TIMED_OUT', []],
    ['TIMES_OUT', 'RUNNING', 'SUCCEEDED', 'SUCCEEDED', []],
    ['TIMES_OUT', 'RUNNING', 'FAILED', 'TIMED_OUT', []],
    ['TIMES_OUT', 'QUEUED', null, 'TIMED_OUT', []],
    ['TIMES_OUT', 'ABORTING', 'RUNNING', null, ['']],
    ['TIMES_OUT', 'ABORTING', 'ABORTED', 'ABORTED', []],
    ['FAILS', 'FAILING', 'ABORTED', 'FAILED', []],
  ])('and %s, that is %s and has a node %s, changes to %s', (overdue, phase, node, next, stop) => {
    const states = node ? [state('a', 'TASK', node)] : [];
    expect(stepOf([task('a')], states, { phase, overdue })).toMatchObject({ start: [], phase: next, stop });
  });
});

describe('the node with an id', () => {
  const closure = closureOf([sub, choice, fan()]);

  it.each([
    ['sub', 'WORKFLOW'],
    ['sub:deep', 'TASK'],
    ['choice:yes', 'TASK'],
    ['fan:0', 'TASK'],
    ['fan:17', 'TASK'],
  ])('%s is a %s', (nodeId, kind) => {
    expect(nodeAt(closure, nodeId)?.kind).toBe(kind);
  });

  it.each([
    'other',
    'sub:other',
    'choice:other',
    'fan:item',
    'fan:-1',
    'fan:1.5',
    'fan:',
    'sub:deep:0',
    'other:0',
  ])('%s does not exist', (nodeId) => {
    expect(nodeAt(closure, nodeId)).toBeNull();
  });
});

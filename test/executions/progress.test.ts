import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nodeExecutionPhases } from '../../src/executions/domain/phases.ts';
import { type ExecutionNodes, progress } from '../../src/executions/engine/progress.ts';
import type { ExecutionPhase, NodeExecutionPhase } from '../../src/generated/prisma/enums.ts';
import { isTerminal } from '../../src/platform/phase-table.ts';
import { type Closure, indexClosure } from '../../src/registry/domain/closure.ts';
import { compileTask } from '../../src/registry/domain/compile-task.ts';
import { entityKeyText } from '../../src/registry/domain/entity-keys.ts';

type Policy = 'FAIL_IMMEDIATELY' | 'FAIL_AFTER_EXECUTABLE_NODES_COMPLETE';

const referenceId = { project: 'p', domain: 'd', name: 't', version: 'v' };

function closureOf(upstream: Record<string, string[]>, onFailure: Policy): Closure {
  const nodes = Object.keys(upstream).map((id) => ({
    id,
    inputs: [],
    upstreamNodeIds: [],
    taskNode: { referenceId },
  }));
  const withStart = Object.entries(upstream).map(([id, ids]) => [id, ids.length > 0 ? ids : ['start-node']]);
  const downstream = Object.fromEntries(nodes.map(({ id }) => [id, ['end-node']]));
  const template = { metadata: { onFailure }, interface: { inputs: {}, outputs: {} }, nodes, outputs: [] };
  const task = compileTask({ type: 't', metadata: {}, interface: {} });
  return indexClosure(
    {
      primary: { template, connections: { upstream: Object.fromEntries(withStart), downstream } },
      tasks: [{ id: referenceId, template: task }],
    },
    { tasks: { [entityKeyText(referenceId)]: 'the id' }, launchPlans: {} },
  );
}

/** The nodes of an execution with only tasks. */
function nodesOf(phases: ReadonlyMap<string, NodeExecutionPhase>): ExecutionNodes {
  const open = [...phases.values()].filter((phase) => !isTerminal(nodeExecutionPhases, phase));
  const nodes = [...phases].map(([id, phase]) => ({
    nodeId: id,
    specNodeId: id,
    kind: 'TASK' as const,
    phase,
    itemCount: null,
  }));
  return { nodes, items: new Map(), active: open.length };
}

/** The next steps, with only the ids of the nodes to start. */
function stepsOf(
  closure: Closure,
  execution: { phase: ExecutionPhase; maxParallelism: number },
  phases: ReadonlyMap<string, NodeExecutionPhase>,
) {
  const { start, stop, phase } = progress(closure, execution, nodesOf(phases));
  return { start: start.map(({ nodeId }) => nodeId), cancel: stop.length > 0, phase };
}

const diamond = { a: [], left: ['a'], right: ['a'], join: ['left', 'right'] };
const step = (
  nodes: Record<string, NodeExecutionPhase>,
  {
    phase = 'RUNNING' as ExecutionPhase,
    maxParallelism = 0,
    policy = 'FAIL_IMMEDIATELY' as Policy,
    shape = diamond as Record<string, string[]>,
  } = {},
) => stepsOf(closureOf(shape, policy), { phase, maxParallelism }, new Map(Object.entries(nodes)));

describe('progress', () => {
  it.each([
    ['begins with the roots', {}, { phase: 'QUEUED' }, { start: ['a'], cancel: false, phase: 'RUNNING' }],
    ['waits for what runs', { a: 'RUNNING' }, {}, { start: [], cancel: false, phase: null }],
    ['starts side by side', { a: 'SUCCEEDED' }, {}, { start: ['left', 'right'], cancel: false, phase: null }],
    [
      'keeps within the limit',
      { a: 'SUCCEEDED' },
      { maxParallelism: 1 },
      { start: ['left'], cancel: false, phase: null },
    ],
    [
      'waits at the join',
      { a: 'SUCCEEDED', left: 'SUCCEEDED', right: 'RUNNING' },
      {},
      { start: [], cancel: false, phase: null },
    ],
    [
      'ends',
      { a: 'SUCCEEDED', left: 'SUCCEEDED', right: 'SUCCEEDED', join: 'SUCCEEDED' },
      {},
      { start: [], cancel: false, phase: 'SUCCEEDED' },
    ],
    [
      'cancels the rest of a failed one',
      { a: 'SUCCEEDED', left: 'FAILED', right: 'RUNNING' },
      {},
      { start: [], cancel: true, phase: 'FAILING' },
    ],
    [
      'fails when the rest has stopped',
      { a: 'SUCCEEDED', left: 'FAILED', right: 'ABORTED' },
      { phase: 'FAILING' },
      { start: [], cancel: false, phase: 'FAILED' },
    ],
    [
      'stops what is aborting',
      { a: 'RUNNING' },
      { phase: 'ABORTING' },
      { start: [], cancel: true, phase: null },
    ],
    [
      'is aborted when all has stopped',
      { a: 'ABORTED' },
      { phase: 'ABORTING' },
      { start: [], cancel: false, phase: 'ABORTED' },
    ],
    [
      'is aborted though another node had failed, where the abort stopped some',
      { a: 'SUCCEEDED', left: 'FAILED', right: 'ABORTED' },
      { phase: 'ABORTING' },
      { start: [], cancel: false, phase: 'ABORTED' },
    ],
    [
      'is aborted when nodes are left that never began',
      { a: 'SUCCEEDED' },
      { phase: 'ABORTING' },
      { start: [], cancel: false, phase: 'ABORTED' },
    ],
    [
      'is aborted before anything began',
      {},
      { phase: 'ABORTING' },
      { start: [], cancel: false, phase: 'ABORTED' },
    ],
    [
      'has succeeded when all had, before the abort could stop any',
      { a: 'SUCCEEDED', left: 'SUCCEEDED', right: 'SUCCEEDED', join: 'SUCCEEDED' },
      { phase: 'ABORTING' },
      { start: [], cancel: false, phase: 'SUCCEEDED' },
    ],
    [
      'has failed when a node had, before the abort could stop any',
      { a: 'SUCCEEDED', left: 'FAILED', right: 'SUCCEEDED' },
      { phase: 'ABORTING' },
      { start: [], cancel: false, phase: 'FAILED' },
    ],
    [
      'has nothing to say of what ended',
      { a: 'SUCCEEDED' },
      { phase: 'FAILED' },
      { start: [], cancel: false, phase: null },
    ],
  ] as const)('%s', (_name, nodes, options, expected) => {
    expect(step(nodes, options)).toEqual(expected);
  });

  it('runs nodes that do not depend on a failed node, when the policy says so', () => {
    const shape = { a: [], b: [], c: ['b'], d: ['a', 'b'] };
    const policy = 'FAIL_AFTER_EXECUTABLE_NODES_COMPLETE';
    expect(step({ a: 'FAILED', b: 'SUCCEEDED' }, { shape, policy }).start).toEqual(['c']);
    expect(step({ a: 'FAILED', b: 'SUCCEEDED', c: 'SUCCEEDED' }, { shape, policy }).phase).toBe('FAILED');
    const failing = { shape, policy, phase: 'FAILING' } as const;
    expect(step({ a: 'FAILED', b: 'RUNNING' }, failing)).toMatchObject({ start: [], cancel: true });
  });

  /** Random graphs, which run to their end: at each step, a random node ends. */
  it('ends every execution, and starts no node twice or too early', () => {
    const graphs = fc
      .array(fc.array(fc.nat(9), { maxLength: 3 }), { minLength: 1, maxLength: 10 })
      .map((rows) =>
        Object.fromEntries(
          rows.map((row, index) => [
            `n${index}`,
            [...new Set(row.filter((up) => up < index))].map((up) => `n${up}`),
          ]),
        ),
      );
    const policies = fc.constantFrom<Policy>('FAIL_IMMEDIATELY', 'FAIL_AFTER_EXECUTABLE_NODES_COMPLETE');
    fc.assert(
      fc.property(
        graphs,
        policies,
        fc.nat(4),
        fc.infiniteStream(fc.nat(99)),
        (shape, policy, maxParallelism, dice) => {
          const closure = closureOf(shape, policy);
          const nodes = new Map<string, NodeExecutionPhase>();
          let phase: ExecutionPhase = 'QUEUED';
          const roll = (sides: number) => (dice.next().value as number) % sides;
          for (let steps = 0; steps < 100; steps += 1) {
            const next = stepsOf(closure, { phase, maxParallelism }, nodes);
            if (next.phase) phase = next.phase;
            for (const id of next.start) {
              expect(nodes.has(id)).toBe(false);
              for (const up of shape[id] ?? []) expect(nodes.get(up)).toBe('SUCCEEDED');
              nodes.set(id, 'RUNNING');
            }
            const active = [...nodes]
              .filter(([, state]) => !isTerminal(nodeExecutionPhases, state))
              .map(([id]) => id);
            if (maxParallelism > 0) expect(active.length).toBeLessThanOrEqual(maxParallelism);
            if (phase === 'SUCCEEDED' || phase === 'FAILED') {
              expect(active).toEqual([]);
              const all = Object.keys(shape).map((id) => nodes.get(id));
              expect(phase === 'SUCCEEDED').toBe(all.every((state) => state === 'SUCCEEDED'));
              return;
            }
            if (next.cancel) for (const id of active) nodes.set(id, 'ABORTED');
            else {
              const chosen = active[roll(Math.max(active.length, 1))];
              if (chosen) nodes.set(chosen, roll(5) === 0 ? 'FAILED' : 'SUCCEEDED');
            }
          }
          throw new Error(`it never ended: ${phase}`);
        },
      ),
      { numRuns: process.env['SOAK'] ? 20_000 : 500 },
    );
  });
});

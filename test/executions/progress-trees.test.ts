import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nodeExecutionPhases } from '../../src/executions/domain/phases.ts';
import { innerNodeId, nodeAt, outerNodeId } from '../../src/executions/engine/node-paths.ts';
import {
  type NodeStart,
  type NodeState,
  type Progress,
  progress,
} from '../../src/executions/engine/progress.ts';
import type { ExecutionPhase, NodeExecutionPhase } from '../../src/generated/prisma/enums.ts';
import { isTerminal, phasesThatMayMoveTo } from '../../src/platform/phase-table.ts';
import { type Closure, indexClosure, type RunnableNode } from '../../src/registry/domain/closure.ts';
import { compileWorkflow } from '../../src/registry/domain/compile-workflow.ts';
import { entityKeyText } from '../../src/registry/domain/entity-keys.ts';
import { readSubWorkflows, readWorkflowTemplate } from '../../src/registry/domain/read-workflow-templates.ts';
import { aTask, bindings, integer, keyOf, value, variables } from '../registry/workflows.ts';

const onFailures = ['FAIL_IMMEDIATELY', 'FAIL_AFTER_EXECUTABLE_NODES_COMPLETE'] as const;
type Policy = (typeof onFailures)[number];

/** A node of a random workflow. */
type Kind = 'TASK' | 'GATE' | 'WORKFLOW' | 'BRANCH' | 'ARRAY' | 'GRAPHS';
interface Spec {
  readonly kind: Kind;
  readonly upstream: readonly number[];
}
interface Graph {
  readonly nodes: readonly Spec[];
  readonly policy: Policy;
  readonly hasFailureNode: boolean;
}

const one = { x: value(1) };
const task = { taskNode: { referenceId: keyOf('double') } };
const sub = { workflowNode: { subWorkflowRef: keyOf('inner') } };
const xs = { x: { literal: { collection: { literals: [] } } } };
const isOne = {
  comparison: { operator: 'EQ', leftValue: { var: 'x' }, rightValue: { value: 1 } },
};

function targetOf(kind: Kind, id: string): { target: object; inputs: object } {
  const inner = (name: string, target: object) => ({ id: `${id}${name}`, inputs: bindings(one), ...target });
  switch (kind) {
    case 'TASK':
      return { target: task, inputs: one };
    case 'GATE':
      return { target: { gateNode: { approve: { signalId: id } } }, inputs: {} };
    case 'WORKFLOW':
      return { target: sub, inputs: one };
    case 'BRANCH': {
      const first = { condition: isOne, thenNode: inner('yes', task) };
      return { target: { branchNode: { ifElse: { case: first, elseNode: inner('no', sub) } } }, inputs: one };
    }
    case 'ARRAY':
      return { target: { arrayNode: { node: { id: 'item', ...task }, parallelism: 2 } }, inputs: xs };
    case 'GRAPHS':
      return { target: { arrayNode: { node: { id: 'item', ...sub }, minSuccesses: 1 } }, inputs: xs };
  }
}

const writtenOf = ({ nodes, policy, hasFailureNode }: Graph, inputs: object) => ({
  metadata: { onFailure: policy },
  interface: { inputs, outputs: {} },
  nodes: nodes.map(({ kind, upstream }, index) => {
    const { target, inputs: bound } = targetOf(kind, `n${index}`);
    return {
      id: `n${index}`,
      inputs: bindings(bound as Record<string, unknown>),
      upstreamNodeIds: upstream.map((up) => `n${up}`),
      ...target,
    };
  }),
  failureNode: hasFailureNode ? { id: 'fn', inputs: bindings(one), ...task } : undefined,
});

function closureOf(outer: Graph, inner: Graph): Closure {
  const double = aTask('double', { x: integer }, { y: integer });
  const compiled = compileWorkflow(readWorkflowTemplate(writtenOf(outer, {})), {
    tasks: [double],
    subWorkflows: readSubWorkflows([
      { id: keyOf('inner'), template: writtenOf(inner, variables({ x: integer })) },
    ]),
  });
  return indexClosure(compiled, { tasks: { [entityKeyText(double.id)]: 'the id' }, launchPlans: {} });
}

const isOpen = (phase: NodeExecutionPhase) => !isTerminal(nodeExecutionPhases, phase);

/** An execution in memory. It keeps the rules that the store has. */
class World {
  readonly closure: Closure;
  readonly rows = new Map<string, NodeState>();
  readonly #roll: (sides: number) => number;
  phase: ExecutionPhase = 'QUEUED';

  constructor(closure: Closure, roll: (sides: number) => number) {
    this.closure = closure;
    this.#roll = roll;
  }

  get openLeaves(): NodeState[] {
    return [...this.rows.values()].filter(
      (row) => isOpen(row.phase) && (row.kind === 'TASK' || row.kind === 'GATE'),
    );
  }

  next(maxParallelism: number): Progress {
    const open = [...this.rows.values()].filter((row) => isOpen(row.phase));
    const arrays = open.filter((row) => row.kind === 'ARRAY');
    const items = arrays.map((array) => {
      const counts = new Map<NodeExecutionPhase, number>();
      for (const row of this.rows.values())
        if (outerNodeId(row.nodeId) === array.nodeId) counts.set(row.phase, (counts.get(row.phase) ?? 0) + 1);
      return [array.nodeId, counts] as const;
    });
    const active = open.filter((row) => row.kind === 'TASK').length;
    const execution = { phase: this.phase, maxParallelism };
    return progress(this.closure, execution, { nodes: this.#loaded(), items: new Map(items), active });
  }

  /** What the store reads: not what is inside of ended nodes, and only those items that are open and contain nodes. */
  #loaded(): NodeState[] {
    return [...this.rows.values()].filter((row) => {
      const outer = this.rows.get(outerNodeId(row.nodeId) ?? '');
      if (!outer) return true;
      if (!isOpen(outer.phase)) return false;
      return outer.kind !== 'ARRAY' || (row.kind === 'WORKFLOW' && isOpen(row.phase));
    });
  }

  move(nodeId: string, to: NodeExecutionPhase): void {
    const row = this.rows.get(nodeId);
    if (!row) throw new Error(`there is no node ${nodeId}`);
    expect(phasesThatMayMoveTo(nodeExecutionPhases, to), `${nodeId}: ${row.phase} → ${to}`).toContain(
      row.phase,
    );
    this.rows.set(nodeId, { ...row, phase: to });
  }

  start({ nodeId, node }: NodeStart): void {
    expect(this.rows.has(nodeId), `${nodeId} starts once`).toBe(false);
    expect(nodeAt(this.closure, nodeId)).toBe(node);
    this.#insert(nodeId, node, node.kind === 'TASK' ? 'QUEUED' : 'RUNNING');
    if (node.kind !== 'BRANCH') return;
    const taken = this.#roll(node.nodes.size);
    for (const [index, inner] of [...node.nodes.values()].entries()) {
      const innerId = innerNodeId(nodeId, inner.id);
      if (index !== taken) this.#insert(innerId, inner, 'SKIPPED');
      else this.start({ nodeId: innerId, node: inner, itemIndex: null, isFailureNode: false });
    }
  }

  #insert(nodeId: string, node: RunnableNode, phase: NodeExecutionPhase): void {
    const itemCount = node.kind === 'ARRAY' ? this.#roll(4) : null;
    this.rows.set(nodeId, { nodeId, specNodeId: node.id, kind: node.kind, phase, itemCount });
  }
}

const specs = (kinds: readonly Kind[]) =>
  fc
    .array(fc.tuple(fc.constantFrom(...kinds), fc.array(fc.nat(9), { maxLength: 2 })), {
      minLength: 1,
      maxLength: 5,
    })
    .map((rows) =>
      rows.map(([kind, ups], index) => ({ kind, upstream: [...new Set(ups.filter((up) => up < index))] })),
    );
const graphs = (kinds: readonly Kind[]) =>
  fc.record({ nodes: specs(kinds), policy: fc.constantFrom(...onFailures), hasFailureNode: fc.boolean() });

/** Whether a node may be waited for no longer. */
const isDone = (phase: NodeExecutionPhase | undefined) =>
  phase === 'SUCCEEDED' || phase === 'SKIPPED' || phase === 'RECOVERED';

describe('progress in workflows inside of workflows', () => {
  it('ends every execution, starts no node twice or too early, and leaves nothing open', () => {
    fc.assert(
      fc.property(
        graphs(['TASK', 'GATE', 'WORKFLOW', 'BRANCH', 'ARRAY', 'GRAPHS']),
        graphs(['TASK', 'GATE', 'ARRAY']),
        fc.nat(3),
        fc.nat(40),
        fc.infiniteStream(fc.nat(99)),
        (outer, inner, maxParallelism, abortAt, dice) => {
          const roll = (sides: number) => (dice.next().value as number) % sides;
          const world = new World(closureOf(outer, inner), roll);
          for (let steps = 0; steps < 400; steps += 1) {
            if (steps === abortAt && !['SUCCEEDED', 'FAILED'].includes(world.phase)) world.phase = 'ABORTING';
            const next = world.next(maxParallelism);
            for (const { nodeId, to } of next.ends) world.move(nodeId, to);
            if (next.phase) world.phase = next.phase;
            for (const start of next.start) {
              const outerId = outerNodeId(start.nodeId);
              const upstream = outer.nodes[Number(start.nodeId.slice(1))]?.upstream ?? [];
              if (outerId === null && !start.isFailureNode)
                for (const up of upstream) expect(isDone(world.rows.get(`n${up}`)?.phase)).toBe(true);
              if (outerId !== null) expect(isOpen(world.rows.get(outerId)?.phase ?? 'FAILED')).toBe(true);
              world.start(start);
            }
            const leaves = world.openLeaves;
            const tasks = leaves.filter((row) => row.kind === 'TASK');
            if (maxParallelism > 0) expect(tasks.length).toBeLessThanOrEqual(maxParallelism);
            if (['SUCCEEDED', 'FAILED', 'ABORTED'].includes(world.phase)) {
              const open = [...world.rows.values()].filter((row) => isOpen(row.phase));
              expect(open.map((row) => row.nodeId)).toEqual([]);
              if (world.phase === 'SUCCEEDED')
                for (const [index] of outer.nodes.entries())
                  expect(isDone(world.rows.get(`n${index}`)?.phase), `n${index}`).toBe(true);
              return;
            }
            const stopped = leaves.filter(({ nodeId }) =>
              next.stop.some((prefix) => nodeId.startsWith(prefix)),
            );
            if (stopped.length > 0) for (const { nodeId } of stopped) world.move(nodeId, 'ABORTED');
            else {
              const chosen = leaves[roll(Math.max(leaves.length, 1))];
              if (chosen) world.move(chosen.nodeId, roll(6) === 0 ? 'FAILED' : 'SUCCEEDED');
            }
          }
          throw new Error(`it never ended: ${world.phase} ${JSON.stringify([...world.rows.values()])}`);
        },
      ),
      { numRuns: process.env['SOAK'] ? 20_000 : 500 },
    );
  });
});

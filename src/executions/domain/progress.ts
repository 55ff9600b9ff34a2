import type { ExecutionPhase, NodeExecutionPhase } from '../../generated/prisma/enums.ts';
import { isTerminal } from '../../platform/phase-table.ts';
import type { CompiledWorkflow } from '../../registry/domain/workflow-templates.ts';
import { executionPhases, nodeExecutionPhases } from './phases.ts';

/** The next steps of an execution. */
export interface Progress {
  /** The nodes to start now, in the order of the workflow. */
  readonly start: readonly string[];
  /** Whether the running work must be cancelled. */
  readonly cancel: boolean;
  /** The phase to move to, if the phase changes. */
  readonly phase: Extract<ExecutionPhase, 'RUNNING' | 'FAILING' | 'SUCCEEDED' | 'FAILED' | 'ABORTED'> | null;
}

const nothing: Progress = { start: [], cancel: false, phase: null };
const failures: ReadonlySet<NodeExecutionPhase> = new Set(['FAILED', 'ABORTED', 'TIMED_OUT']);
const successes: ReadonlySet<NodeExecutionPhase> = new Set(['SUCCEEDED', 'SKIPPED', 'RECOVERED']);

/**
 * Decides the next steps from the phases of the nodes alone. So after a crash of a scheduler, another one can continue.
 *
 * A node starts when all its upstream nodes have succeeded; at most `maxParallelism` nodes run at the same time (0: no
 * limit). When a node has failed, FAIL_IMMEDIATELY cancels the others; the other policy still runs the nodes that do
 * not depend on it. The execution ends when nothing runs any more. If it is being aborted but its work has ended before
 * it could be stopped, the result of the work counts. Source: Flyte's TerminateExecution.
 */
export function progress(
  workflow: CompiledWorkflow,
  execution: { phase: ExecutionPhase; maxParallelism: number },
  nodes: ReadonlyMap<string, NodeExecutionPhase>,
): Progress {
  if (isTerminal(executionPhases, execution.phase)) return nothing;
  const phases = [...nodes.values()];
  const active = phases.filter((phase) => !isTerminal(nodeExecutionPhases, phase)).length;
  const hasFailed = phases.some((phase) => failures.has(phase));
  const stopsAtOnce = workflow.template.metadata.onFailure === 'FAIL_IMMEDIATELY';

  if (execution.phase === 'ABORTING')
    return active > 0 ? { ...nothing, cancel: true } : { ...nothing, phase: endOfAborting(workflow, nodes) };
  if (hasFailed && (stopsAtOnce || execution.phase === 'FAILING')) {
    if (active === 0) return { ...nothing, phase: 'FAILED' };
    return {
      start: [],
      cancel: true,
      phase: execution.phase === 'FAILING' ? null : 'FAILING',
    };
  }
  const ready = readyNodes(workflow, nodes);
  if (active === 0 && ready.length === 0) return { ...nothing, phase: hasFailed ? 'FAILED' : 'SUCCEEDED' };
  const room = execution.maxParallelism > 0 ? Math.max(execution.maxParallelism - active, 0) : ready.length;
  return {
    start: ready.slice(0, room),
    cancel: false,
    phase: execution.phase === 'QUEUED' ? 'RUNNING' : null,
  };
}

function endOfAborting(workflow: CompiledWorkflow, nodes: ReadonlyMap<string, NodeExecutionPhase>) {
  const isDone = (id: string) => successes.has(nodes.get(id) ?? 'QUEUED');
  if ([...workflowNodeIds(workflow)].every(isDone)) return 'SUCCEEDED';
  const phases = [...nodes.values()];
  return phases.includes('FAILED') && !phases.includes('ABORTED') ? 'FAILED' : 'ABORTED';
}

/** The nodes that have not started and whose upstream nodes have all succeeded. */
function readyNodes(workflow: CompiledWorkflow, nodes: ReadonlyMap<string, NodeExecutionPhase>): string[] {
  const isDone = (id: string) => {
    const phase = nodes.get(id);
    return !workflowNodeIds(workflow).has(id) || (phase !== undefined && successes.has(phase));
  };
  return workflow.template.nodes
    .filter((node) => !nodes.has(node.id) && (workflow.connections.upstream[node.id] ?? []).every(isDone))
    .map((node) => node.id);
}

const nodeIdsOf = new WeakMap<CompiledWorkflow, ReadonlySet<string>>();

/** The nodes of the user, without the compiler's start-node and end-node. */
function workflowNodeIds(workflow: CompiledWorkflow): ReadonlySet<string> {
  const known = nodeIdsOf.get(workflow);
  if (known) return known;
  const ids = new Set(workflow.template.nodes.map((node) => node.id));
  nodeIdsOf.set(workflow, ids);
  return ids;
}

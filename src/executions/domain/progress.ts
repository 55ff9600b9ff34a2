import type { ExecutionPhase, NodeExecutionPhase } from '../../generated/prisma/enums.ts';
import { isTerminal } from '../../platform/phase-table.ts';
import type { CompiledWorkflow } from '../../registry/domain/workflow-templates.ts';
import { executionPhases, nodeExecutionPhases } from './phases.ts';

/** What an execution's nodes ask of it next. */
export interface Progress {
  /** Nodes to start now, in the workflow's order. */
  readonly start: readonly string[];
  /** Whether the work that is under way must be cancelled. */
  readonly cancel: boolean;
  /** The phase to move to, where that changes. */
  readonly phase: Extract<ExecutionPhase, 'RUNNING' | 'FAILING' | 'SUCCEEDED' | 'FAILED' | 'ABORTED'> | null;
}

const nothing: Progress = { start: [], cancel: false, phase: null };
const failures: ReadonlySet<NodeExecutionPhase> = new Set(['FAILED', 'ABORTED', 'TIMED_OUT']);
const successes: ReadonlySet<NodeExecutionPhase> = new Set(['SUCCEEDED', 'SKIPPED', 'RECOVERED']);

/**
 * Decides, from the phases of the nodes alone, what comes next: so a scheduler that was killed looks and goes on.
 *
 * A node starts once all its upstream nodes have succeeded, at most `maxParallelism` side by side (0: no limit). When a
 * node has failed, FAIL_IMMEDIATELY cancels the rest; the other policy still runs what does not depend on it. The
 * execution ends when nothing is under way any more; one that is to be aborted with the result that its work had before
 * the abort could stop any of it. Source: Flyte's TerminateExecution.
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

/** Nodes that have not begun and whose upstream nodes have all succeeded. */
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

/** The user's nodes; the compiler's start and end are none of them. */
function workflowNodeIds(workflow: CompiledWorkflow): ReadonlySet<string> {
  const known = nodeIdsOf.get(workflow);
  if (known) return known;
  const ids = new Set(workflow.template.nodes.map((node) => node.id));
  nodeIdsOf.set(workflow, ids);
  return ids;
}

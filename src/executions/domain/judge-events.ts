import type { ExecutionPhase, NodeExecutionPhase, TaskExecutionPhase } from '../../generated/prisma/enums.ts';
import { isTerminal } from '../../platform/phase-table.ts';
import { executionPhases, nodeExecutionPhases, taskExecutionPhases } from './phases.ts';

/**
 * What becomes of an event of an engine from outside. The order of the checks is Flyte's.
 *
 *   REPEATED              the object is in this phase already
 *   INCOMPATIBLE_CLUSTER  another engine runs the execution
 *   TERMINAL              the object has ended
 *   NOT_ALLOWED           this phase cannot follow the current one
 */
export type EventVerdict = 'ACCEPTED' | 'REPEATED' | 'INCOMPATIBLE_CLUSTER' | 'TERMINAL' | 'NOT_ALLOWED';

/** The name by which every engine may report. */
const ANY_PRODUCER = 'propeller';

/** The engine of an execution is set by its first event QUEUED. */
export const isNamedProducer = (producerId: string): boolean =>
  producerId !== '' && producerId !== ANY_PRODUCER;

export function isWrongProducer(producerId: string, cluster: string | null): boolean {
  return isNamedProducer(producerId) && producerId !== cluster;
}

/**
 * Unlike Flyte, an execution that is SUCCEEDING or FAILING does not go back to QUEUED or RUNNING.
 * Source: Flyte's CreateWorkflowEvent.
 */
export function judgeWorkflowEvent(
  current: { readonly phase: ExecutionPhase; readonly cluster: string | null },
  { phase, producerId }: { readonly phase: ExecutionPhase; readonly producerId: string },
): EventVerdict {
  const isQueued = phase === 'QUEUED';
  if (!isQueued && phase === current.phase) return 'REPEATED';
  if (!isQueued && isWrongProducer(producerId, current.cluster)) return 'INCOMPATIBLE_CLUSTER';
  if (isTerminal(executionPhases, current.phase)) return 'TERMINAL';
  // Each phase may follow QUEUED, and a second QUEUED gives the execution to another engine.
  if (current.phase === 'QUEUED') return 'ACCEPTED';
  return executionPhases[current.phase].includes(phase) ? 'ACCEPTED' : 'NOT_ALLOWED';
}

/**
 * @param current  null if the node has no row yet: then its first event may have any phase. A node may go back.
 * Source: Flyte's CreateNodeEvent.
 */
export function judgeNodeEvent(current: NodeExecutionPhase | null, phase: NodeExecutionPhase): EventVerdict {
  if (current === null) return 'ACCEPTED';
  if (current === phase) return 'REPEATED';
  return isTerminal(nodeExecutionPhases, current) ? 'TERMINAL' : 'ACCEPTED';
}

/**
 * @param current  null if the attempt has no row yet. An event of the same phase with a higher version brings news; an
 * attempt may go back.
 * Source: Flyte's CreateTaskEvent.
 */
export function judgeTaskEvent(
  current: { readonly phase: TaskExecutionPhase; readonly phaseVersion: number } | null,
  { phase, phaseVersion }: { readonly phase: TaskExecutionPhase; readonly phaseVersion: number },
): EventVerdict {
  if (current === null) return 'ACCEPTED';
  if (current.phase === phase && phaseVersion <= current.phaseVersion) return 'REPEATED';
  return isTerminal(taskExecutionPhases, current.phase) ? 'TERMINAL' : 'ACCEPTED';
}

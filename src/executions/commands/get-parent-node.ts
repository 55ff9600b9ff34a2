import { getAllowed } from '../../authorization/get-allowed.ts';
import type { Caller } from '../../platform/caller.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { FailedPreconditionError, NotFoundError } from '../../platform/errors.ts';
import { isTerminal } from '../../platform/phase-table.ts';
import type { ExecutionSettings } from '../domain/execution-spec.ts';
import { MAX_NESTING } from '../domain/limits.ts';
import { executionPhases, nodeExecutionPhases } from '../domain/phases.ts';
import { executionTarget } from '../domain/targets.ts';
import { findReportedNode, lockReported } from '../store/events-from-outside.ts';
import { readShownSpecs } from '../store/execution-specs.ts';
import type { ExecutionRow, NodeExecutionRow } from '../store/reads.ts';

/** A node of an execution that an engine from outside runs, as the parent of a new execution. */
export interface ParentNode {
  readonly id: string;
  readonly executionId: string;
  /** The user for whom the execution of the node runs. */
  readonly principalId: string;
  /** How many executions are above the new one. */
  readonly nesting: number;
  /** What a new execution inherits from the execution of the node, whatever its own request says. */
  readonly settings: Pick<ExecutionSettings, 'executionClusterLabel'>;
  /**
   * Locks the execution of the node, in the transaction that stores the new execution.
   *
   * @throws NotFoundError if it was deleted; FailedPreconditionError if it, or the node, has ended.
   */
  lock(tx: Tx): Promise<void>;
}

const path = ['input', 'parentNodeExecution'];

/**
 * The node that starts a new execution, for an engine from outside. Because the new execution runs for the user of the
 * node's execution, the caller must have the level of the events of that execution. The nodes of our own engine start
 * their executions themselves.
 *
 * @param key  the address of the node, for messages.
 * @throws NotFoundError; PermissionDeniedError; FailedPreconditionError if our own engine runs the execution of the node,
 * or if too many executions are above it. Whether it has ended is judged when it is locked.
 * Source: Flyte's parent_node_execution, which any caller may name, in whatever phase it is.
 */
export async function getParentNode(
  caller: Caller,
  key: string,
  find: () => Promise<{ readonly node: NodeExecutionRow; readonly execution: ExecutionRow } | null>,
): Promise<ParentNode> {
  const { node, execution } = await getAllowed(caller, 'execution:report', {
    kind: 'node execution',
    key,
    path,
    find,
    targetOf: ({ execution }) => executionTarget(execution),
  });
  if (execution.engine !== 'EXTERNAL')
    throw refused(
      'Slipway runs the execution of this node itself, so its nodes start their executions themselves',
      execution.phase,
    );
  if (execution.nesting >= MAX_NESTING)
    throw refused(`executions must be nested at most ${MAX_NESTING} levels deep`, execution.phase);
  const [shown] = await readShownSpecs([execution.id]);
  const label = shown?.spec.executionClusterLabel;
  return {
    id: node.id,
    executionId: execution.id,
    principalId: execution.principalId,
    nesting: execution.nesting + 1,
    settings: label ? { executionClusterLabel: label } : {},
    async lock(tx) {
      const locked = await lockReported(tx, execution.id);
      const current = locked && (await findReportedNode(tx, execution.id, node.nodeId));
      if (!locked || !current) throw new NotFoundError('node execution', key, path);
      requireOpen(locked.phase, current);
    },
  };
}

/** @throws FailedPreconditionError if a node or its execution has ended. */
function requireOpen(
  phase: ExecutionRow['phase'],
  { nodeId, phase: nodePhase }: Pick<NodeExecutionRow, 'nodeId' | 'phase'>,
): void {
  const reason = 'ALREADY_IN_TERMINAL_STATE';
  if (isTerminal(executionPhases, phase))
    throw refused(`the execution of this node has already ended as ${phase}`, phase, reason);
  if (isTerminal(nodeExecutionPhases, nodePhase))
    throw refused(`the node ${nodeId} has already ended as ${nodePhase}`, nodePhase, reason);
}

const refused = (message: string, current: string, reason?: FailedPreconditionError['reason']) =>
  new FailedPreconditionError(message, { current, path, ...(reason && { reason }) });

import type { NodeKind } from '../../generated/prisma/enums.ts';
import type { Closure } from '../../registry/domain/closure.ts';
import { getClosure } from '../../registry/store.ts';
import type { ExecutionRow } from '../store/reads.ts';
import { listEarlierNodes } from '../store/recovered.ts';

/** What a recovery would do with a node. */
export type RecoveryAction = 'REUSE' | 'CONTINUE' | 'RUN';

export interface PlannedNode {
  readonly nodeId: string;
  readonly kind: NodeKind;
  readonly action: RecoveryAction;
  /** The node of the execution to recover; null if it had not started there. */
  readonly earlierId: string | null;
}

/**
 * What `recoverExecution` would do with each node of the outermost workflow, in the order in which the workflow declares
 * them. The failure node is left out. If the execution still runs, this is the plan for its state of now.
 */
export async function planRecovery(execution: ExecutionRow): Promise<PlannedNode[]> {
  const closure = await getClosure(execution.workflowId);
  const earlier = new Map(
    (await listEarlierNodes(execution.id, failureNodesOf(closure))).map((node) => [node.nodeId, node]),
  );
  return [...closure.nodes.values()].map(({ id, kind }) => {
    const node = earlier.get(id);
    const rest = node?.hasReusable ? 'CONTINUE' : 'RUN';
    return { nodeId: id, kind, action: node?.isReusable ? 'REUSE' : rest, earlierId: node?.id ?? null };
  });
}

/** The ids that only failure nodes have. They run again after a new failure. */
function failureNodesOf(closure: Closure): string[] {
  const graphs = [closure, ...closure.subWorkflows.values()];
  const others = new Set(graphs.flatMap(({ nodes }) => [...nodes.keys()]));
  return graphs.flatMap(({ failureNode }) =>
    failureNode && !others.has(failureNode.id) ? [failureNode.id] : [],
  );
}

import { run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';

/** What an execution that recovers another one takes from it. */

const reusableStatement = statement<{ id: string; nodeId: string }>(
  `select id, node_id as "nodeId" from node_executions
    where execution_id = $1::uuid and node_id = any($2::text[]) and phase in ('SUCCEEDED', 'RECOVERED')`,
);

/** The rows of the nodes that have succeeded in an execution, by node id. */
export async function findReusableNodes(
  tx: Tx,
  executionId: string,
  nodeIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (nodeIds.length === 0) return new Map();
  const rows = await run(reusableStatement, [executionId, nodeIds], tx);
  return new Map(rows.map((row) => [row.nodeId, row.id]));
}

const recoverableChildren = statement<{ id: string; nodeId: string }>(
  `select child.id, node.node_id as "nodeId"
     from node_executions as node join executions as child on child.parent_node_id = node.id
    where node.execution_id = $1::uuid and node.node_id = any($2::text[])
      and child.phase in ('FAILED', 'ABORTED', 'TIMED_OUT')`,
);

/** The executions that nodes of an execution started and that ended without success, by node id. */
export async function findRecoverableChildren(
  tx: Tx,
  executionId: string,
  nodeIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (nodeIds.length === 0) return new Map();
  const rows = await run(recoverableChildren, [executionId, nodeIds], tx);
  return new Map(rows.map((row) => [row.nodeId, row.id]));
}

/** An outermost node of an execution, as a recovery sees it. */
export interface EarlierNode {
  readonly id: string;
  readonly nodeId: string;
  /** Whether its outputs count again. */
  readonly isReusable: boolean;
  /** Whether something inside of it, or the execution that it started, counts again at least in part. */
  readonly hasReusable: boolean;
}

const earlierNodes = statement<EarlierNode>(
  `select node.id, node.node_id as "nodeId", node.phase in ('SUCCEEDED', 'RECOVERED') as "isReusable",
          node.kind in ('WORKFLOW', 'BRANCH', 'ARRAY', 'LAUNCH_PLAN') and (
            exists (select from node_executions as inside
                     where inside.execution_id = node.execution_id and starts_with(inside.node_id, node.node_id || ':')
                       and inside.phase in ('SUCCEEDED', 'RECOVERED') and not inside.spec_node_id = any($2::text[]))
            or exists (select from node_executions as inside join executions as child on child.parent_node_id = inside.id
                        where inside.execution_id = node.execution_id
                          and (inside.id = node.id or starts_with(inside.node_id, node.node_id || ':'))
                          and child.phase in ('FAILED', 'ABORTED', 'TIMED_OUT')))
          as "hasReusable"
     from node_executions as node where node.execution_id = $1::uuid and node.parent_id is null`,
);

/**
 * The nodes of the outermost workflow of an execution.
 *
 * @param neverReused  the ids, in their workflows, of nodes that run again even if they have succeeded.
 */
export function listEarlierNodes(
  executionId: string,
  neverReused: readonly string[],
): Promise<EarlierNode[]> {
  return run(earlierNodes, [executionId, neverReused]);
}

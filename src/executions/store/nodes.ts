import { run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import type { WorkErrorColumns } from '../../platform/work-error.ts';
import type { LiteralMap } from '../../values/literals.ts';
import type { NodeExecutionRow } from './reads.ts';

/** The parts of a node that the scheduler needs. */
export type NodeRow = Pick<
  NodeExecutionRow,
  'id' | 'nodeId' | 'phase' | 'latestAttempt' | 'latestTaskPhase' | keyof WorkErrorColumns
>;

const listNodesStatement = statement<NodeRow>(
  `select id, node_id as "nodeId", phase::text as phase, latest_attempt as "latestAttempt",
          latest_task_phase::text as "latestTaskPhase", error_code as "errorCode", error_message as "errorMessage",
          error_kind::text as "errorKind"
     from node_executions where execution_id = $1::uuid
    order by ended_at nulls last, id`,
);

/** All nodes that have started; nodes that ended first come first. */
export function listNodesToAdvance(tx: Tx, executionId: string): Promise<NodeRow[]> {
  return run(listNodesStatement, [executionId], tx);
}

const literalsStatement = (column: 'inputs' | 'outputs') =>
  statement<{ nodeId: string; literals: LiteralMap | null }>(
    `select node_id as "nodeId", ${column} as literals from node_executions
      where execution_id = $1::uuid and node_id = any($2::text[])`,
  );
const statements = { inputs: literalsStatement('inputs'), outputs: literalsStatement('outputs') };

/** The inputs or the outputs of these nodes, by node id. */
export async function readNodeLiterals(
  tx: Tx,
  executionId: string,
  which: keyof typeof statements,
  nodeIds: readonly string[],
): Promise<ReadonlyMap<string, LiteralMap>> {
  if (nodeIds.length === 0) return new Map();
  const rows = await run(statements[which], [executionId, nodeIds], tx);
  return new Map(rows.map((row) => [row.nodeId, row.literals ?? {}]));
}

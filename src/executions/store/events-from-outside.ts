import type { CacheStatus, ExecutionPhase } from '../../generated/prisma/enums.ts';
import { run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import type { NodeDetails } from '../domain/node-details.ts';
import type { NodeExecutionRow } from './reads.ts';

/** The reads and writes of engines from outside. Each transaction first locks the execution. */

/** The parts of an execution that decide about an event. */
export interface ReportedExecution {
  readonly id: string;
  readonly tenantId: string;
  readonly projectId: string;
  readonly workflowId: string;
  readonly engine: 'SLIPWAY' | 'EXTERNAL';
  readonly phase: ExecutionPhase;
  readonly cluster: string | null;
}

const lockStatement = statement<ReportedExecution>(
  `select id, tenant_id as "tenantId", project_id as "projectId", workflow_id as "workflowId",
          engine::text as engine, phase::text as phase, cluster
     from executions where id = $1::uuid for update`,
);

/** Waits for the lock. Null if the execution does not exist. */
export async function lockReported(tx: Tx, id: string): Promise<ReportedExecution | null> {
  const [row] = await run(lockStatement, [id], tx);
  return row ?? null;
}

const clusterStatement = statement<{ id: string }>(
  'update executions set cluster = $2 where id = $1::uuid returning id',
);

export async function assignCluster(tx: Tx, id: string, cluster: string): Promise<void> {
  await run(clusterStatement, [id, cluster], tx);
}

type KnownNode = Pick<NodeExecutionRow, 'id' | 'nodeId' | 'phase'> & {
  readonly details: NodeDetails | null;
};

const nodeStatement = statement<KnownNode>(
  `select id, node_id as "nodeId", phase::text as phase, details
     from node_executions where execution_id = $1::uuid and node_id = $2`,
);

export async function findReportedNode(
  tx: Tx,
  executionId: string,
  nodeId: string,
): Promise<KnownNode | null> {
  const [row] = await run(nodeStatement, [executionId, nodeId], tx);
  return row ?? null;
}

/** What an event says about a node besides its phase. Null leaves the stored value. */
export interface NodeNews {
  readonly details: NodeDetails;
  readonly cacheStatus: CacheStatus | null;
  readonly isParent: boolean;
  readonly isDynamic: boolean;
  readonly parentTaskId: string | null;
  readonly dynamicWorkflow: object | null;
  readonly updatedAt: Date;
}

const nodeNewsStatement = statement<{ id: string }>(
  `update node_executions
      set details = $2::json, cache_status = coalesce($3::cache_status, cache_status), is_parent = is_parent or $4::boolean,
          is_dynamic = is_dynamic or $5::boolean, parent_task_id = coalesce(parent_task_id, $6::uuid),
          dynamic_workflow = coalesce($7::json, dynamic_workflow), updated_at = $8::timestamptz
    where id = $1::uuid returning id`,
);

export async function storeNodeNews(tx: Tx, id: string, news: NodeNews): Promise<void> {
  const values = [
    id,
    JSON.stringify(news.details),
    news.cacheStatus,
    news.isParent,
    news.isDynamic,
    news.parentTaskId,
    news.dynamicWorkflow === null ? null : JSON.stringify(news.dynamicWorkflow),
    news.updatedAt,
  ];
  await run(nodeNewsStatement, values, tx);
}

import type { CacheStatus, ExecutionPhase, TaskExecutionPhase } from '../../generated/prisma/enums.ts';
import { run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import type { EntityKey } from '../../registry/domain/entity-keys.ts';
import type { NodeDetails } from '../domain/node-details.ts';
import type { TaskDetails } from '../domain/task-details.ts';
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

const nodeInputsStatement = statement<{ id: string }>(
  'update node_executions set inputs = $2::json where id = $1::uuid and inputs is null returning id',
);

/** Stores the inputs of a node, which its attempts share. The first ones are kept. */
export async function storeNodeInputs(tx: Tx, id: string, inputs: object): Promise<void> {
  await run(nodeInputsStatement, [id, JSON.stringify(inputs)], tx);
}

interface KnownTask {
  readonly id: string;
  readonly phase: TaskExecutionPhase;
  readonly phaseVersion: number;
  readonly details: TaskDetails | null;
}

const taskStatement = statement<KnownTask>(
  `select id, phase::text as phase, phase_version as "phaseVersion", details from task_executions
    where node_execution_id = $1::uuid and retry_attempt = $2 and task_project = $3 and task_domain = $4
      and task_name = $5 and task_version = $6`,
);

/** One attempt of a task in a node. */
export async function findReportedTask(
  tx: Tx,
  nodeExecutionId: string,
  attempt: number,
  { project, domain, name, version }: EntityKey,
): Promise<KnownTask | null> {
  const [row] = await run(taskStatement, [nodeExecutionId, attempt, project, domain, name, version], tx);
  return row ?? null;
}

const taskNewsStatement = statement<{ id: string }>(
  `update task_executions
      set details = $2::json, phase_version = $3, updated_at = $4::timestamptz, reason = coalesce($5, reason)
    where id = $1::uuid returning id`,
);

export async function storeTaskNews(
  tx: Tx,
  id: string,
  news: { readonly details: TaskDetails; readonly phaseVersion: number; readonly updatedAt: Date },
): Promise<void> {
  const { details, phaseVersion, updatedAt } = news;
  const reason = details.reasons.at(-1)?.message ?? null;
  await run(taskNewsStatement, [id, JSON.stringify(details), phaseVersion, updatedAt, reason], tx);
}

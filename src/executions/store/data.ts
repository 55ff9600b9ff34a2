import { eachOf } from '../../platform/by-id.ts';
import { run, statement } from '../../platform/database/statement.ts';
import type { LiteralMap } from '../../values/literals.ts';
import type { FlyteUrlPart } from '../domain/flyte-urls.ts';

/** The values of an execution, node or attempt, which are read only if a query asks for them, and their project. */
export interface DataRow {
  readonly id: string;
  readonly tenantId: string;
  readonly projectId: string;
  readonly inputs: LiteralMap | null;
  /** Null until it has succeeded. */
  readonly outputs: LiteralMap | null;
  readonly inputUri: string | null;
  readonly outputUri: string | null;
  /** Null for an execution: Flyte has no addresses of its values. */
  readonly part: FlyteUrlPart | null;
}

const executionData = statement<DataRow>(
  `select id, tenant_id as "tenantId", project_id as "projectId", inputs,
          case when phase = 'SUCCEEDED' then outputs end as outputs,
          null as "inputUri", case when phase = 'SUCCEEDED' then output_uri end as "outputUri", null as part
     from executions where id = any($1::uuid[])`,
);
const partOf = (attempt: string) => `json_build_object(
  'project', project.identifier, 'domain', execution.domain, 'execution', execution.name,
  'nodeId', node.node_id, 'attempt', ${attempt}, 'hasDeck', node.details->>'deckUri' is not null) as part`;
const nodeData = statement<DataRow>(
  `select node.id, execution.tenant_id as "tenantId", execution.project_id as "projectId", node.inputs,
          case when node.phase in ('SUCCEEDED', 'RECOVERED') then node.outputs end as outputs,
          node.details->>'inputUri' as "inputUri", node.details->>'outputUri' as "outputUri", ${partOf('null')}
     from node_executions as node join executions as execution on execution.id = node.execution_id
     join projects as project on project.id = execution.project_id
    where node.id = any($1::uuid[])`,
);
const taskData = statement<DataRow>(
  `select task.id, execution.tenant_id as "tenantId", execution.project_id as "projectId", node.inputs,
          case when task.phase = 'SUCCEEDED' then task.outputs end as outputs,
          task.details->>'inputUri' as "inputUri", task.details->>'outputUri' as "outputUri",
          ${partOf('task.retry_attempt')}
     from task_executions as task
     join node_executions as node on node.id = task.node_execution_id
     join executions as execution on execution.id = task.execution_id
     join projects as project on project.id = execution.project_id
    where task.id = any($1::uuid[])`,
);

export const readExecutionData = async (ids: readonly string[]) =>
  eachOf(ids, await run(executionData, [ids]));
export const readNodeData = async (ids: readonly string[]) => eachOf(ids, await run(nodeData, [ids]));
export const readTaskData = async (ids: readonly string[]) => eachOf(ids, await run(taskData, [ids]));

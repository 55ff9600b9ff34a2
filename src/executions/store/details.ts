import { eachOf } from '../../platform/by-id.ts';
import { run, statement } from '../../platform/database/statement.ts';
import type { JsonObject } from '../../values/json.ts';
import type { NodeDetails } from '../domain/node-details.ts';
import type { TaskDetails } from '../domain/task-details.ts';

/** What engines from outside say about nodes and attempts. It can be large, so it is read only if a query asks for it. */

export interface TaskDetailsRow {
  readonly id: string;
  readonly details: TaskDetails | null;
  readonly isParent: boolean;
}

const taskDetails = statement<TaskDetailsRow>(
  `select task.id, task.details,
          exists (select from node_executions as child where child.parent_task_id = task.id) as "isParent"
     from task_executions as task where task.id = any($1::uuid[])`,
);

export const readTaskDetails = async (ids: readonly string[]): Promise<(TaskDetailsRow | null)[]> =>
  eachOf(ids, await run(taskDetails, [ids]));

export interface NodeDetailsRow {
  readonly id: string;
  readonly details: NodeDetails | null;
}

const nodeDetails = statement<NodeDetailsRow>(
  `select node.id, node.details from node_executions as node where node.id = any($1::uuid[])`,
);

export const readNodeDetails = async (ids: readonly string[]): Promise<(NodeDetailsRow | null)[]> =>
  eachOf(ids, await run(nodeDetails, [ids]));

export interface DynamicWorkflowRow {
  readonly id: string;
  readonly dynamicWorkflow: JsonObject | null;
}

const dynamicWorkflows = statement<DynamicWorkflowRow>(
  `select node.id, node.dynamic_workflow as "dynamicWorkflow"
     from node_executions as node where node.id = any($1::uuid[])`,
);

export const readDynamicWorkflows = async (ids: readonly string[]): Promise<(DynamicWorkflowRow | null)[]> =>
  eachOf(ids, await run(dynamicWorkflows, [ids]));

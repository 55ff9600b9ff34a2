import { columnSets } from '../../platform/database/columns.ts';
import type { ExecutionRow, NodeExecutionRow, TaskExecutionRow } from './reads.ts';

/** The columns of executions, nodes and attempts: first the brief set, and then the others. */

type Some<Row> = Partial<Record<keyof Row, string>>;
type Others<Row, Brief> = Record<Exclude<keyof Row, keyof Brief>, string>;

const briefExecution = {
  id: 'execution.id',
  projectId: 'execution.project_id',
  project: 'project.identifier',
  domain: 'execution.domain',
  name: 'execution.name',
  phase: 'execution.phase::text',
  startedAt: 'execution.started_at',
  endedAt: 'execution.ended_at',
  createdAt: 'execution.created_at',
} satisfies Some<ExecutionRow>;

/** Of `executions as execution` and `projects as project`. */
export const executionColumns = columnSets(briefExecution, {
  tenantId: 'execution.tenant_id',
  launchPlanId: 'execution.launch_plan_id',
  workflowId: 'execution.workflow_id',
  workflowEntityId: 'execution.workflow_entity_id',
  engine: 'execution.engine::text',
  cluster: 'execution.cluster',
  awaitsSlot: 'execution.awaits_slot',
  mode: 'execution.mode::text',
  state: 'execution.state::text',
  principalId: 'execution.principal_id',
  queue: 'execution.queue',
  maxParallelism: 'execution.max_parallelism',
  interruptible: 'execution.interruptible',
  overwriteCache: 'execution.overwrite_cache',
  launchEntity: 'execution.launch_entity::text',
  taskId: 'execution.task_id',
  scheduledAt: 'execution.scheduled_at',
  referenceId: 'execution.reference_id',
  stateChangedAt: 'execution.state_changed_at',
  stateChangedById: 'execution.state_changed_by_id',
  errorCode: 'execution.error_code',
  errorMessage: 'execution.error_message',
  errorKind: 'execution.error_kind::text',
  errorNodeId: 'execution.error_node_id',
  abortCause: 'execution.abort_cause',
  abortPrincipalId: 'execution.abort_principal_id',
  abortIsForced: 'execution.abort_is_forced',
  sourceId: 'execution.source_id',
  parentNodeId: 'execution.parent_node_id',
  nesting: 'execution.nesting',
  updatedAt: 'execution.updated_at',
} satisfies Others<ExecutionRow, typeof briefExecution>);

const briefNode = {
  id: 'node.id',
  nodeId: 'node.node_id',
  phase: 'node.phase::text',
  startedAt: 'node.started_at',
  endedAt: 'node.ended_at',
} satisfies Some<NodeExecutionRow>;

/** Of `node_executions as node`. */
export const nodeColumns = columnSets(briefNode, {
  executionId: 'node.execution_id',
  parentId: 'node.parent_id',
  parentTaskId: 'node.parent_task_id',
  specNodeId: 'node.spec_node_id',
  itemIndex: 'node.item_index',
  itemCount: 'node.item_count',
  kind: 'node.kind::text',
  latestTaskExecutionId: 'node.latest_task_execution_id',
  latestAttempt: 'node.latest_attempt',
  latestTaskPhase: 'node.latest_task_phase::text',
  cacheStatus: 'node.cache_status::text',
  isParent: 'node.is_parent',
  isDynamic: 'node.is_dynamic',
  abortCause: 'node.abort_cause',
  abortPrincipalId: 'node.abort_principal_id',
  errorCode: 'node.error_code',
  errorMessage: 'node.error_message',
  errorKind: 'node.error_kind::text',
  createdAt: 'node.created_at',
  updatedAt: 'node.updated_at',
} satisfies Others<NodeExecutionRow, typeof briefNode>);

const briefTask = {
  id: 'task.id',
  retryAttempt: 'task.retry_attempt',
  phase: 'task.phase::text',
  startedAt: 'task.started_at',
  endedAt: 'task.ended_at',
} satisfies Some<TaskExecutionRow>;

/** Of `task_executions as task`. */
export const taskColumns = columnSets(briefTask, {
  executionId: 'task.execution_id',
  nodeExecutionId: 'task.node_execution_id',
  taskId: 'task.task_id',
  taskProject: 'task.task_project',
  taskDomain: 'task.task_domain',
  taskName: 'task.task_name',
  taskVersion: 'task.task_version',
  phaseVersion: 'task.phase_version',
  reason: 'task.reason',
  errorCode: 'task.error_code',
  errorMessage: 'task.error_message',
  errorKind: 'task.error_kind::text',
  createdAt: 'task.created_at',
  updatedAt: 'task.updated_at',
} satisfies Others<TaskExecutionRow, typeof briefTask>);

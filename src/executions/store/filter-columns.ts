import type { FilterColumn, FilterColumns, FilterTable } from '../../platform/database/filter-sql.ts';
import { described, launchPlanColumns } from '../../registry/store/filter-columns.ts';

/** The columns that Flyte's filters can name. Source: flyteadmin's columns of each list. */

const text = (column: string): FilterColumn => ({ column, type: 'text' });
const time = (column: string): FilterColumn => ({ column, type: 'timestamptz' });
const id = (column: string): FilterColumn => ({ column, type: 'uuid' });

/** The values in the order of Flyte's numbers, from 0. */
const choice = (column: string, ...values: readonly string[]): FilterColumn => ({
  column: `${column}::text`,
  type: 'enum',
  values,
});

/** In seconds; null before the end, and if it never started. */
const duration = (alias: string): FilterColumn => ({
  column: `extract(epoch from ${alias}.ended_at - ${alias}.started_at)`,
  type: 'duration',
});

const errors = (alias: string): FilterColumns => ({
  error_kind: choice(`${alias}.error_kind`, 'UNKNOWN', 'USER', 'SYSTEM'),
  error_code: text(`${alias}.error_code`),
});

/** The key of the execution that a row belongs to. */
const ofExecution: FilterColumns = {
  execution_project: text('project.identifier'),
  execution_domain: text('execution.domain'),
  execution_name: text('execution.name'),
};

const executionColumns: FilterColumns = {
  ...ofExecution,
  id: id('execution.id'),
  // Flyte has only `execution_name`.
  name: text('execution.name'),
  created_at: time('execution.created_at'),
  updated_at: time('execution.updated_at'),
  execution_created_at: time('execution.created_at'),
  execution_updated_at: time('execution.updated_at'),
  started_at: time('execution.started_at'),
  duration: duration('execution'),
  launch_plan_id: id('execution.launch_plan_id'),
  workflow_id: id('execution.workflow_id'),
  task_id: id('execution.task_id'),
  phase: choice(
    'execution.phase',
    ...['UNDEFINED', 'QUEUED', 'RUNNING', 'SUCCEEDING', 'SUCCEEDED', 'FAILING', 'FAILED', 'ABORTED'],
    ...['TIMED_OUT', 'ABORTING'],
  ),
  mode: choice(
    'execution.mode',
    ...['MANUAL', 'SCHEDULED', 'SYSTEM', 'RELAUNCH', 'CHILD_WORKFLOW', 'RECOVERED', 'TRIGGER'],
  ),
  state: choice('execution.state', 'ACTIVE', 'ARCHIVED'),
  // In Flyte: `launch_plan` or `task`.
  launch_entity: text('lower(execution.launch_entity::text)'),
  abort_cause: text('execution.abort_cause'),
  source_execution_id: id('execution.source_id'),
  parent_node_execution_id: id('execution.parent_node_id'),
  cluster: text('execution.cluster'),
  ...errors('execution'),
  user: text('(select known.username from users as known where known.id = execution.principal_id)'),
};

const nodeColumns: FilterColumns = {
  ...ofExecution,
  id: id('node.id'),
  node_id: text('node.node_id'),
  phase: choice(
    'node.phase',
    ...['UNDEFINED', 'QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILING', 'FAILED', 'ABORTED', 'SKIPPED'],
    ...['TIMED_OUT', 'DYNAMIC_RUNNING', 'RECOVERED'],
  ),
  started_at: time('node.started_at'),
  node_execution_created_at: time('node.created_at'),
  node_execution_updated_at: time('node.updated_at'),
  duration: duration('node'),
  parent_id: id('node.parent_id'),
  parent_task_execution_id: id('node.parent_task_id'),
  ...errors('node'),
  cache_status: choice(
    'node.cache_status',
    ...['DISABLED', 'MISS', 'HIT', 'POPULATED', 'LOOKUP_FAILURE', 'PUT_FAILURE', 'SKIPPED', 'EVICTED'],
  ),
};

/** The key of the task, which everybody may see who may see the attempt. */
const taskKey: FilterColumns = {
  project: text('task.task_project'),
  domain: text('task.task_domain'),
  name: text('task.task_name'),
  version: text('task.task_version'),
};

export const executionFilters: FilterTable = {
  prefixes: ['execution'],
  columns: executionColumns,
  joined: {
    launch_plan: launchPlanColumns('launch_plan', 'launch_plan_project'),
    workflow: described('workflow', 'workflow_project'),
    task: { ...described('task', 'task_project'), type: text('task.type') },
    execution_tag: { key: text('label.key'), value: text('label.value') },
    admin_tag: { name: text('tag.tag') },
  },
};

export const nodeExecutionFilters: FilterTable = {
  prefixes: ['node_execution'],
  columns: nodeColumns,
  joined: { execution: executionColumns },
};

export const taskExecutionFilters: FilterTable = {
  prefixes: ['task_execution'],
  columns: {
    ...taskKey,
    ...ofExecution,
    node_id: text('node.node_id'),
    retry_attempt: { column: 'task.retry_attempt', type: 'int' },
    phase: choice(
      'task.phase',
      ...['UNDEFINED', 'QUEUED', 'RUNNING', 'SUCCEEDED', 'ABORTED', 'FAILED', 'INITIALIZING'],
      ...['WAITING_FOR_RESOURCES', 'RETRYABLE_FAILED'],
    ),
    phase_version: { column: 'task.phase_version', type: 'int' },
    started_at: time('task.started_at'),
    task_execution_created_at: time('task.created_at'),
    task_execution_updated_at: time('task.updated_at'),
    duration: duration('task'),
  },
  joined: { task: taskKey, execution: executionColumns, node_execution: nodeColumns },
};

export const signalFilters: FilterTable = {
  prefixes: ['signal'],
  columns: { ...ofExecution, signal_id: text('signal.signal_id') },
};

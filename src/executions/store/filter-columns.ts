import type { FilterColumn, FilterTable } from '../../platform/database/filter-sql.ts';
import { described, versionColumns } from '../../registry/store/filter-columns.ts';

/** The columns that Flyte's filters can name. Source: flyteadmin's columns of executions. */

const text = (column: string): FilterColumn => ({ column, type: 'text' });
const time = (column: string): FilterColumn => ({ column, type: 'timestamptz' });
const id = (column: string): FilterColumn => ({ column, type: 'uuid' });

export const executionFilters: FilterTable = {
  prefixes: ['execution'],
  columns: {
    id: id('execution.id'),
    created_at: time('execution.created_at'),
    updated_at: time('execution.updated_at'),
    execution_project: text('project.identifier'),
    execution_domain: text('execution.domain'),
    execution_name: text('execution.name'),
    // Flyte has only the longer name.
    name: text('execution.name'),
    launch_plan_id: id('execution.launch_plan_id'),
    workflow_id: id('execution.workflow_id'),
    task_id: id('execution.task_id'),
    phase: {
      column: 'execution.phase::text',
      type: 'enum',
      values: [
        ...['QUEUED', 'RUNNING', 'SUCCEEDING', 'SUCCEEDED', 'FAILING', 'FAILED', 'ABORTED', 'TIMED_OUT'],
        'ABORTING',
      ],
      first: 1,
    },
    started_at: time('execution.started_at'),
    execution_created_at: time('execution.created_at'),
    execution_updated_at: time('execution.updated_at'),
    duration: {
      column: 'extract(epoch from execution.ended_at - execution.started_at)::float8',
      type: 'seconds',
    },
    abort_cause: text('execution.abort_cause'),
    mode: {
      column: 'execution.mode::text',
      type: 'enum',
      values: ['MANUAL', 'SCHEDULED', 'SYSTEM', 'RELAUNCH', 'CHILD_WORKFLOW', 'RECOVERED', 'TRIGGER'],
    },
    source_execution_id: id('execution.source_id'),
    parent_node_execution_id: id('execution.parent_node_id'),
    cluster: text('execution.cluster'),
    error_kind: {
      column: 'execution.error_kind::text',
      type: 'enum',
      values: ['UNKNOWN', 'USER', 'SYSTEM'],
    },
    error_code: text('execution.error_code'),
    user: text(
      '(select principal.username from users as principal where principal.id = execution.principal_id)',
    ),
    state: { column: 'execution.state::text', type: 'enum', values: ['ACTIVE', 'ARCHIVED'] },
    launch_entity: text('lower(execution.launch_entity::text)'),
  },
  joined: {
    launch_plan: {
      ...versionColumns('launch_plan', 'launch_plan_project'),
      state: { column: 'launch_plan.state::text', type: 'enum', values: ['INACTIVE', 'ACTIVE'] },
    },
    workflow: described('workflow', 'workflow_project'),
    task: { ...described('task', 'task_project'), type: text('task.type') },
    execution_tag: { key: text('label.key'), value: text('label.value') },
    admin_tag: { name: text('tag.tag') },
  },
};

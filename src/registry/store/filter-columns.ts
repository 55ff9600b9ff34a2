import type { FilterColumn, FilterColumns, FilterTable } from '../../platform/database/filter-sql.ts';

/** The columns that Flyte's filters can name. Source: flyteadmin's columns of each list. */

const text = (column: string): FilterColumn => ({ column, type: 'text' });
const time = (column: string): FilterColumn => ({ column, type: 'timestamptz' });

/** The columns that all versions have. They never change, so `updated_at` of most kinds is the time of registration. */
export const versionColumns = (alias: string, project: string): FilterColumns => ({
  id: { column: `${alias}.id`, type: 'uuid' },
  created_at: time(`${alias}.created_at`),
  updated_at: time(`${alias}.created_at`),
  project: text(`${project}.identifier`),
  domain: text(`${alias}.domain`),
  name: text(`${alias}.name`),
  version: text(`${alias}.version`),
  digest: text(`${alias}.digest`),
});

export const described = (alias: string, project: string): FilterColumns => ({
  ...versionColumns(alias, project),
  short_description: text(`${alias}.short_description`),
});

export const taskFilters: FilterTable = {
  prefixes: ['task'],
  columns: { ...described('version', 'project'), type: text('version.type') },
};

export const workflowFilters: FilterTable = {
  prefixes: ['workflow'],
  columns: described('version', 'project'),
};

/** Flyte's words. A schedule without slots counts as none. */
function scheduleType(alias: string): string {
  const schedule = `${alias}.spec->'entityMetadata'->'schedule'`;
  return `case when ${schedule}->'cron'->>'expression' <> '' then 'CRON'
               when (${schedule}->'rate'->>'value')::bigint > 0 then 'RATE' else 'NONE' end`;
}

export const launchPlanColumns = (alias: string, project: string): FilterColumns => ({
  ...versionColumns(alias, project),
  updated_at: time(`${alias}.updated_at`),
  workflow_id: { column: `${alias}.workflow_id`, type: 'uuid' },
  state: { column: `${alias}.state::text`, type: 'enum', values: ['INACTIVE', 'ACTIVE'] },
  schedule_type: text(scheduleType(alias)),
  // No launch plan has launch conditions.
  launch_condition_type: text(`''::text`),
});

export const launchPlanFilters: FilterTable = {
  prefixes: ['launch_plan'],
  columns: launchPlanColumns('version', 'project'),
  joined: { workflow: described('workflow', 'workflow_project') },
};

export const namedEntityFilters: FilterTable = {
  prefixes: ['entities', 'named_entity_metadata'],
  columns: {
    resource_type: {
      column: 'entity.type::text',
      type: 'enum',
      values: ['TASK', 'WORKFLOW', 'LAUNCH_PLAN'],
      first: 1,
    },
    project: text('project.identifier'),
    domain: text('entity.domain'),
    name: text('entity.name'),
    description: text('entity.description'),
    state: {
      column: 'entity.state::text',
      type: 'enum',
      values: ['ACTIVE', 'ARCHIVED', 'SYSTEM_GENERATED'],
    },
  },
};

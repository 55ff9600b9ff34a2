import pg from 'pg';
import { type Claims, poolOptions } from './common.ts';

/** The prepared statements of the peers that write their SQL by hand. Each checks the tenant of the caller. */

export const pool = new pg.Pool(poolOptions);

type Row = Record<string, never>;

const names = new Map<string, string>();

/** Runs a statement that PostgreSQL plans only once for each connection. */
export async function run<R = Row>(text: string, values: readonly unknown[]): Promise<R[]> {
  let name = names.get(text);
  if (name === undefined) {
    name = `s${names.size}`;
    names.set(text, name);
  }
  const { rows } = await pool.query({ name, text, values: [...values] });
  return rows as R[];
}

/** The same, with the rows as arrays, which cost less. */
export async function runArrays(text: string, values: readonly unknown[]): Promise<unknown[][]> {
  let name = names.get(text);
  if (name === undefined) {
    name = `s${names.size}`;
    names.set(text, name);
  }
  const { rows } = await pool.query({ name, text, values: [...values], rowMode: 'array' });
  return rows;
}

export interface UserRow {
  readonly id: string;
  readonly username: string;
  readonly name: string;
  readonly role: string;
}

/** The user of a token, whose version must be that of the token, so that a revoked token finds nobody. */
export const viewerSql = `select id, username, name, role::text as role from users
  where id = $1::uuid and tenant_id = $2::uuid and version = $3 and disabled_at is null`;

export const viewerValues = ({ userId, tenantId, version }: Claims) => [userId, tenantId, version];

/** One report: the attempt, its node, the number of the event, the event, and the news for listeners. */
export const reportSql = `with execution as (
    select execution.id, execution.tenant_id from executions as execution
     where execution.id = $1::uuid and execution.tenant_id = $2::uuid and execution.engine = 'EXTERNAL'
       and execution.phase in ('QUEUED', 'RUNNING') for update
  ),
  moved as (
    update task_executions as task
       set phase = $5::task_execution_phase, phase_version = 0,
           ended_at = case when $5 in ('SUCCEEDED', 'FAILED', 'ABORTED') then greatest($6::timestamptz, task.started_at) end,
           updated_at = $6::timestamptz
      from execution join node_executions as node on node.execution_id = execution.id and node.node_id = $3
     where task.node_execution_id = node.id and task.retry_attempt = 0 and task.task_project = $7
       and task.task_domain = $8 and task.task_name = $9 and task.task_version = $10
       and task.phase in ('QUEUED', 'INITIALIZING', 'RUNNING') and task.phase <> $5::task_execution_phase
    returning task.id, task.phase, task.node_execution_id
  ),
  latest as (
    update node_executions as node
       set latest_task_execution_id = moved.id, latest_attempt = 0, latest_task_phase = moved.phase
      from moved where node.id = moved.node_execution_id and coalesce(node.latest_attempt, 0) <= 0
  ),
  bumped as (
    update executions set last_sequence = last_sequence + 1, updated_at = now() from execution
     where executions.id = execution.id and exists (select from moved) returning executions.id, last_sequence
  ),
  recorded as (
    insert into execution_events (execution_id, sequence, tenant_id, kind, phase, node_id, attempt, occurred_at)
    select bumped.id, bumped.last_sequence, $2::uuid, 'TASK', $5, $4, 0, $6::timestamptz from bumped
  )
  select moved.id, moved.phase::text as phase, pg_notify('slipway_bench', bumped.id::text) is null as told
    from moved cross join bumped`;

export interface ReportInput {
  readonly execution: { readonly id: string };
  readonly nodeId: string;
  readonly task: Readonly<Record<'project' | 'domain' | 'name' | 'version', string>>;
  readonly phase: string;
  readonly occurredAt: string;
}

export const reportValues = (
  { tenantId }: Claims,
  { execution, nodeId, task, phase, occurredAt }: ReportInput,
) => [
  ...[execution.id, tenantId, nodeId, nodeId, phase, occurredAt],
  ...[task.project, task.domain, task.name, task.version],
];

/** The grants of a user and of its groups, newest first, each with the name of its resource. */
export const grantsSql = `select grants.id, grants.level::text as level, grants.resource_type::text as type,
         grants.resource_id as "resourceId", project.identifier as name
    from grants left join projects as project on project.id = grants.resource_id and grants.resource_type = 'PROJECT'
   where grants.tenant_id = $2::uuid
     and (grants.user_id = $1::uuid
          or grants.group_id = any(array(select group_id from group_members where user_id = $1::uuid)))
   order by grants.id desc limit $3`;

import { isRoleAtLeast } from '../../authorization/domain/roles.ts';
import type { NodeRows } from '../../authorization/store/node-rows.ts';
import { type Reader, readableSql } from '../../authorization/store/readable.ts';
import { readAddressed } from '../../platform/by-address.ts';
import { controlPlaneConfig } from '../../platform/config/control-plane.ts';
import { byText, lastIdFirst, type Page } from '../../platform/database/page.ts';
import { nothing, type Rows, raw, type Sql, sql } from '../../platform/database/sql.ts';
import { count, list, listOfEach, query, run, statement } from '../../platform/database/statement.ts';
import type { NodeWork } from '../domain/executor-work.ts';
import type { ReportedNode } from '../domain/reported-nodes.ts';
import { type JobRunRow, jobResources, runColumns, runTables } from './reads.ts';

/** CONNECTED: it gets new work. SILENT: it gets none. LOST: its runs have expired, too. */
export type ExecutorState = 'CONNECTED' | 'SILENT' | 'LOST';

export interface Executor {
  readonly id: string;
  readonly name: string;
  /** The service account that calls as this executor. */
  readonly userId: string;
  readonly pool: string;
  readonly state: ExecutorState;
  readonly slots: number;
  readonly nodeCount: number;
  readonly lastSeenAt: Date;
  readonly createdAt: Date;
  readonly cordoned: boolean;
  readonly cordonReason: string | null;
  /** Who set or removed the cordon last, and when; null if nobody ever did. */
  readonly setById: string | null;
  readonly setAt: Date | null;
}

export type ExecutorBy = { readonly id: string } | { readonly name: string };

/** Which executors a list shows. Null leaves a condition out. */
export interface ExecutorFilter {
  readonly pool: string | null;
  readonly states: readonly ExecutorState[] | null;
  readonly cordoned: boolean | null;
  readonly namePrefix: string | null;
}

const NO_FILTER: ExecutorFilter = { pool: null, states: null, cordoned: null, namePrefix: null };

/** By the clock of the database, as for the scheduler. */
function stateSql(): Sql {
  const { silentSeconds, lostSeconds } = controlPlaneConfig.executorLimits;
  return sql`case when executor.last_seen_at > now() - make_interval(secs => ${silentSeconds}) then 'CONNECTED'
    when executor.last_seen_at > now() - make_interval(secs => ${lostSeconds}) then 'SILENT' else 'LOST' end`;
}

const columns = sql`
  executor.id, executor.name, executor.user_id as "userId", executor.pool, ${stateSql()} as state, executor.slots,
  jsonb_array_length(executor.nodes) as "nodeCount", executor.last_seen_at as "lastSeenAt",
  executor.created_at as "createdAt", coalesce(settings.cordoned, false) as cordoned,
  settings.cordon_reason as "cordonReason", settings.set_by_id as "setById", settings.updated_at as "setAt"`;

function executorsOf(tenantId: string, filter: ExecutorFilter): Rows {
  const { pool, states, cordoned, namePrefix } = filter;
  return {
    from: sql`executors as executor left join executor_settings as settings
        on settings.tenant_id = executor.tenant_id and settings.name = executor.name
      where executor.tenant_id = ${tenantId}::uuid
      ${pool === null ? nothing : sql`and executor.pool = ${pool}`}
      ${states ? sql`and ${stateSql()} = any(${states}::text[])` : nothing}
      ${cordoned === null ? nothing : sql`and coalesce(settings.cordoned, false) = ${cordoned}::boolean`}
      ${namePrefix === null ? nothing : sql`and starts_with(executor.name, ${namePrefix})`}`,
  };
}

/** One row or null for each address, in the order of the addresses. */
export function readExecutors(
  tenantId: string,
  addresses: readonly ExecutorBy[],
): Promise<(Executor | null)[]> {
  const { from } = executorsOf(tenantId, NO_FILTER);
  return readAddressed(
    addresses,
    ['name'],
    (ids) => query<Executor>(sql`select ${columns} from ${from} and executor.id = any(${ids}::uuid[])`),
    (names) => query<Executor>(sql`select ${columns} from ${from} and executor.name = any(${names}::text[])`),
  );
}

/** Roles decide about executors: the rule of the lookup asks for the role. */
export const executorNodes: NodeRows = {
  from: 'executors as executor',
  id: 'executor.id',
  tenant: 'executor.tenant_id',
  isShown: ({ tenantId, role }) =>
    sql`(executor.tenant_id = ${tenantId}::uuid and ${isRoleAtLeast(role, 'SUPERUSER')}::boolean)`,
};

export const executorOrder = byText<Executor>('executor.name', 'name');

/** The executors of a tenant by name: one page, and one more row if there is one. */
export const listExecutors = (tenantId: string, filter: ExecutorFilter, page: Page) =>
  list<Executor>(executorsOf(tenantId, filter), columns, executorOrder, page);

/** The number of these executors. It is read only if a query asks for it. */
export const countExecutors = (tenantId: string, filter: ExecutorFilter) =>
  count(executorsOf(tenantId, filter));

/** A machine of an executor, as in its last report, and whether somebody has cordoned it. */
export interface ExecutorNode extends Required<ReportedNode> {
  readonly executorId: string;
  readonly executor: string;
  readonly pool: string;
  readonly cordonReason: string | null;
  /** Null if it is not cordoned. */
  readonly cordonedById: string | null;
  readonly cordonedAt: Date | null;
}

const nodeColumns = raw(`
  executor.id as "executorId", executor.name as executor, executor.pool, reported.node->>'name' as name,
  nullif(reported.node->'allocatable', 'null') as allocatable, coalesce(reported.node->'labels', '{}') as labels,
  coalesce(reported.node->'taints', '[]') as taints,
  coalesce((reported.node->>'unschedulable')::boolean, false) as unschedulable,
  cordon.reason as "cordonReason", cordon.set_by_id as "cordonedById", cordon.created_at as "cordonedAt"`);

/** Which nodes a list shows. */
export interface NodeFilter {
  readonly cordoned: boolean | null;
}

const nodesOf = (tenantId: string, cordoned: boolean | null): Rows => ({
  from: sql`executors as executor cross join lateral jsonb_array_elements(executor.nodes) as reported(node)
      left join node_cordons as cordon on cordon.tenant_id = executor.tenant_id
       and cordon.executor_name = executor.name and cordon.node = reported.node->>'name'
    where executor.tenant_id = ${tenantId}::uuid
    ${cordoned === null ? nothing : sql`and (cordon.id is not null) = ${cordoned}::boolean`}`,
});

export const nodeOrder = byText<ExecutorNode>("(reported.node->>'name')", 'name');

/** The nodes in the last report of each executor, by name. */
export const nodesOfExecutors = (tenantId: string) =>
  listOfEach<NodeFilter, ExecutorNode>(
    'executor.id',
    ({ cordoned }) => nodesOf(tenantId, cordoned),
    nodeColumns,
    () => nodeOrder,
  );

/** One node of an executor; null if the last report of the executor does not have it. */
export async function findExecutorNode(
  tenantId: string,
  executorId: string,
  name: string,
): Promise<ExecutorNode | null> {
  const { from } = nodesOf(tenantId, null);
  const [node] = await query<ExecutorNode>(sql`
    select ${nodeColumns} from ${from} and executor.id = ${executorId}::uuid and reported.node->>'name' = ${name}`);
  return node ?? null;
}

const workStatement = statement<NodeWork>(
  `with open as materialized (
     select run.executor_id, run.node, run.acknowledged_at, job.resources
       from job_runs as run join jobs as job on job.id = run.job_id
      where run.executor_id = any($1::uuid[]) and run.ended_at is null
   ),
   amounts as (
     select executor_id, node, resource.key as name, sum(resource.value::numeric) as amount
       from open cross join lateral jsonb_each_text(open.resources) as resource
      group by executor_id, node, resource.key
   )
   select open.executor_id as "executorId", open.node, count(*)::int as runs,
          (count(*) filter (where open.acknowledged_at is null))::int as unacknowledged,
          (select jsonb_object_agg(name, amount) from amounts
            where amounts.executor_id = open.executor_id and amounts.node is not distinct from open.node) as held
     from open group by open.executor_id, open.node`,
);

/** What the runs hold that have not ended, on each node of these executors. Nodes without runs are left out. */
export const readWork = (executorIds: readonly string[]): Promise<NodeWork[]> =>
  run(workStatement, [executorIds]);

export const executorRunOrder = lastIdFirst('run');

/** The runs of each executor that have not ended and that the reader may read, newest first. */
export const runsOfExecutors = (reader: Reader) =>
  listOfEach<{ readonly node: string | null }, JobRunRow>(
    'run.executor_id',
    ({ node }) => openRuns(reader, node === null ? nothing : sql`and run.node = ${node}`),
    raw(runColumns),
    () => executorRunOrder,
  );

function openRuns(reader: Reader, and: Sql): Rows {
  const readable = readableSql(reader, jobResources);
  return {
    with: readable.with,
    from: sql`${raw(runTables)} ${readable.joins}
      where run.tenant_id = ${reader.tenantId}::uuid and run.ended_at is null and ${readable.condition} ${and}`,
  };
}

/** The address of a node. */
export interface NodeOfExecutor {
  readonly executorId: string;
  readonly node: string;
}

/** How many runs of a node are shown, newest first. */
const MAX_NODE_RUNS = 100;

/** The runs of each node that have not ended and that the reader may read, newest first. */
export async function readRunsOfNodes(
  reader: Reader,
  nodes: readonly NodeOfExecutor[],
): Promise<JobRunRow[][]> {
  const { with: queries = nothing, from } = openRuns(reader, nothing);
  const executorIds = nodes.map(({ executorId }) => executorId);
  const names = nodes.map(({ node }) => node);
  const rows = await query<JobRunRow & { readonly number: bigint }>(sql`${queries}
    select asked.number, child.*
      from unnest(${executorIds}::uuid[], ${names}::text[]) with ordinality as asked(executor_id, node, number)
     cross join lateral (
       select ${raw(runColumns)} from ${from} and run.executor_id = asked.executor_id and run.node = asked.node
        order by run.id desc limit ${MAX_NODE_RUNS}) as child`);
  return nodes.map((_, at) => rows.filter(({ number }) => Number(number) === at + 1));
}

import { type Reader, type ResourceColumn, readableSql } from '../authorization/store/readable.ts';
import type { LaunchPlan, Task, Workflow } from '../generated/prisma/client.ts';
import { inOrder } from '../platform/by-id.ts';
import { db } from '../platform/database/client.ts';
import { newestFirst, type Page, pageSql } from '../platform/database/page.ts';
import { nothing, raw, sql } from '../platform/database/sql.ts';
import { count, exists, query, run, statement } from '../platform/database/statement.ts';
import type { Tx } from '../platform/database/transaction.ts';
import { isId, newId } from '../platform/ids.ts';
import { type Closure, indexClosure } from './domain/closure.ts';
import { type EntityKey, entityKeyText } from './domain/entity-keys.ts';
import type { CompiledTask, TaskTemplate } from './domain/task-templates.ts';
import type { CompiledWorkflowClosure } from './domain/workflow-templates.ts';

/** How a version is addressed. */
export type VersionBy = { readonly id: string } | { readonly key: EntityKey };

/** Which rows a tenant's caller means; null when the address cannot be one. */
function whereVersion(tenantId: string, by: VersionBy) {
  if ('id' in by) return isId(by.id) ? { id: by.id, tenantId } : null;
  const { project, domain, name, version } = by.key;
  return {
    tenantId,
    project: { tenantId, identifier: project },
    domain,
    name,
    version,
  };
}

export async function findTask(tenantId: string, by: VersionBy): Promise<Task | null> {
  const where = whereVersion(tenantId, by);
  return where && (await db.task.findFirst({ where }));
}

export async function findWorkflow(tenantId: string, by: VersionBy): Promise<Workflow | null> {
  const where = whereVersion(tenantId, by);
  return where && (await db.workflow.findFirst({ where }));
}

export type LaunchPlanWithWorkflow = LaunchPlan & {
  readonly project: { readonly identifier: string };
};

export async function findLaunchPlan(
  tenantId: string,
  by: VersionBy,
): Promise<LaunchPlanWithWorkflow | null> {
  const where = whereVersion(tenantId, by);
  return (
    where &&
    (await db.launchPlan.findFirst({
      where,
      include: { project: { select: { identifier: true } } },
    }))
  );
}

export async function findActiveLaunchPlan(
  tenantId: string,
  { project, domain, name }: Omit<EntityKey, 'version'>,
): Promise<LaunchPlan | null> {
  const where = {
    tenantId,
    project: { tenantId, identifier: project },
    domain,
    name,
    state: 'ACTIVE',
  } as const;
  return await db.launchPlan.findFirst({ where });
}

/** A registered task in the form that the compiler takes, and whose it is. */
export interface RegisteredTask {
  readonly id: string;
  readonly tenantId: string;
  readonly projectId: string;
  readonly task: CompiledTask;
}

/** Those of the named tasks that are registered. */
export async function listCompiledTasks(
  tenantId: string,
  keys: readonly EntityKey[],
): Promise<RegisteredTask[]> {
  if (keys.length === 0) return [];
  const rows = await db.task.findMany({
    where: {
      tenantId,
      OR: keys.map(({ project, domain, name, version }) => ({
        project: { tenantId, identifier: project },
        domain,
        name,
        version,
      })),
    },
    include: { project: { select: { identifier: true } } },
  });
  return rows.map((row) => ({
    id: row.id,
    tenantId: row.tenantId,
    projectId: row.projectId,
    task: {
      id: {
        project: row.project.identifier,
        domain: row.domain,
        name: row.name,
        version: row.version,
      },
      template: row.template as unknown as TaskTemplate,
    },
  }));
}

const MAX_CLOSURES = 200;
const closures = new Map<string, Closure>();

/**
 * A registered workflow, indexed for running. Versions never change, so the most recently used ones are kept in memory.
 * Who is in a transaction asks through it: a second connection for each could use the pool up, all waiting for one more.
 *
 * @throws Error when there is no such workflow: whoever refers to one holds it in place.
 */
export async function getClosure(workflowId: string, tx?: Tx): Promise<Closure> {
  const known = closures.get(workflowId);
  if (known) {
    closures.delete(workflowId);
    closures.set(workflowId, known);
    return known;
  }
  const row = await (tx ?? db).workflow.findUniqueOrThrow({
    where: { id: workflowId },
    select: { closure: true, taskIds: true },
  });
  const closure = indexClosure(
    row.closure as unknown as CompiledWorkflowClosure,
    row.taskIds as Record<string, string>,
  );
  closures.set(workflowId, closure);
  for (const oldest of closures.keys()) {
    if (closures.size <= MAX_CLOSURES) break;
    closures.delete(oldest);
  }
  return closure;
}

/** The ids of tasks by their key's text: what a workflow keeps beside its closure. */
export function taskIdsOf(tasks: readonly { id: string; task: CompiledTask }[]): Record<string, string> {
  return Object.fromEntries(tasks.map(({ id, task }) => [entityKeyText(task.id), id]));
}

/** The name that all versions of a workflow share; null when the project has none such, or there is no project. */
export async function findNamedEntity(
  projectId: string | null,
  { domain, name }: { readonly domain: string; readonly name: string },
): Promise<{ id: string } | null> {
  const [row] = await run(findEntityStatement, [projectId, domain, name]);
  return row ?? null;
}

const findEntityStatement = statement<{ id: string }>(
  'select id from named_entities where project_id = $1::uuid and domain = $2 and name = $3',
);

/** How a workflow's name, which all its versions share, is addressed. */
export type WorkflowNameBy = { readonly id: string } | { readonly key: Omit<EntityKey, 'version'> };

/** What all versions of a workflow share, with the identifier of its project. */
export interface WorkflowNameRow {
  readonly id: string;
  readonly tenantId: string;
  readonly projectId: string;
  readonly project: string;
  readonly domain: string;
  readonly name: string;
}

const workflowNamesStatement = statement<WorkflowNameRow & { readonly at: number }>(
  `with asked as (
     select * from jsonb_to_recordset($2::jsonb) as asked(at int, id uuid, project text, domain text, name text)
   ),
   found as (
     select asked.at, entity.* from asked join named_entities as entity on entity.id = asked.id
     union all
     select asked.at, entity.* from asked
       join projects as project on project.tenant_id = $1::uuid and project.identifier = asked.project
       join named_entities as entity
         on entity.tenant_id = $1::uuid and entity.project_id = project.id
        and entity.domain = asked.domain and entity.name = asked.name
   )
   select found.at, found.id, found.tenant_id as "tenantId", found.project_id as "projectId",
          project.identifier as project, found.domain, found.name
     from found join projects as project on project.id = found.project_id
    where found.tenant_id = $1::uuid`,
);

/** One row or null for each address, in their order. */
export async function readWorkflowNames(
  tenantId: string,
  addresses: readonly WorkflowNameBy[],
): Promise<(WorkflowNameRow | null)[]> {
  const asked = addresses.map((by, at) => ('key' in by ? { at, ...by.key } : { at, id: idOrNull(by.id) }));
  const rows = await run(workflowNamesStatement, [tenantId, JSON.stringify(asked)]);
  const byPlace = new Map(rows.map(({ at, ...row }) => [at, row]));
  return addresses.map((_by, at) => byPlace.get(at) ?? null);
}

const idOrNull = (text: string) => (isId(text) ? text : null);

const ensureEntityStatement = statement<{ id: string; isNew: boolean }>(
  `with made as (
     insert into named_entities (id, tenant_id, project_id, domain, name)
     values ($1::uuid, $2::uuid, $3::uuid, $4, $5)
     on conflict (tenant_id, project_id, domain, name) do nothing
     returning id
   )
   select id, true as "isNew" from made
   union all
   select id, false from named_entities
    where tenant_id = $2::uuid and project_id = $3::uuid and domain = $4 and name = $5`,
);

/** The workflow's name, made with its first version. */
export async function ensureNamedEntity(
  tx: Tx,
  project: { readonly id: string; readonly tenantId: string },
  { domain, name }: { readonly domain: string; readonly name: string },
): Promise<{ id: string; isNew: boolean }> {
  for (let tries = 0; tries < 3; tries += 1) {
    const [row] = await run(ensureEntityStatement, [newId(), project.tenantId, project.id, domain, name], tx);
    // Nothing is seen when another made it since the statement began: the next statement sees it.
    if (row) return row;
  }
  throw new Error(`the name ${name} neither is there nor can be made`);
}

/** Where the names of workflows have what decides about them. */
const entityColumns: readonly ResourceColumn[] = [
  { type: 'WORKFLOW', column: 'entity.id' },
  { type: 'PROJECT', column: 'entity.project_id' },
];

/** Whether the caller may read some workflow of a project: then it may list what hangs on the project's workflows. */
export function hasReadableWorkflow(reader: Reader, projectId: string | null): Promise<boolean> {
  const readable = readableSql(reader, entityColumns);
  return exists(
    sql`named_entities as entity ${readable.joins}
         where entity.tenant_id = ${reader.tenantId}::uuid and entity.project_id = ${projectId}::uuid
           and ${readable.condition}`,
    readable.with,
  );
}

interface VersionFilter {
  readonly project: string;
  readonly domain: string;
  readonly name?: string | null;
}

/** What a list of versions is of, and where its rows have what decides about them. */
interface VersionTable {
  readonly table: 'tasks' | 'workflows' | 'launch_plans';
  readonly resources: readonly ResourceColumn[];
}

const inProject: ResourceColumn = { type: 'PROJECT', column: 'version.project_id' };
const tasks: VersionTable = { table: 'tasks', resources: [inProject] };
const workflows: VersionTable = {
  table: 'workflows',
  resources: [{ type: 'WORKFLOW', column: 'version.entity_id' }, inProject],
};
const launchPlans: VersionTable = {
  table: 'launch_plans',
  resources: [{ type: 'WORKFLOW', column: 'version.workflow_entity_id' }, inProject],
};

export const versionOrder = newestFirst('version');

/** What a list of versions shows to a reader: what follows `from`. */
function versionsShownTo(
  { table, resources }: VersionTable,
  reader: Reader,
  { project, domain, name }: VersionFilter,
) {
  const readable = readableSql(reader, resources);
  const from = sql`
    ${raw(table)} as version join projects as project on project.id = version.project_id ${readable.joins}
    where version.tenant_id = ${reader.tenantId}::uuid and project.tenant_id = ${reader.tenantId}::uuid
      and project.identifier = ${project} and version.domain = ${domain}
      ${name ? sql`and version.name = ${name}` : nothing} and ${readable.condition}`;
  return { with: readable.with, from };
}

/** The ids on one page of versions that the caller may read: newest first, up to one more than the page. */
async function listVersionIds(
  table: VersionTable,
  reader: Reader,
  filter: VersionFilter,
  page: Page,
): Promise<string[]> {
  const list = versionsShownTo(table, reader, filter);
  const { beyond, end } = pageSql(versionOrder, page);
  const rows = await query<{ id: string }>(
    sql`${list.with} select version.id from ${list.from} ${beyond} ${end}`,
  );
  return rows.map(({ id }) => id);
}

/** How many there are in all; read only where it is asked for. */
function countVersions(table: VersionTable, reader: Reader, filter: VersionFilter): Promise<number> {
  const list = versionsShownTo(table, reader, filter);
  return count(list.from, list.with);
}

export const countTasks = (reader: Reader, filter: VersionFilter) => countVersions(tasks, reader, filter);
export const countWorkflows = (reader: Reader, filter: VersionFilter) =>
  countVersions(workflows, reader, filter);
export const countLaunchPlans = (reader: Reader, filter: VersionFilter) =>
  countVersions(launchPlans, reader, filter);

export async function listTasks(reader: Reader, filter: VersionFilter, page: Page): Promise<Task[]> {
  const ids = await listVersionIds(tasks, reader, filter, page);
  return inOrder(ids, await db.task.findMany({ where: { id: { in: ids } } }));
}

export async function listWorkflows(reader: Reader, filter: VersionFilter, page: Page): Promise<Workflow[]> {
  const ids = await listVersionIds(workflows, reader, filter, page);
  return inOrder(ids, await db.workflow.findMany({ where: { id: { in: ids } } }));
}

export async function listLaunchPlans(
  reader: Reader,
  filter: VersionFilter,
  page: Page,
): Promise<LaunchPlan[]> {
  const ids = await listVersionIds(launchPlans, reader, filter, page);
  return inOrder(ids, await db.launchPlan.findMany({ where: { id: { in: ids } } }));
}

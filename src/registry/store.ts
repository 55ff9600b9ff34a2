import { LRUCache } from 'lru-cache';
import { hasReadable, type Reader, type ResourceColumn } from '../authorization/store/readable.ts';
import {
  type EntityState,
  type EntityType,
  type LaunchPlan,
  Prisma,
  type Task,
  type Workflow,
} from '../generated/prisma/client.ts';
import { readAddressed } from '../platform/by-address.ts';
import { eachOf } from '../platform/by-id.ts';
import { db } from '../platform/database/client.ts';
import { columnsOf, raw, type Sql, sql } from '../platform/database/sql.ts';
import { query, run, statement } from '../platform/database/statement.ts';
import type { Tx } from '../platform/database/transaction.ts';
import { isId, NO_ID, newId } from '../platform/ids.ts';
import type { TypedInterface } from '../values/literal-types.ts';
import type { LiteralMap } from '../values/literals.ts';
import { type Closure, indexClosure } from './domain/closure.ts';
import { type EntityKey, entityKeyText } from './domain/entity-keys.ts';
import type { ExpectedInput } from './domain/launch-plan.ts';
import type { TaskTemplate } from './domain/task-templates.ts';
import type { CompiledWorkflowClosure } from './domain/workflow-templates.ts';

/** The address of a version. */
export type VersionBy = { readonly id: string } | { readonly key: EntityKey };

/**
 * The columns of the tables with versions. Large columns are in `all` only: lists and edges read them for the rows whose
 * fields are selected.
 */
const large = {
  tasks: ['template'],
  workflows: ['interface', 'closure', 'taskIds', 'launchPlanIds'],
  launch_plans: ['spec', 'expectedInputs', 'fixedInputs', 'expectedOutputs', 'inputOrder'],
} as const;
export type VersionTable = keyof typeof large;

export type TaskRow = Omit<Task, (typeof large.tasks)[number]>;
export type WorkflowRow = Omit<Workflow, (typeof large.workflows)[number]>;
export type LaunchPlanRow = Omit<LaunchPlan, (typeof large.launch_plans)[number]>;

const fieldsOf: Readonly<Record<VersionTable, Readonly<Record<string, string>>>> = {
  tasks: Prisma.TaskScalarFieldEnum,
  workflows: Prisma.WorkflowScalarFieldEnum,
  launch_plans: Prisma.LaunchPlanScalarFieldEnum,
};
const allColumns = mapTables((table) => columnsOf(fieldsOf[table], 'version'));
export const rowColumns = mapTables((table) => {
  const isSmall = ([field]: [string, string]) => !large[table].some((one) => one === field);
  return columnsOf(Object.fromEntries(Object.entries(fieldsOf[table]).filter(isSmall)), 'version');
});

function mapTables(columns: (table: VersionTable) => Sql): Readonly<Record<VersionTable, Sql>> {
  return {
    tasks: columns('tasks'),
    workflows: columns('workflows'),
    launch_plans: columns('launch_plans'),
  };
}

/**
 * One row or null for each address, in the order of the addresses. It takes one statement for all of them, and the same
 * statement if nothing is found.
 */
async function readVersions<Row>(
  table: VersionTable,
  tenantId: string,
  addresses: readonly VersionBy[],
  columns: Sql = allColumns[table],
): Promise<(Row | null)[]> {
  const asked = addresses.map((by, at) =>
    'key' in by ? { at, ...by.key } : { at, id: isId(by.id) ? by.id : NO_ID },
  );
  const rows = await query<Row & { readonly at: number }>(sql`
    with asked as (
      select * from jsonb_to_recordset(${JSON.stringify(asked)}::jsonb)
             as asked(at int, id uuid, project text, domain text, name text, version text)
    )
    select asked.at, ${columns} from asked join ${raw(table)} as version on version.id = asked.id
     where version.tenant_id = ${tenantId}::uuid
    union all
    select asked.at, ${columns} from asked
      join projects as project on project.tenant_id = ${tenantId}::uuid and project.identifier = asked.project
      join ${raw(table)} as version on version.tenant_id = ${tenantId}::uuid and version.project_id = project.id
       and version.domain = asked.domain and version.name = asked.name and version.version = asked.version`);
  return atPlaces(addresses.length, rows);
}

/** One row or null for each index. */
function atPlaces<Row>(count: number, rows: readonly (Row & { readonly at: number })[]): (Row | null)[] {
  const places: (Row | null)[] = Array.from({ length: count }, () => null);
  for (const { at, ...row } of rows) places[at] = row as Row;
  return places;
}

export const readTasks = (tenantId: string, addresses: readonly VersionBy[]) =>
  readVersions<Task>('tasks', tenantId, addresses);

export const readWorkflows = (tenantId: string, addresses: readonly VersionBy[]) =>
  readVersions<Workflow>('workflows', tenantId, addresses);

export const readLaunchPlans = (tenantId: string, addresses: readonly VersionBy[]) =>
  readVersions<LaunchPlan>('launch_plans', tenantId, addresses);

/** The same without the large columns. */
export const readTaskRows = (tenantId: string, addresses: readonly VersionBy[]) =>
  readVersions<TaskRow>('tasks', tenantId, addresses, rowColumns.tasks);

export const readWorkflowRows = (tenantId: string, addresses: readonly VersionBy[]) =>
  readVersions<WorkflowRow>('workflows', tenantId, addresses, rowColumns.workflows);

/** Large columns of some versions, by their ids. Versions never change. */
const readLarge =
  <Row extends { readonly id: string }>(table: VersionTable, ...columns: readonly string[]) =>
  async (ids: readonly string[]): Promise<(Row | null)[]> => {
    const selected = columns.map((column) => `version.${column}`).join(', ');
    return eachOf(
      ids,
      await run(
        statement<Row>(`select version.id, ${selected} from ${table} as version where id = any($1::uuid[])`),
        [ids],
      ),
    );
  };

export interface TemplateRow {
  readonly id: string;
  readonly template: TaskTemplate;
}
export const readTaskTemplates = readLarge<TemplateRow>('tasks', 'template');

export interface InterfaceRow {
  readonly id: string;
  readonly interface: TypedInterface;
}
export const readWorkflowInterfaces = readLarge<InterfaceRow>('workflows', 'interface');

export interface ClosureRow {
  readonly id: string;
  readonly closure: unknown;
}
export const readWorkflowClosures = readLarge<ClosureRow>('workflows', 'closure');

export interface LaunchPlanInputsRow {
  readonly id: string;
  readonly expectedInputs: Readonly<Record<string, ExpectedInput>>;
  readonly fixedInputs: LiteralMap;
  readonly expectedOutputs: TypedInterface['outputs'];
}
export const readLaunchPlanInputs = readLarge<LaunchPlanInputsRow>(
  'launch_plans',
  'expected_inputs as "expectedInputs"',
  'fixed_inputs as "fixedInputs"',
  'expected_outputs as "expectedOutputs"',
);

export interface SpecRow {
  readonly id: string;
  readonly spec: object;
}
export const readLaunchPlanSpecs = readLarge<SpecRow>('launch_plans', 'spec');

export async function findTask(tenantId: string, by: VersionBy): Promise<Task | null> {
  const [task = null] = await readTasks(tenantId, [by]);
  return task;
}

export async function findWorkflow(tenantId: string, by: VersionBy): Promise<Workflow | null> {
  const [workflow = null] = await readWorkflows(tenantId, [by]);
  return workflow;
}

export async function findLaunchPlan(tenantId: string, by: VersionBy): Promise<LaunchPlan | null> {
  const [plan = null] = await readLaunchPlans(tenantId, [by]);
  return plan;
}

/** What all versions of a task, workflow or launch plan share. */
export type EntityName = Omit<EntityKey, 'version'>;

/** The active version of each launch plan, in the order of the names; null if there is none. */
export async function readActiveLaunchPlans(
  tenantId: string,
  names: readonly EntityName[],
): Promise<(LaunchPlanRow | null)[]> {
  const asked = names.map((name, at) => ({ at, ...name }));
  const rows = await query<LaunchPlanRow & { readonly at: number }>(sql`
    select asked.at, ${rowColumns.launch_plans}
      from jsonb_to_recordset(${JSON.stringify(asked)}::jsonb)
           as asked(at int, project text, domain text, name text)
      join projects as project on project.tenant_id = ${tenantId}::uuid and project.identifier = asked.project
      join launch_plans as version on version.tenant_id = ${tenantId}::uuid and version.project_id = project.id
       and version.domain = asked.domain and version.name = asked.name and version.state = 'ACTIVE'`);
  return atPlaces(names.length, rows);
}

const MAX_CLOSURES = 200;
const closures = new LRUCache<string, Closure>({ max: MAX_CLOSURES });

/**
 * A registered workflow, indexed for running. Versions never change, so the most recently used ones are cached. Inside
 * a transaction, pass it: if each transaction took a second connection, all of them could wait for the last connection
 * of the pool.
 *
 * @throws Error if the workflow does not exist. Every object that refers to a workflow prevents its deletion.
 */
export async function getClosure(workflowId: string, tx?: Tx): Promise<Closure> {
  const known = closures.get(workflowId);
  if (known) return known;
  const row = await (tx ?? db).workflow.findUniqueOrThrow({
    where: { id: workflowId },
    select: { closure: true, taskIds: true, launchPlanIds: true },
  });
  const closure = indexClosure(row.closure as unknown as CompiledWorkflowClosure, {
    tasks: row.taskIds as Record<string, string>,
    launchPlans: row.launchPlanIds as Record<string, string>,
  });
  closures.set(workflowId, closure);
  return closure;
}

/** The ids of versions by the text of their keys. A workflow is stored with those of its tasks and launch plans. */
export function idsByKey(
  versions: readonly { readonly id: string; readonly compiled: { readonly id: EntityKey } }[],
): Record<string, string> {
  return Object.fromEntries(versions.map(({ id, compiled }) => [entityKeyText(compiled.id), id]));
}

/** The name that all versions of a task, workflow or launch plan share; null if it does not exist. */
export async function findNamedEntity(
  projectId: string | null,
  type: EntityType,
  { domain, name }: { readonly domain: string; readonly name: string },
): Promise<{ id: string } | null> {
  const [row] = await run(findEntityStatement, [projectId, type, domain, name]);
  return row ?? null;
}

const findEntityStatement = statement<{ id: string }>(
  `select id from named_entities
    where project_id = $1::uuid and type = $2::entity_type and domain = $3 and name = $4`,
);

/** The address of a workflow's name, which all its versions share. */
export type WorkflowNameBy = { readonly id: string } | { readonly key: EntityName };

/** The part that all versions of a workflow share, with the identifier of the project. */
export interface WorkflowNameRow {
  readonly id: string;
  readonly tenantId: string;
  readonly projectId: string;
  readonly project: string;
  readonly domain: string;
  readonly name: string;
}

const nameColumns = `entity.id, entity.tenant_id as "tenantId", entity.project_id as "projectId",
  project.identifier as project, entity.domain, entity.name`;

const namesByIds = statement<WorkflowNameRow>(
  `select ${nameColumns} from named_entities as entity join projects as project on project.id = entity.project_id
    where entity.tenant_id = $1::uuid and entity.id = any($2::uuid[]) and entity.type = 'WORKFLOW'`,
);

const namesByKeys = statement<WorkflowNameRow>(
  `select ${nameColumns} from unnest($2::text[], $3::text[], $4::text[]) as asked(project, domain, name)
     join projects as project on project.tenant_id = $1::uuid and project.identifier = asked.project
     join named_entities as entity on entity.tenant_id = $1::uuid and entity.project_id = project.id
      and entity.type = 'WORKFLOW' and entity.domain = asked.domain and entity.name = asked.name`,
);

/** One row or null for each address, in the order of the addresses. */
export function readWorkflowNames(
  tenantId: string,
  addresses: readonly WorkflowNameBy[],
): Promise<(WorkflowNameRow | null)[]> {
  return readAddressed(
    addresses,
    ['project', 'domain', 'name'],
    (ids) => run(namesByIds, [tenantId, ids]),
    (...columns) => run(namesByKeys, [tenantId, ...columns]),
  );
}

const ensureEntityStatement = statement<{ id: string; isNew: boolean }>(
  `with made as (
     insert into named_entities (id, tenant_id, project_id, type, domain, name, state)
     values ($1::uuid, $2::uuid, $3::uuid, $4::entity_type, $5, $6, $7::entity_state)
     on conflict (tenant_id, project_id, type, domain, name) do nothing
     returning id
   )
   select id, true as "isNew" from made
   union all
   select id, false from named_entities
    where tenant_id = $2::uuid and project_id = $3::uuid and type = $4::entity_type and domain = $5 and name = $6`,
);

/** The name of a task, workflow or launch plan. It is created with the first version, in the given state. */
export async function ensureNamedEntity(
  tx: Tx,
  project: { readonly id: string; readonly tenantId: string },
  type: EntityType,
  { domain, name }: { readonly domain: string; readonly name: string },
  state: EntityState = 'ACTIVE',
): Promise<{ id: string; isNew: boolean }> {
  const values = [project.tenantId, project.id, type, domain, name, state];
  const ensure = async () => (await run(ensureEntityStatement, [newId(), ...values], tx))[0];
  // There is no row if another transaction created it since the statement began. The next statement sees it.
  const row = (await ensure()) ?? (await ensure());
  if (!row) throw new Error(`the name ${name} does not exist and cannot be created`);
  return row;
}

/** The columns with the resources that decide about the name of a workflow. */
const entityColumns: readonly ResourceColumn[] = [
  { type: 'WORKFLOW', column: 'entity.id' },
  { type: 'PROJECT', column: 'entity.project_id' },
];

/**
 * Whether the caller may read at least one workflow of a project. Then the caller may list the objects that belong to
 * its workflows.
 */
export const hasReadableWorkflow = (reader: Reader, projectId: string | null) =>
  hasReadable(reader, { table: workflowNames, alias: 'entity', resources: entityColumns }, projectId);

const workflowNames = "(select * from named_entities where type = 'WORKFLOW')";

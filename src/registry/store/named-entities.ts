import type { NodeRows } from '../../authorization/store/node-rows.ts';
import { type ReadableSql, type Reader, readableSql } from '../../authorization/store/readable.ts';
import type { EntityState, EntityType } from '../../generated/prisma/enums.ts';
import { readAddressed } from '../../platform/by-address.ts';
import { filterSql } from '../../platform/database/filter-sql.ts';
import { byText, newestFirst, type Order, type Page, reversed } from '../../platform/database/page.ts';
import { nothing, type Rows, raw, type Sql, sql } from '../../platform/database/sql.ts';
import { count, list, query, run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import type { FilterTerm } from '../../platform/flyte-filters.ts';
import { reservedPrefix } from '../domain/reserved-names.ts';
import { namedEntityFilters } from './filter-columns.ts';
import { launchPlans, type VersionFilter, versionLists, versionsShownTo } from './version-lists.ts';

/**
 * The names that the versions of tasks, workflows and launch plans share. A reader may see a name if it may read one of
 * the versions: the versions of one launch plan may launch different workflows, and the grants on these decide.
 */

export interface NamedEntityRow {
  readonly id: string;
  readonly tenantId: string;
  readonly projectId: string;
  readonly project: string;
  readonly type: EntityType;
  readonly domain: string;
  readonly name: string;
  readonly description: string;
  readonly state: EntityState;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /**
   * The named entity of the workflow whose grants decide for this reader; null for a task. For a launch plan, it is the
   * workflow of the newest version that the reader may read, or of the newest version if the reader may read none.
   */
  readonly workflowEntityId: string | null;
}

export interface NamedEntityKey {
  readonly type: EntityType;
  readonly project: string;
  readonly domain: string;
  readonly name: string;
}
export type NamedEntityBy = { readonly id: string } | { readonly key: NamedEntityKey };

/** All versions of a launch plan are rows of the name, because each of them may show it. */
export const namedEntityNodes: NodeRows = {
  from: 'named_entities as entity left join launch_plans as version on version.entity_id = entity.id',
  id: 'entity.id',
  tenant: 'entity.tenant_id',
  resources: [
    {
      type: 'WORKFLOW',
      column: "case entity.type when 'WORKFLOW' then entity.id else version.workflow_entity_id end",
    },
    { type: 'PROJECT', column: 'entity.project_id' },
  ],
};

const source = raw('named_entities as entity join projects as project on project.id = entity.project_id');

const rowColumns = (workflowEntityId: Sql): Sql => sql`
  entity.id, entity.tenant_id as "tenantId", entity.project_id as "projectId", project.identifier as project,
  entity.type::text as type, entity.domain, entity.name, entity.description, entity.state::text as state,
  entity.created_at as "createdAt", entity.updated_at as "updatedAt", ${workflowEntityId} as "workflowEntityId"`;

/** The workflow whose grants decide about the name of a launch plan: see `NamedEntityRow`. */
const workflowOfLaunchPlan = ({ joins, condition }: ReadableSql): Sql => sql`(
  select version.workflow_entity_id from launch_plans as version ${joins} where version.entity_id = entity.id
   order by case when ${condition} then 0 else 1 end, version.created_at desc, version.id desc limit 1)`;

/** One row or null for each address, in the order of the addresses. */
export function readNamedEntities(
  reader: Reader,
  addresses: readonly NamedEntityBy[],
): Promise<(NamedEntityRow | null)[]> {
  const readable = readableSql(reader, launchPlans.resources);
  const columns = rowColumns(sql`
    case entity.type when 'WORKFLOW' then entity.id when 'LAUNCH_PLAN' then ${workflowOfLaunchPlan(readable)} end`);
  const inTenant = sql`entity.tenant_id = ${reader.tenantId}::uuid`;
  return readAddressed<'type' | 'project' | 'domain' | 'name', NamedEntityRow>(
    addresses,
    ['type', 'project', 'domain', 'name'],
    (ids) =>
      query(
        sql`${readable.with} select ${columns} from ${source} where ${inTenant} and entity.id = any(${ids}::uuid[])`,
      ),
    (types = [], projects = [], domains = [], names = []) =>
      query(sql`${readable.with} select ${columns}
        from unnest(${types}::text[], ${projects}::text[], ${domains}::text[], ${names}::text[])
             as asked(type, project, domain, name)
        join projects as project on project.tenant_id = ${reader.tenantId}::uuid and project.identifier = asked.project
        join named_entities as entity on ${inTenant} and entity.project_id = project.id
         and entity.type = asked.type::entity_type and entity.domain = asked.domain and entity.name = asked.name`),
  );
}

/** Null or left out means no condition. */
export interface NamedEntityFilter {
  readonly type: EntityType;
  readonly project: string;
  readonly domain: string;
  readonly name?: string | null | undefined;
  /** A part of the name. */
  readonly nameContains?: string | null | undefined;
  /** A part of the description. */
  readonly descriptionContains?: string | null | undefined;
  readonly states?: readonly EntityState[] | null | undefined;
  readonly filters: readonly FilterTerm[];
}

export type NameOrder = 'NEWEST' | 'OLDEST' | 'NAME' | 'NAME_DESCENDING';

interface SortedName {
  readonly id: string;
  readonly name: string;
  readonly createdAt: Date;
}
const newest: Order<SortedName> = newestFirst('entity');
const byName: Order<SortedName> = [
  ...byText<SortedName>('entity.name', 'name'),
  ...newestFirst('entity').slice(-1),
];
const orders: Readonly<Record<NameOrder, Order<SortedName>>> = {
  NEWEST: newest,
  OLDEST: reversed(newest),
  NAME: byName,
  NAME_DESCENDING: reversed(byName),
};
export const nameOrder = (orderBy: NameOrder | null | undefined) => orders[orderBy ?? 'NEWEST'];

/** The names with at least one version that the reader may read and that meets the conditions of `versions`. */
function namesShownTo(
  reader: Reader,
  { type, project, domain }: Pick<NamedEntityFilter, 'type' | 'project' | 'domain'>,
  versions: VersionFilter,
  and: Sql = nothing,
): Rows {
  const { from, ...rest } = versionsShownTo(versionLists[type], reader, versions);
  return {
    ...rest,
    from: sql`${source}
      where entity.tenant_id = ${reader.tenantId}::uuid and entity.type = ${type}::text::entity_type
        and project.identifier = ${project} and entity.domain = ${domain} ${and}
        and exists (select from ${from} and version.entity_id = entity.id)`,
  };
}

/** Without any filter, names that the server uses for its own objects are left out. Source: Flyte's ListNamedEntities. */
function entitiesShownTo(reader: Reader, filter: NamedEntityFilter): Rows {
  const { name, nameContains, descriptionContains, states, filters } = filter;
  const given = [name, nameContains, descriptionContains, states];
  const isFiltered = filters.length > 0 || given.some((one) => one != null);
  const rows = namesShownTo(
    reader,
    filter,
    {},
    sql`
      ${name == null ? nothing : sql`and entity.name = ${name}`}
      ${nameContains == null ? nothing : sql`and strpos(entity.name, ${nameContains}) > 0`}
      ${descriptionContains == null ? nothing : sql`and strpos(entity.description, ${descriptionContains}) > 0`}
      ${states ? sql`and entity.state = any(${states}::text[]::entity_state[])` : nothing}
      ${isFiltered ? nothing : sql`and not starts_with(entity.name, ${reservedPrefix})`}
      ${filterSql(filters, namedEntityFilters).own}`,
  );
  return { ...rows, isAdHoc: filters.length > 0 };
}

export function listNamedEntities(
  reader: Reader,
  filter: NamedEntityFilter,
  orderBy: NameOrder | null | undefined,
  page: Page,
): Promise<NamedEntityRow[]> {
  const workflows: Readonly<Record<EntityType, () => Sql>> = {
    TASK: () => sql`null::uuid`,
    WORKFLOW: () => sql`entity.id`,
    LAUNCH_PLAN: () => workflowOfLaunchPlan(readableSql(reader, launchPlans.resources)),
  };
  const columns = rowColumns(workflows[filter.type]());
  const order = nameOrder(orderBy) as Order<NamedEntityRow>;
  return list(entitiesShownTo(reader, filter), columns, order, page);
}

/** The number of these names. It is read only if a query asks for it. */
export const countNamedEntities = (reader: Reader, filter: NamedEntityFilter) =>
  count(entitiesShownTo(reader, filter));

/** A name, as the lists of ids show it. */
export interface NameRow extends SortedName {
  readonly project: string;
  readonly domain: string;
}

const nameColumns = raw(
  'entity.id, project.identifier as project, entity.domain, entity.name, entity.created_at as "createdAt"',
);

export interface NamesAsked extends Pick<NamedEntityFilter, 'type' | 'project' | 'domain'> {
  /** Conditions on the versions: a name is listed once if one of its versions meets them. */
  readonly versions: VersionFilter;
  readonly orderBy: NameOrder | null | undefined;
}

export const listNames = (reader: Reader, asked: NamesAsked, page: Page) =>
  list<NameRow>(
    namesShownTo(reader, asked, asked.versions),
    nameColumns,
    nameOrder(asked.orderBy) as Order<NameRow>,
    page,
  );

export const countNames = (reader: Reader, asked: NamesAsked) =>
  count(namesShownTo(reader, asked, asked.versions));

const lockStatement = statement<{ description: string; state: EntityState }>(
  'select description, state::text as state from named_entities where id = $1::uuid for update',
);

/** Locks the name until the transaction ends. */
export async function lockNamedEntity(
  tx: Tx,
  id: string,
): Promise<{ description: string; state: EntityState } | null> {
  const [row] = await run(lockStatement, [id], tx);
  return row ?? null;
}

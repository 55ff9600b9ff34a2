import type { NodeRows } from '../authorization/store/node-rows.ts';
import { type Reader, type ResourceColumn, readableSql } from '../authorization/store/readable.ts';
import { Prisma, type Project } from '../generated/prisma/client.ts';
import { readAddressed } from '../platform/by-address.ts';
import { db } from '../platform/database/client.ts';
import { type FilterColumn, type FilterTable, filterSql } from '../platform/database/filter-sql.ts';
import { byText, newestFirst, type Order, type Page, reversed } from '../platform/database/page.ts';
import { columnsOf, nothing, type Rows, sql } from '../platform/database/sql.ts';
import { anyOf, count, list, run, statement } from '../platform/database/statement.ts';
import type { Tx } from '../platform/database/transaction.ts';
import type { FilterTerm } from '../platform/flyte-filters.ts';
import { isId } from '../platform/ids.ts';

export type ProjectBy = { readonly id: string } | { readonly identifier: string };

/** Null if the tenant has no such project. */
export async function findProject(tenantId: string, by: ProjectBy): Promise<Project | null> {
  if ('id' in by) return isId(by.id) ? await db.project.findUnique({ where: { id: by.id, tenantId } }) : null;
  const { identifier } = by;
  return await db.project.findUnique({
    where: { tenantId_identifier: { tenantId, identifier } },
  });
}

const lockStatement = statement<{ id: string }>('select id from projects where id = $1::uuid for update');

/** Locks a project until the transaction ends; null if it does not exist. */
export async function lockProject(tx: Tx, id: string): Promise<Project | null> {
  await run(lockStatement, [id], tx);
  return await tx.project.findUnique({ where: { id } });
}

const columns = columnsOf(Prisma.ProjectScalarFieldEnum, 'project');

const byIds = statement<Project>(
  `select ${columns.text} from projects as project
    where project.id = ${anyOf('$2', 'uuid')} and project.tenant_id = $1::uuid`,
);
const byIdentifiers = statement<Project>(
  `select ${columns.text} from projects as project
    where project.tenant_id = $1::uuid and project.identifier = ${anyOf('$2', 'text')}`,
);

/** One row or null for each address, in the order of the addresses. */
export function readProjects(tenantId: string, addresses: readonly ProjectBy[]): Promise<(Project | null)[]> {
  return readAddressed(
    addresses,
    ['identifier'],
    (ids) => run(byIds, [tenantId, ids]),
    (identifiers) => run(byIdentifiers, [tenantId, identifiers]),
  );
}

/** The identifier is unique in the tenant, so no order needs more. */
const byIdentifier = byText<Project>('project.identifier', 'identifier');
const byName = [...byText<Project>('project.name', 'name'), ...byIdentifier];

const orders = {
  IDENTIFIER: byIdentifier,
  IDENTIFIER_DESCENDING: reversed(byIdentifier),
  NAME: byName,
  NAME_DESCENDING: reversed(byName),
  NEWEST: newestFirst('project'),
  OLDEST: reversed(newestFirst('project')),
} as const;

export type ProjectOrder = keyof typeof orders;

export const projectOrder = ({ orderBy = 'IDENTIFIER' }: Pick<ProjectFilter, 'orderBy'>): Order<Project> =>
  orders[orderBy];

interface ProjectFilter {
  /** By identifier, ascending, if it is left out. */
  readonly orderBy?: ProjectOrder | undefined;
  readonly withArchived: boolean | null | undefined;
  readonly filters: readonly FilterTerm[];
}

const text = (column: string): FilterColumn => ({ column, type: 'text' });

/** The columns that Flyte's filters can name. */
export const projectFilters: FilterTable = {
  prefixes: ['project'],
  columns: {
    identifier: text('project.identifier'),
    name: text('project.name'),
    description: text('project.description'),
    labels: text('project.labels::text'),
    state: {
      column: 'project.state::text',
      type: 'enum',
      values: ['ACTIVE', 'ARCHIVED', 'SYSTEM_GENERATED', 'SYSTEM_ARCHIVED'],
    },
    created_at: { column: 'project.created_at', type: 'timestamptz' },
    updated_at: { column: 'project.updated_at', type: 'timestamptz' },
  },
};

const resources: readonly ResourceColumn[] = [{ type: 'PROJECT', column: 'project.id' }];

export const projectNodes: NodeRows = {
  from: 'projects as project',
  id: 'project.id',
  tenant: 'project.tenant_id',
  resources,
};

/** The rows that a reader may see. With any filter, ARCHIVED projects are shown too. Source: Flyte's ListProjects. */
function shownTo(reader: Reader, { withArchived, filters }: ProjectFilter): Rows {
  const readable = readableSql(reader, resources);
  const isFiltered = filters.length > 0;
  const from = sql`projects as project ${readable.joins}
    where project.tenant_id = ${reader.tenantId}::uuid and ${readable.condition}
      ${withArchived || isFiltered ? nothing : sql`and project.state <> 'ARCHIVED'`}
      ${filterSql(filters, projectFilters).own}`;
  return { with: readable.with, from, isAdHoc: isFiltered };
}

/** The number of these projects. It is read only if a query asks for it. */
export const countProjects = (reader: Reader, filter: ProjectFilter) => count(shownTo(reader, filter));

/**
 * The projects that the caller may read: one page, and one more row if there is one. ARCHIVED
 * projects are left out unless the caller asks for them or filters; SYSTEM_ARCHIVED projects never are.
 */
export const listProjects = (reader: Reader, filter: ProjectFilter, page: Page) =>
  list<Project>(shownTo(reader, filter), columns, projectOrder(filter), page);

import { type Reader, readableSql } from '../authorization/store/readable.ts';
import type { Project } from '../generated/prisma/client.ts';
import { readAddressed } from '../platform/by-address.ts';
import { inOrder } from '../platform/by-id.ts';
import { db } from '../platform/database/client.ts';
import { byText, type Page, pageSql } from '../platform/database/page.ts';
import { nothing, sql } from '../platform/database/sql.ts';
import { count, query } from '../platform/database/statement.ts';
import { isId } from '../platform/ids.ts';

export type ProjectBy = { readonly id: string } | { readonly identifier: string };

/** Null when the tenant has no such project. */
export async function findProject(tenantId: string, by: ProjectBy): Promise<Project | null> {
  if ('id' in by) return isId(by.id) ? await db.project.findUnique({ where: { id: by.id, tenantId } }) : null;
  const { identifier } = by;
  return await db.project.findUnique({
    where: { tenantId_identifier: { tenantId, identifier } },
  });
}

/** One row or null for each address, in their order. */
export function readProjects(tenantId: string, addresses: readonly ProjectBy[]): Promise<(Project | null)[]> {
  return readAddressed(
    addresses,
    ['identifier'],
    (ids) => db.project.findMany({ where: { tenantId, id: { in: ids } } }),
    (identifiers) => db.project.findMany({ where: { tenantId, identifier: { in: identifiers } } }),
  );
}

export const projectOrder = byText<Project>('project.identifier', ({ identifier }) => identifier);

interface ProjectFilter {
  readonly withArchived: boolean;
}

/** What a list shows to a reader: what follows `from`. */
function shownTo(reader: Reader, { withArchived }: ProjectFilter) {
  const readable = readableSql(reader, [{ type: 'PROJECT', column: 'project.id' }]);
  const from = sql`projects as project ${readable.joins}
    where project.tenant_id = ${reader.tenantId}::uuid and ${readable.condition}
      ${withArchived ? nothing : sql`and project.state <> 'ARCHIVED'`}`;
  return { with: readable.with, from };
}

/** How many there are in all; read only where it is asked for. */
export function countProjects(reader: Reader, filter: ProjectFilter): Promise<number> {
  const list = shownTo(reader, filter);
  return count(list.from, list.with);
}

/**
 * The projects that the caller may read, by identifier, ascending; up to one more than the page. Those ARCHIVED are left
 * out unless asked for; SYSTEM_ARCHIVED ones never are.
 */
export async function listProjects(reader: Reader, filter: ProjectFilter, page: Page): Promise<Project[]> {
  const list = shownTo(reader, filter);
  const { beyond, end } = pageSql(projectOrder, page);
  const rows = await query<{ id: string }>(
    sql`${list.with} select project.id from ${list.from} ${beyond} ${end}`,
  );
  const ids = rows.map(({ id }) => id);
  return inOrder(ids, await db.project.findMany({ where: { id: { in: ids } } }));
}

import { type Reader, readableSql } from '../authorization/store/readable.ts';
import type { Project } from '../generated/prisma/client.ts';
import { inOrder } from '../platform/by-id.ts';
import { serverConfig } from '../platform/config/server.ts';
import { db } from '../platform/database/client.ts';
import { run, statement } from '../platform/database/statement.ts';
import { NotFoundError } from '../platform/errors.ts';
import { isId } from '../platform/ids.ts';
import { requireActiveProject, requireOpenProject } from './domain/project-checks.ts';

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
export async function readProjects(
  tenantId: string,
  addresses: readonly ProjectBy[],
): Promise<(Project | null)[]> {
  const ids = addresses.flatMap((by) => ('id' in by && isId(by.id) ? [by.id] : []));
  const identifiers = addresses.flatMap((by) => ('identifier' in by ? [by.identifier] : []));
  const rows = await db.project.findMany({
    where: { tenantId, OR: [{ id: { in: ids } }, { identifier: { in: identifiers } }] },
  });
  const byId = new Map(rows.map((row) => [row.id, row]));
  const byIdentifier = new Map(rows.map((row) => [row.identifier, row]));
  return addresses.map((by) => ('id' in by ? byId.get(by.id) : byIdentifier.get(by.identifier)) ?? null);
}

/**
 * The projects that the caller may read, by identifier, ascending; up to one more than the page. Those ARCHIVED are left
 * out unless asked for; SYSTEM_ARCHIVED ones never are.
 */
export async function listProjects(
  reader: Reader,
  { withArchived }: { withArchived: boolean },
  page: { limit: number; backward: boolean; from: readonly string[] | null },
): Promise<Project[]> {
  const readable = readableSql(reader, [{ type: 'PROJECT', column: 'project.id' }]);
  const [beyond, direction] = page.backward ? ['<', 'desc'] : ['>', 'asc'];
  const list = statement<{ id: string }>(
    `${readable.with}
     select project.id from projects as project ${readable.joins}
      where project.tenant_id = $1::uuid and ${readable.condition}
        and ($7::boolean or project.state <> 'ARCHIVED')
        and ($8::text is null or project.identifier collate "C" ${beyond} $8)
      order by project.identifier collate "C" ${direction} limit $9`,
  );
  const values = [...readable.values, withArchived, page.from?.[0] ?? null, page.limit + 1];
  const ids = (await run(list, values)).map(({ id }) => id);
  return inOrder(ids, await db.project.findMany({ where: { id: { in: ids } } }));
}

/**
 * The project that something is about to be made in: there, ACTIVE, with that domain.
 *
 * @throws NotFoundError, InvalidArgumentError `InactiveProject` or naming the domain.
 */
export async function getOpenProject(
  tenantId: string,
  { project: identifier, domain }: { readonly project: string; readonly domain: string },
  path: readonly string[],
): Promise<Project> {
  const project = await findProject(tenantId, { identifier });
  if (!project) throw new NotFoundError('project', identifier, [...path, 'project']);
  requireOpenProject(project, domain, serverConfig.domains, path);
  return project;
}

/**
 * The project that something without a domain is about to be made in: there and ACTIVE.
 *
 * @throws NotFoundError, InvalidArgumentError `InactiveProject`.
 */
export async function getActiveProject(
  tenantId: string,
  identifier: string,
  path: readonly string[],
): Promise<Project> {
  const project = await findProject(tenantId, { identifier });
  if (!project) throw new NotFoundError('project', identifier, path);
  requireActiveProject(project, path);
  return project;
}

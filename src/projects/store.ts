import { mayReadAll, type Reader } from '../access/readable.ts';
import type { Prisma, Project } from '../generated/prisma/client.ts';
import { config } from '../platform/config.ts';
import { db } from '../platform/database/client.ts';
import { NotFoundError } from '../platform/errors.ts';
import { isId } from '../platform/ids.ts';
import { requireOpenProject } from './domain/project-checks.ts';

export type ProjectBy = { readonly id: string } | { readonly identifier: string };

/** Null when the tenant has no such project. */
export async function findProject(tenantId: string, by: ProjectBy): Promise<Project | null> {
  if ('id' in by) return isId(by.id) ? await db.project.findUnique({ where: { id: by.id, tenantId } }) : null;
  const { identifier } = by;
  return await db.project.findUnique({
    where: { tenantId_identifier: { tenantId, identifier } },
  });
}

/** The projects that the caller may read. Those ARCHIVED are left out unless asked for; SYSTEM_ARCHIVED ones never are. */
function whereListed(caller: Reader, withArchived: boolean): Prisma.ProjectWhereInput {
  const { tenantId } = caller;
  return {
    ...(mayReadAll(caller) ? {} : { id: { in: [] } }),
    tenantId,
    ...(withArchived ? {} : { state: { not: 'ARCHIVED' } }),
  };
}

/** Projects by identifier, ascending; up to one more than the page. */
export async function listProjects(
  caller: Reader,
  filter: { withArchived: boolean },
  page: { limit: number; backward: boolean; from: readonly string[] | null },
): Promise<Project[]> {
  const bound = page.from?.[0];
  const beyond = bound === undefined ? {} : { identifier: page.backward ? { lt: bound } : { gt: bound } };
  return await db.project.findMany({
    where: { AND: [whereListed(caller, filter.withArchived), beyond] },
    orderBy: { identifier: page.backward ? 'desc' : 'asc' },
    take: page.limit + 1,
  });
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
  requireOpenProject(project, domain, config.domains, path);
  return project;
}

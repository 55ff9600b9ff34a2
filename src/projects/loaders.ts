import type DataLoader from 'dataloader';
import type { Reader } from '../authorization/store/readable.ts';
import type { Project } from '../generated/prisma/client.ts';
import { NotFoundError } from '../platform/errors.ts';
import { addressLoader } from '../platform/loaders.ts';
import { type ProjectBy, readProjects } from './store.ts';

export function projectLoaders({ tenantId }: Reader): ProjectLoaders {
  const project = addressLoader<ProjectBy, Project | null>(async (addresses) => {
    const rows = await readProjects(tenantId, addresses);
    rememberProjects(rows, { project });
    return rows;
  });
  return { project };
}

/**
 * A project that was read by one address is cached for the other one too: a list names its project, and its rows have
 * the id.
 */
export function rememberProjects(rows: readonly (Project | null)[], { project }: ProjectLoaders): void {
  for (const row of rows)
    if (row) project.prime({ id: row.id }, row).prime({ identifier: row.identifier }, row);
}

/**
 * The project that a field names: the same row that the rule of the field has checked.
 *
 * @throws NotFoundError.
 */
export async function getProject(identifier: string, { project }: ProjectLoaders): Promise<Project> {
  const found = await project.load({ identifier });
  if (!found) throw new NotFoundError('project', identifier);
  return found;
}

/** The identifier of a row's project, even if the project is hidden from the caller. */
export async function getIdentifier(projectId: string, { project }: ProjectLoaders): Promise<string> {
  const found = await project.load({ id: projectId });
  if (!found) throw new NotFoundError('project', projectId);
  return found.identifier;
}

interface ProjectLoaders {
  readonly project: DataLoader<ProjectBy, Project | null, string>;
}

declare module '../graphql/context.ts' {
  interface Loaders extends ProjectLoaders {}
}

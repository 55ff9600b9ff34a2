import type { Project } from '../generated/prisma/client.ts';
import { NotFoundError } from '../platform/errors.ts';
import { addressLoader } from '../platform/loaders.ts';
import { type ProjectBy, readProjects } from './store.ts';

export function projectLoaders(tenantId: string) {
  return {
    project: addressLoader<ProjectBy, Project | null>((addresses) => readProjects(tenantId, addresses)),
  };
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

type ProjectLoaders = ReturnType<typeof projectLoaders>;

declare module '../graphql/context.ts' {
  interface Loaders extends ProjectLoaders {}
}

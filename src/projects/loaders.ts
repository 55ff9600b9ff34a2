import type { Project } from '../generated/prisma/client.ts';
import { addressLoader } from '../platform/loaders.ts';
import { type ProjectBy, readProjects } from './store.ts';

export function projectLoaders(tenantId: string) {
  return {
    project: addressLoader<ProjectBy, Project | null>((addresses) => readProjects(tenantId, addresses)),
  };
}

type ProjectLoaders = ReturnType<typeof projectLoaders>;

declare module '../graphql/context.ts' {
  interface Loaders extends ProjectLoaders {}
}

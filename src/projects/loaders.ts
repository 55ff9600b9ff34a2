import DataLoader from 'dataloader';
import type { Project } from '../generated/prisma/client.ts';
import { type ProjectBy, readProjects } from './store.ts';

export function projectLoaders(tenantId: string) {
  return {
    project: new DataLoader<ProjectBy, Project | null, string>(
      (addresses) => readProjects(tenantId, addresses),
      { cacheKeyFn: (by) => JSON.stringify(by) },
    ),
  };
}

type ProjectLoaders = ReturnType<typeof projectLoaders>;

declare module '../graphql/context.ts' {
  interface Loaders extends ProjectLoaders {}
}

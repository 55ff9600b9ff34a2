import DataLoader from 'dataloader';
import type { Project } from '../generated/prisma/client.ts';
import { findProject, type ProjectBy } from './store.ts';

export function projectLoaders(tenantId: string) {
  return {
    project: new DataLoader<ProjectBy, Project | null, string>(
      (addresses) => Promise.all(addresses.map((by) => findProject(tenantId, by))),
      { cacheKeyFn: (by) => JSON.stringify(by) },
    ),
  };
}

export type ProjectLoaders = ReturnType<typeof projectLoaders>;

import DataLoader from 'dataloader';
import type { Experiment } from '../generated/prisma/client.ts';
import { type ExperimentBy, readExperiments } from './store.ts';

export function experimentLoaders(tenantId: string) {
  return {
    experiment: new DataLoader<ExperimentBy, Experiment | null, string>(
      (addresses) => readExperiments(tenantId, addresses),
      { cacheKeyFn: (by) => JSON.stringify(by) },
    ),
  };
}

export type ExperimentLoaders = ReturnType<typeof experimentLoaders>;

import DataLoader from 'dataloader';
import type { RegisteredModel } from '../generated/prisma/client.ts';
import { type RegisteredModelBy, readRegisteredModels } from './store.ts';

export function modelLoaders(tenantId: string) {
  return {
    registeredModel: new DataLoader<RegisteredModelBy, RegisteredModel | null, string>(
      (addresses) => readRegisteredModels(tenantId, addresses),
      { cacheKeyFn: (by) => JSON.stringify(by) },
    ),
  };
}

export type ModelLoaders = ReturnType<typeof modelLoaders>;

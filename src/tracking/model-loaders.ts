import DataLoader from 'dataloader';
import type { Reader } from '../authorization/store/readable.ts';
import type { Page } from '../platform/database/page.ts';
import { addressLoader, childCounter, childLoader, listLoader } from '../platform/loaders.ts';
import {
  modelsOfProjects,
  type RegisteredModelBy,
  type RegisteredModelRow,
  readRegisteredModels,
} from './store/models.ts';
import {
  type AliasRow,
  countVersionsOfModels,
  type ModelVersionAddress,
  type ModelVersionRow,
  readAliasesOfModels,
  readAliasesOfVersions,
  readModelVersions,
  readVersionsOfModels,
} from './store/versions.ts';

export function modelLoaders(reader: Reader) {
  const { tenantId } = reader;
  return {
    registeredModelsOfProject: listLoader(modelsOfProjects(reader)),
    registeredModel: addressLoader<RegisteredModelBy, RegisteredModelRow | null>((addresses) =>
      readRegisteredModels(tenantId, addresses),
    ),
    modelVersion: addressLoader<ModelVersionAddress, ModelVersionRow | null>((addresses) =>
      readModelVersions(tenantId, addresses),
    ),
    versionsOfModel: childLoader<Page, ModelVersionRow>(readVersionsOfModels, (row) => row.modelId),
    versionCount: childCounter(countVersionsOfModels),
    aliasesOfModel: new DataLoader<string, AliasRow[]>(readAliasesOfModels),
    aliasesOfVersion: new DataLoader<string, AliasRow[]>(readAliasesOfVersions),
  };
}

type ModelLoaders = ReturnType<typeof modelLoaders>;

declare module '../graphql/context.ts' {
  interface Loaders extends ModelLoaders {}
}

/** Call this after a change, so that the rest of the request reads again. */
export function forgetModels(loaders: ModelLoaders): void {
  loaders.registeredModel.clearAll();
  loaders.modelVersion.clearAll();
  loaders.versionsOfModel.clearAll();
  loaders.versionCount.clearAll();
  loaders.aliasesOfModel.clearAll();
  loaders.aliasesOfVersion.clearAll();
}

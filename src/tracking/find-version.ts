import type { Loaders } from '../graphql/context.ts';
import type { RegisteredModelBy } from './store/models.ts';
import type { ModelVersionRow } from './store/versions.ts';

/** How a version is addressed. */
export type ModelVersionBy =
  | { readonly id: string }
  | { readonly key: { readonly model: RegisteredModelBy; readonly version: number } }
  | { readonly alias: { readonly model: RegisteredModelBy; readonly alias: string } };

/**
 * The version that is addressed; null when it, or its model, is absent. Of a model that is not there the version is
 * looked for all the same, so that this costs what a hidden one does.
 */
export async function findVersion(
  by: ModelVersionBy,
  loaders: Pick<Loaders, 'registeredModel' | 'modelVersion'>,
): Promise<ModelVersionRow | null> {
  if ('id' in by) return await loaders.modelVersion.load(by);
  const name = 'key' in by ? by.key : by.alias;
  const modelId = (await loaders.registeredModel.load(name.model))?.id ?? null;
  const address = 'version' in name ? { modelId, version: name.version } : { modelId, alias: name.alias };
  return await loaders.modelVersion.load(address);
}

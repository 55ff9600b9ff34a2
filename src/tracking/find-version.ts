import type { Loaders } from '../graphql/context.ts';
import type { RegisteredModelBy } from './store/models.ts';
import type { ModelVersionRow } from './store/versions.ts';

/** The address of a version. */
export type ModelVersionBy =
  | { readonly id: string }
  | { readonly key: { readonly model: RegisteredModelBy; readonly version: number } }
  | { readonly alias: { readonly model: RegisteredModelBy; readonly alias: string } };

/**
 * The version of an address; null if it, or its model, does not exist. If the model does not exist, we still look for
 * the version, so that an absent model takes the same statements as a hidden one.
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

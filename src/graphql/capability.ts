import type { Loaders } from './context.ts';
import type { RootRules } from './rules.ts';

/**
 * What a capability brings to the API. Its `capability.ts` also imports the files of its nouns, which add their types
 * and fields to the builder as they load.
 */
export interface Capability {
  /** Who may call each root field of the capability. */
  readonly rules: readonly RootRules[];
  /** Makes the capability's DataLoaders, for one request of a caller of this tenant. */
  readonly loaders?: (tenantId: string) => Partial<Loaders>;
}

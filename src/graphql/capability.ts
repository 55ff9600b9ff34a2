import type { Loaders } from './context.ts';
import type { RootRules } from './rules.ts';

/**
 * What a capability adds to the API. Its `capability.ts` also imports the files of its nouns, which add their types and
 * fields to the builder when they are loaded.
 */
export interface Capability {
  /** Who may call each root field of the capability. */
  readonly rules: readonly RootRules[];
  /** Creates the DataLoaders of the capability, for one request of a caller of this tenant. */
  readonly loaders?: (tenantId: string) => Partial<Loaders>;
}

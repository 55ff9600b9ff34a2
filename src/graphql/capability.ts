import type { Reader } from '../authorization/store/readable.ts';
import type { Loaders } from './context.ts';
import type { NodeType } from './node.ts';
import type { RootRules } from './rules.ts';

/**
 * What a capability adds to the API. Its `capability.ts` also imports the files of its nouns, which add their types and
 * fields to the builder when they are loaded.
 */
export interface Capability {
  /** Who may call each root field of the capability. */
  readonly rules: readonly RootRules[];
  /** Creates the DataLoaders of the capability, for one request of this caller. */
  readonly loaders?: (reader: Reader) => Partial<Loaders>;
  /** The types whose objects `node` finds by their ids. */
  readonly nodes?: readonly NodeType[];
}

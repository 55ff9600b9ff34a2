import DataLoader from 'dataloader';
import type { Caller } from '../platform/caller.ts';
import type { Granted, Place } from './domain/decision.ts';
import { listGranted } from './store/grants.ts';

/**
 * What was granted to a caller, read in batches and remembered for its request: a caller is made for one. Places of all
 * objects of a level are one statement.
 */
class CallerGrants {
  readonly #wide = new Map<string, Granted>();
  readonly #byId: DataLoader<string, ReadonlyMap<string, Granted>>;

  constructor(caller: Caller) {
    this.#byId = new DataLoader(async (ids) => {
      const rows = await listGranted(caller, ids);
      const byId = new Map<string, Map<string, Granted>>();
      for (const row of rows) {
        if (row.id === null) this.#wide.set(row.type, row);
        else byId.set(row.id, (byId.get(row.id) ?? new Map()).set(row.type, row));
      }
      return ids.map((id) => byId.get(id) ?? new Map());
    });
  }

  /** What was granted at the resources, at their types and at the tenant. */
  async at(resourceIds: readonly string[]): Promise<(place: Place) => Granted | undefined> {
    const found = await Promise.all(resourceIds.map((id) => this.#byId.load(id)));
    const byId = new Map(resourceIds.map((id, index) => [id, found[index]]));
    return ({ type, id }) => (id === null ? this.#wide.get(type) : byId.get(id)?.get(type));
  }
}

const grants = new WeakMap<Caller, CallerGrants>();

export function grantsOf(caller: Caller): CallerGrants {
  const known = grants.get(caller);
  if (known) return known;
  const made = new CallerGrants(caller);
  grants.set(caller, made);
  return made;
}

/** To be called by whoever has changed grants in the caller's own request: what follows in it reads them anew. */
export function forgetGrants(caller: Caller): void {
  grants.delete(caller);
}

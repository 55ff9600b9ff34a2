import DataLoader from 'dataloader';
import type { Granted, Place } from './domain/decision.ts';
import { type GrantSubject, listGranted } from './store/grants.ts';

/** What was granted to somebody, read in batches and remembered: places of all objects of a level are one statement. */
export class SubjectGrants {
  readonly #wide = new Map<string, Granted>();
  readonly #byId: DataLoader<string, ReadonlyMap<string, Granted>>;

  constructor(subject: GrantSubject) {
    this.#byId = new DataLoader(async (ids) => {
      const rows = await listGranted(subject, ids);
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
    // What is about no object reads what was granted at large with an object that is none.
    if (found.length === 0) await this.#byId.load(NOWHERE);
    const byId = new Map(resourceIds.map((id, index) => [id, found[index]]));
    return ({ type, id }) => (id === null ? this.#wide.get(type) : byId.get(id)?.get(type));
  }
}

const NOWHERE = '00000000-0000-0000-0000-000000000000';

const grants = new WeakMap<GrantSubject, SubjectGrants>();

/** What was granted to a caller, remembered for its request: a caller is made for one. */
export function grantsOf(caller: GrantSubject): SubjectGrants {
  const known = grants.get(caller);
  if (known) return known;
  const made = new SubjectGrants(caller);
  grants.set(caller, made);
  return made;
}

/** To be called by whoever has changed grants in the caller's own request: what follows in it reads them anew. */
export function forgetGrants(caller: GrantSubject): void {
  grants.delete(caller);
}

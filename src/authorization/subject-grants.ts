import DataLoader from 'dataloader';
import { NO_ID } from '../platform/ids.ts';
import type { GrantLevels, GrantResource } from './domain/decision.ts';
import { type Grantee, listGrantLevels } from './store/grant-levels.ts';

/** What was granted to a user, read in batches and remembered: the resources of all objects of a level are one statement. */
export class SubjectGrants {
  readonly #wide = new Map<string, GrantLevels>();
  readonly #byId: DataLoader<string, ReadonlyMap<string, GrantLevels>>;

  constructor(subject: Grantee) {
    this.#byId = new DataLoader(async (ids) => {
      const rows = await listGrantLevels(subject, ids);
      const byId = new Map<string, Map<string, GrantLevels>>();
      for (const row of rows) {
        if (row.id === null) this.#wide.set(row.type, row);
        else byId.set(row.id, (byId.get(row.id) ?? new Map()).set(row.type, row));
      }
      return ids.map((id) => byId.get(id) ?? new Map());
    });
  }

  /** The levels that were granted on the resources, on their types and on the tenant. */
  async on(resourceIds: readonly string[]): Promise<(resource: GrantResource) => GrantLevels | undefined> {
    const found = await Promise.all(resourceIds.map((id) => this.#byId.load(id)));
    // A question about no object reads what was granted at large, together with an object that does not exist.
    if (found.length === 0) await this.#byId.load(NO_ID);
    const byId = new Map(resourceIds.map((id, index) => [id, found[index]]));
    return ({ type, id }) => (id === null ? this.#wide.get(type) : byId.get(id)?.get(type));
  }
}

const grants = new WeakMap<Grantee, SubjectGrants>();

/** What was granted to a caller, remembered for its request: a caller is made for one. */
export function grantsOf(caller: Grantee): SubjectGrants {
  const known = grants.get(caller);
  if (known) return known;
  const made = new SubjectGrants(caller);
  grants.set(caller, made);
  return made;
}

/** To be called by whoever has changed grants in the caller's own request: what follows in it reads them anew. */
export function forgetGrants(caller: Grantee): void {
  grants.delete(caller);
}

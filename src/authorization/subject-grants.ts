import DataLoader from 'dataloader';
import { NO_ID } from '../platform/ids.ts';
import type { GrantLevels, GrantResource } from './domain/decision.ts';
import type { Target } from './domain/resources.ts';
import { type Grantee, type GrantLevelsRow, listGrantLevels } from './store/grant-levels.ts';

/** The grants of a user, read in batches and cached. The resources of all objects of one level take one statement. */
export class SubjectGrants {
  readonly #wide = new Map<string, GrantLevels>();
  /** The resources of what lists have shown to this user. */
  readonly #readable = new Set<string>();
  readonly #byId: DataLoader<string, ReadonlyMap<string, GrantLevels>>;

  constructor(subject: Grantee) {
    this.#byId = new DataLoader(async (ids) => {
      const byId = this.#levelsById(await listGrantLevels(subject, ids));
      return ids.map((id) => byId.get(id) ?? new Map());
    });
  }

  #levelsById(rows: readonly GrantLevelsRow[]): Map<string, Map<string, GrantLevels>> {
    const byId = new Map<string, Map<string, GrantLevels>>();
    for (const row of rows) {
      if (row.id === null) this.#wide.set(row.type, row);
      else byId.set(row.id, (byId.get(row.id) ?? new Map()).set(row.type, row));
    }
    return byId;
  }

  /** Keeps all levels on these resources, on their types and on the tenant, which another statement has read. */
  keep(resourceIds: readonly string[], rows: readonly GrantLevelsRow[]): void {
    const byId = this.#levelsById(rows);
    for (const id of resourceIds) this.#byId.prime(id, byId.get(id) ?? new Map());
  }

  /** Notes that a list, which leaves out what its user may not read, has shown an object. */
  noteReadable(target: Target): void {
    if (!target.isPublic && target.resources.length > 0) this.#readable.add(keyOf(target));
  }

  /** Whether a list has shown an object with the same resources. Then the same grants decide, and allow to read it. */
  isKnownReadable(target: Target): boolean {
    return this.#readable.size > 0 && this.#readable.has(keyOf(target));
  }

  /** The levels on these resources, on their types and on the tenant. */
  async on(resourceIds: readonly string[]): Promise<(resource: GrantResource) => GrantLevels | undefined> {
    const found = await Promise.all(resourceIds.map((id) => this.#byId.load(id)));
    // Without a resource, we read the grants on types and on the tenant together with an id that no object has.
    if (found.length === 0) await this.#byId.load(NO_ID);
    const byId = new Map(resourceIds.map((id, index) => [id, found[index]]));
    return ({ type, id }) => (id === null ? this.#wide.get(type) : byId.get(id)?.get(type));
  }
}

const keyOf = ({ resources }: Target): string => resources.map(({ type, id }) => `${type} ${id}`).join();

const grants = new WeakMap<Grantee, SubjectGrants>();

/** The grants of a caller. They are cached for one request, because each request has its own caller object. */
export function grantsOf(caller: Grantee): SubjectGrants {
  const known = grants.get(caller);
  if (known) return known;
  const made = new SubjectGrants(caller);
  grants.set(caller, made);
  return made;
}

/**
 * Must be called after grants were changed in the caller's own request, so that the rest of the request reads them
 * again.
 */
export function forgetGrants(caller: Grantee): void {
  grants.delete(caller);
}

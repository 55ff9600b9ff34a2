/** The key of a version of a task, workflow or launch plan within a tenant. */
export interface EntityKey {
  readonly project: string;
  readonly domain: string;
  readonly name: string;
  readonly version: string;
}

/** A text for each key, for maps and sorting. The parts are quoted, because a name may contain any character. */
export function entityKeyText({ project, domain, name, version }: EntityKey): string {
  return JSON.stringify([project, domain, name, version]);
}

/** Things with a key, by the text of their keys. */
export const byKey = <T extends { readonly id: EntityKey }>(list: readonly T[]): ReadonlyMap<string, T> =>
  new Map(list.map((one) => [entityKeyText(one.id), one]));

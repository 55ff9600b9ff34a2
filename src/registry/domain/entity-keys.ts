/** What names a version of a task, workflow or launch plan within a tenant. */
export interface EntityKey {
  readonly project: string;
  readonly domain: string;
  readonly name: string;
  readonly version: string;
}

/** One text for each key, for maps and sorting; a name may hold any character, so the parts are quoted. */
export function entityKeyText({ project, domain, name, version }: EntityKey): string {
  return JSON.stringify([project, domain, name, version]);
}

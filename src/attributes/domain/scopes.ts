/** What a record applies to: a project, a domain of it, a workflow or a launch plan. A part that is null matches all. */
export interface Scope {
  readonly projectId: string;
  readonly domain: string | null;
  /** The name that all versions of a workflow share. */
  readonly workflow: string | null;
  /** The name that all versions of a launch plan share. */
  readonly launchPlan: string | null;
}

/** The scope of a whole project. */
export const projectScope = (projectId: string): Scope => ({
  projectId,
  domain: null,
  workflow: null,
  launchPlan: null,
});

/** The narrower the scope, the higher the priority. Source: the numbers are Flyte's. */
export function priorityOf({ domain, workflow, launchPlan }: Omit<Scope, 'projectId'>): number {
  if (launchPlan !== null) return 1000;
  if (workflow !== null) return 100;
  return domain === null ? 5 : 10;
}

/** Whether every part that the scope of a record names equals the part of `wanted`. */
export function isWithin(wanted: Scope, scope: Scope): boolean {
  const parts = ['domain', 'workflow', 'launchPlan'] as const;
  return (
    scope.projectId === wanted.projectId &&
    parts.every((part) => scope[part] === null || scope[part] === wanted[part])
  );
}

import { type Decision, decide, type GrantResource, type Step, type Subject } from './domain/decision.ts';
import type { Target } from './domain/resources.ts';
import type { Grantee } from './store/grant-levels.ts';
import { type GrantAbout, listGrantsAbout } from './store/grant-rows.ts';
import { SubjectGrants } from './subject-grants.ts';

/** A step of a decision, and the grants that it found, highest first. */
export type ExplainedStep = Step & { readonly rows: readonly GrantAbout[] };

export interface Explanation extends Decision {
  readonly steps: readonly ExplainedStep[];
  /** The grant that decided; null if no grant decided. */
  readonly grant: GrantAbout | null;
}

/** Explains why a subject has its level on a target: the decision, and its steps. */
export async function explain(subject: Subject & Grantee, target: Target): Promise<Explanation> {
  const ids = target.resources.map(({ id }) => id);
  const [levelsOn, rows] = await Promise.all([
    new SubjectGrants(subject).on(ids),
    listGrantsAbout(subject, ids),
  ]);
  const steps: ExplainedStep[] = [];
  const decision = decide(subject, target, levelsOn, (step) =>
    steps.push({ ...step, rows: step.resource ? rowsOn(step.resource, rows) : [] }),
  );
  const isOwn = decision.decidedBy === 'USER_GRANT';
  const deciding = decision.resource ? rowsOn(decision.resource, rows) : [];
  return { ...decision, steps, grant: deciding.find((row) => (row.userId !== null) === isOwn) ?? null };
}

function rowsOn({ type, id }: GrantResource, rows: readonly GrantAbout[]): GrantAbout[] {
  return rows.filter((row) => row.resourceType === type && row.resourceId === id);
}

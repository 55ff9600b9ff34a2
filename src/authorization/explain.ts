import { type Decision, decide, type GrantResource, type Step, type Subject } from './domain/decision.ts';
import type { Target } from './domain/resources.ts';
import type { Grantee } from './store/grant-levels.ts';
import { type GrantAbout, listGrantsAbout } from './store/grant-rows.ts';
import { SubjectGrants } from './subject-grants.ts';

/** A step that was asked, and the rows that it found, the highest first. */
export type ExplainedStep = Step & { readonly rows: readonly GrantAbout[] };

export interface Explanation extends Decision {
  readonly steps: readonly ExplainedStep[];
  /** The row that decided; null where none did. */
  readonly grant: GrantAbout | null;
}

/** Why a subject has its level on a target: the decision itself, and the steps that it went through. */
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

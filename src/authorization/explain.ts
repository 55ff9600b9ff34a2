import { type Decision, decide, type Place, type Step, type Subject } from './domain/decision.ts';
import type { Target } from './domain/resources.ts';
import { SubjectGrants } from './granted.ts';
import { listSpoken, type SpokenRow } from './store/grant-rows.ts';
import type { GrantSubject } from './store/grants.ts';

/** A step that was asked, and the rows that it found, the highest first. */
export type ExplainedStep = Step & { readonly rows: readonly SpokenRow[] };

export interface Explanation extends Decision {
  readonly steps: readonly ExplainedStep[];
  /** The row that decided; null where none did. */
  readonly grant: SpokenRow | null;
}

/** Why somebody may do as much with something: the decision itself, and the steps that it went through. */
export async function explain(subject: Subject & GrantSubject, target: Target): Promise<Explanation> {
  const ids = target.resources.map(({ id }) => id);
  const [granted, spoken] = await Promise.all([new SubjectGrants(subject).at(ids), listSpoken(subject, ids)]);
  const steps: ExplainedStep[] = [];
  const decision = decide(subject, target, granted, (step) =>
    steps.push({ ...step, rows: step.place ? rowsAt(spoken, step.place) : [] }),
  );
  const isOwn = decision.decidedBy === 'USER_GRANT';
  const rows = decision.place ? rowsAt(spoken, decision.place) : [];
  return { ...decision, steps, grant: rows.find((row) => (row.userId !== null) === isOwn) ?? null };
}

function rowsAt(rows: readonly SpokenRow[], { type, id }: Place): SpokenRow[] {
  return rows.filter((row) => row.resourceType === type && row.resourceId === id);
}

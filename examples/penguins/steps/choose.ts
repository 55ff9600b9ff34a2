import type { Evaluation } from './evaluate.ts';
import { type LearnerName, learnerNames, learners } from './learners.ts';
import { type Step, StepError } from './step.ts';

export interface Choice {
  readonly best: LearnerName;
  /** Of the best, on the held-out part. */
  readonly accuracy: number;
  /** Of each, on the held-out part. */
  readonly scores: Readonly<Partial<Record<LearnerName, number>>>;
}

/**
 * The model with the best cross-validated accuracy, the simplest of equals. The held-out part has no vote: the best of
 * several scores is a lucky one, and would promise more than the model keeps.
 */
export function choose(evaluations: readonly Evaluation[]): Choice {
  const simplestFirst = learnerNames.flatMap((name) => evaluations.filter(({ learner }) => learner === name));
  const [first, ...others] = simplestFirst;
  if (!first) throw new StepError('there is no model to choose from');
  const best = others.reduce((leader, next) => (next.validation > leader.validation ? next : leader), first);
  return {
    best: best.learner,
    accuracy: best.accuracy,
    scores: Object.fromEntries(simplestFirst.map(({ learner, accuracy }) => [learner, accuracy])),
  };
}

export const chooseStep: Step = ({ text, write, say }) => {
  const { best, accuracy, scores } = choose(JSON.parse(text('evaluations')));
  say(`${learners[best].title} is chosen; its accuracy on the held-out part is ${accuracy}`);
  write('best', best);
  write('accuracy', String(accuracy));
  write('scores', scores);
};

import type { Evaluation } from './evaluate.ts';
import { type LearnerName, learnerNames, learners } from './learners.ts';
import { type Step, StepError } from './step.ts';

export interface Choice {
  readonly best: LearnerName;
  /** The accuracy of the best model on the held-out part. */
  readonly accuracy: number;
  /** The accuracy of each model on the held-out part. */
  readonly scores: Readonly<Partial<Record<LearnerName, number>>>;
}

/**
 * Chooses the model with the best cross-validated accuracy; of equal ones, the simplest. The held-out part does not
 * count here: the best of several scores on it would be a lucky one, and would promise too much.
 */
export function choose(evaluations: readonly Evaluation[]): Choice {
  const simplestFirst = learnerNames.flatMap((name) => evaluations.filter(({ learner }) => learner === name));
  const [first, ...others] = simplestFirst;
  if (!first) throw new StepError('no models to choose from');
  const best = others.reduce((leader, next) => (next.validation > leader.validation ? next : leader), first);
  return {
    best: best.learner,
    accuracy: best.accuracy,
    scores: Object.fromEntries(simplestFirst.map(({ learner, accuracy }) => [learner, accuracy])),
  };
}

export const chooseStep: Step = ({ text, write, say }) => {
  const { best, accuracy, scores } = choose(JSON.parse(text('evaluations')));
  say(`${learners[best].title} is the best model; its accuracy on the held-out part is ${accuracy}`);
  write('best', best);
  write('accuracy', String(accuracy));
  write('scores', scores);
};

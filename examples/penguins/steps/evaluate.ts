import type { LearnerName } from './learners.ts';
import { allSpecies, type Penguin, type Species, shareOf } from './penguin.ts';
import type { Step } from './step.ts';
import { countHits, type Model, predict } from './train.ts';

export interface Evaluation {
  readonly learner: LearnerName;
  /** The accuracy on the training part, to compare models. */
  readonly validation: number;
  /** The accuracy on the held-out part, which can be expected of the model. */
  readonly accuracy: number;
  /** How often a species (outer key) was predicted as another one (inner key). */
  readonly confusion: Readonly<Record<Species, Readonly<Record<Species, number>>>>;
}

export function evaluate(model: Model, validation: number, test: readonly Penguin[]): Evaluation {
  const predictions = predict(model, test);
  const count = (actual: Species, predicted: Species) =>
    test.filter(({ species }, index) => species === actual && predictions[index] === predicted).length;
  return {
    learner: model.learner,
    validation,
    accuracy: shareOf(countHits(predictions, test), test.length),
    confusion: bySpecies((actual) => bySpecies((predicted) => count(actual, predicted))),
  };
}

export function bySpecies<T>(valueFor: (species: Species) => T): Record<Species, T> {
  return Object.fromEntries(allSpecies.map((species) => [species, valueFor(species)])) as Record<Species, T>;
}

export const evaluateStep: Step = ({ json, number, write, say }) => {
  const evaluation = evaluate(json<Model>('model'), number('validation'), json<Penguin[]>('test'));
  say(`accuracy on the held-out part: ${evaluation.accuracy}`);
  write('evaluation', evaluation);
};

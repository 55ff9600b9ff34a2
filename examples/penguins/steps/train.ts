import { fitScales, type Scale, scaledRows } from './features.ts';
import { type LearnerName, learners } from './learners.ts';
import { allSpecies, labelOf, type Penguin, type Species, shareOf } from './penguin.ts';
import { randomNumbers, shuffled } from './random.ts';
import type { Step } from './step.ts';

/** Everything that is needed to predict the species of a penguin, as JSON. */
export interface Model {
  readonly learner: LearnerName;
  readonly scales: readonly Scale[];
  readonly learned: unknown;
}

const FOLDS = 5;

export function train(penguins: readonly Penguin[], name: LearnerName, seed: number): Model {
  const { features, learn } = learners[name];
  const scales = fitScales(penguins, features);
  // Learners return objects with a toJSON. A copy is what a reader of the file will get.
  const learned = JSON.parse(
    JSON.stringify(learn(scaledRows(penguins, scales), penguins.map(labelOf), seed)),
  );
  return { learner: name, scales, learned };
}

export function predict({ learner, scales, learned }: Model, penguins: readonly Penguin[]): Species[] {
  const labels = learners[learner].predict(learned, scaledRows(penguins, scales));
  return labels.map((label) => {
    const species = allSpecies[label];
    if (!species) throw new Error(`${learner} answered ${label}, which is not a species`);
    return species;
  });
}

/**
 * The accuracy on training rows that the learner has not seen: a model of the other four fifths predicts each fifth.
 * Models are compared by this number, so that the held-out part does not influence the choice and remains a fair test.
 */
export function crossValidate(penguins: readonly Penguin[], name: LearnerName, seed: number): number {
  const drawn = shuffled(penguins, randomNumbers(seed));
  const hits = Array.from({ length: FOLDS }, (_, fold) => {
    const shown = drawn.filter((_, index) => index % FOLDS !== fold);
    const hidden = drawn.filter((_, index) => index % FOLDS === fold);
    return countHits(predict(train(shown, name, seed), hidden), hidden);
  });
  return shareOf(
    hits.reduce((sum, count) => sum + count, 0),
    drawn.length,
  );
}

export function countHits(predictions: readonly Species[], penguins: readonly Penguin[]): number {
  return penguins.filter(({ species }, index) => predictions[index] === species).length;
}

export const trainStep: Step = ({ json, text, number, write, say }) => {
  const penguins = json<Penguin[]>('train');
  const name = text('learner') as LearnerName;
  const seed = number('seed');
  say(`${learners[name].title} learns from ${penguins.length} penguins`);
  write('model', train(penguins, name, seed));
  const validation = crossValidate(penguins, name, seed);
  say(`cross-validated accuracy on the training part: ${validation}`);
  write('validation', String(validation));
};

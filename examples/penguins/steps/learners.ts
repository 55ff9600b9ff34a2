import { DecisionTreeClassifier } from 'ml-cart';
import { GaussianNB } from 'ml-naivebayes';
import { RandomForestClassifier } from 'ml-random-forest';
import { allFeatures, type Feature, measurements } from './features.ts';
import { allSpecies } from './penguin.ts';
import { StepError } from './step.ts';

/** The simplest first: if two models are equally good, the first one is chosen. */
export const learnerNames = ['naive-bayes', 'decision-tree', 'random-forest'] as const;
export type LearnerName = (typeof learnerNames)[number];

/** A learner from npm. `learn` returns what `predict` needs as plain JSON, so that a model is a file. */
export interface Learner {
  readonly title: string;
  readonly features: readonly Feature[];
  learn(rows: number[][], labels: number[], seed: number): unknown;
  predict(learned: unknown, rows: number[][]): number[];
}

type Loaded<T extends (learned: never) => unknown> = Parameters<T>[0];

export const learners: Readonly<Record<LearnerName, Learner>> = {
  'naive-bayes': {
    title: 'Naive Bayes',
    // This learner uses bell curves, which fit measurements that vary within each species. They do not fit islands.
    features: measurements,
    learn(rows, labels) {
      requireVariance(rows, labels, measurements);
      const model = new GaussianNB();
      model.train(rows, labels);
      return model;
    },
    predict: (learned, rows) => GaussianNB.load(learned).predict(rows),
  },
  'decision-tree': {
    title: 'Decision tree',
    features: allFeatures,
    learn(rows, labels) {
      const model = new DecisionTreeClassifier({ maxDepth: 5, minNumSamples: 5 });
      model.train(rows, labels);
      return model;
    },
    predict: (learned, rows) => DecisionTreeClassifier.load(learned).predict(rows),
  },
  'random-forest': {
    title: 'Random forest',
    features: allFeatures,
    learn(rows, labels, seed) {
      const model = new RandomForestClassifier({
        seed: seed | 0,
        nEstimators: 20,
        maxFeatures: 5,
        replacement: false,
        useSampleBagging: true,
        noOOB: true,
        treeOptions: { maxDepth: 8 },
      });
      model.train(rows, labels);
      return model;
    },
    predict: (learned, rows) =>
      RandomForestClassifier.load(learned as Loaded<typeof RandomForestClassifier.load>).predict(rows),
  },
};

/** @throws StepError that names the species and the feature. Without variance, a bell curve has no width. */
function requireVariance(rows: number[][], labels: number[], features: readonly Feature[]): void {
  for (const [label, species] of allSpecies.entries()) {
    const own = rows.filter((_, index) => labels[index] === label);
    if (own.length < 2)
      throw new StepError(
        `naive Bayes needs at least two penguins of each species, but ${species} has ${own.length}`,
      );
    for (const [column, feature] of features.entries()) {
      if (own.some((row) => row[column] !== own[0]?.[column])) continue;
      throw new StepError(
        `${feature} is the same for all ${own.length} ${species} penguins: naive Bayes cannot learn how it varies`,
      );
    }
  }
}

import type { Penguin } from './penguin.ts';
import { randomNumbers, shuffled } from './random.ts';
import { type Step, StepError } from './step.ts';

export interface SplitOptions {
  readonly seed: number;
  /** The share of penguins that are held out, between 0 and 1. */
  readonly testShare: number;
  /**
   * Gives the penguins random species, so that there is nothing to learn. If a model still learns something, there is a
   * bug.
   */
  readonly shuffleLabels: boolean;
}

export interface Parts {
  readonly train: Penguin[];
  readonly test: Penguin[];
}

/**
 * Splits the penguins at random into a part for training and a part for measuring. No penguin is in both.
 *
 * @throws StepError if one of the parts would be empty.
 */
export function split(penguins: readonly Penguin[], { seed, testShare, shuffleLabels }: SplitOptions): Parts {
  const random = randomNumbers(seed);
  const drawn = shuffled(penguins, random);
  const labelled = shuffleLabels ? withShuffledSpecies(drawn, random) : drawn;
  const testCount = Math.round(labelled.length * testShare);
  if (!(testCount > 0 && testCount < labelled.length)) {
    throw new StepError(
      `with a test share of ${testShare}, one part of the ${labelled.length} penguins is empty`,
    );
  }
  return { test: labelled.slice(0, testCount), train: labelled.slice(testCount) };
}

function withShuffledSpecies(penguins: readonly Penguin[], random: () => number): Penguin[] {
  const species = shuffled(
    penguins.map((penguin) => penguin.species),
    random,
  );
  return penguins.map((penguin, index) => ({ ...penguin, species: species[index] ?? penguin.species }));
}

export const splitStep: Step = ({ json, number, flag, write, say }) => {
  const shuffleLabels = flag('shuffleLabels');
  const options = { seed: number('seed'), testShare: number('testShare'), shuffleLabels };
  const { train, test } = split(json<Penguin[]>('penguins'), options);
  if (shuffleLabels) say('the species are random: the models can only guess');
  say(`${train.length} penguins to learn from, ${test.length} held out, drawn with seed ${options.seed}`);
  write('train', train);
  write('test', test);
};

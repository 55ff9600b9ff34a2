import type { Penguin } from './penguin.ts';
import { randomNumbers, shuffled } from './random.ts';
import { type Step, StepError } from './step.ts';

export interface SplitOptions {
  readonly seed: number;
  /** Of all penguins, between 0 and 1: how many are held out. */
  readonly testShare: number;
  /** Deals the species out anew, so that there is nothing to learn: what is learned all the same is a fault. */
  readonly shuffleLabels: boolean;
}

export interface Parts {
  readonly train: Penguin[];
  readonly test: Penguin[];
}

/**
 * Draws a part to learn from and a part to be judged by. No penguin is in both.
 *
 * @throws StepError when one of them would be empty.
 */
export function split(penguins: readonly Penguin[], { seed, testShare, shuffleLabels }: SplitOptions): Parts {
  const random = randomNumbers(seed);
  const drawn = shuffled(penguins, random);
  const labelled = shuffleLabels ? withShuffledSpecies(drawn, random) : drawn;
  const testCount = Math.round(labelled.length * testShare);
  if (!(testCount > 0 && testCount < labelled.length)) {
    throw new StepError(`a test share of ${testShare} of ${labelled.length} penguins leaves a part empty`);
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
  if (shuffleLabels) say('species were dealt out anew: expect no better than chance');
  say(`${train.length} penguins to learn from, ${test.length} held out, drawn with seed ${options.seed}`);
  write('train', train);
  write('test', test);
};

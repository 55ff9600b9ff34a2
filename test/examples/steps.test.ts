import { describe, expect, it } from 'vitest';
import { readDataSet, withCopiedFlippers } from '../../examples/penguins/data-set.ts';
import { choose } from '../../examples/penguins/steps/choose.ts';
import { clean, type Line } from '../../examples/penguins/steps/clean.ts';
import { type Evaluation, evaluate } from '../../examples/penguins/steps/evaluate.ts';
import { allFeatures, featureOf, fitScales } from '../../examples/penguins/steps/features.ts';
import { learnerNames } from '../../examples/penguins/steps/learners.ts';
import { labelOf, type Penguin } from '../../examples/penguins/steps/penguin.ts';
import { baselineOf, priorsOf, report } from '../../examples/penguins/steps/report.ts';
import { type SplitOptions, split } from '../../examples/penguins/steps/split.ts';
import { crossValidate, predict, train } from '../../examples/penguins/steps/train.ts';

const penguins = clean(readDataSet());
const seeds = [7, 8, 9];

const parts = (seed: number, options: Partial<SplitOptions> = {}) =>
  split(penguins, { seed, testShare: 0.3, shuffleLabels: false, ...options });

/** All steps from the split to the choice. */
function learn(seed: number, options: Partial<SplitOptions> = {}) {
  const drawn = parts(seed, options);
  const evaluations = learnerNames.map((name) =>
    evaluate(train(drawn.train, name, seed), crossValidate(drawn.train, name, seed), drawn.test),
  );
  return { drawn, evaluations, choice: choose(evaluations) };
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const rowsOf = (some: readonly Penguin[]) => some.map(({ row }) => row);

describe('clean', () => {
  it('keeps the complete lines, each once', () => {
    expect(readDataSet()).toHaveLength(344);
    expect(penguins).toHaveLength(333);
    expect(new Set(rowsOf(penguins)).size).toBe(333);
    expect(new Set(penguins.map(({ row, ...measured }) => JSON.stringify(measured))).size).toBe(333);
  });

  it.each<[string, Line, string]>([
    [
      'an unknown species',
      { Species: 'Emperor' },
      'line 0: Species must be one of Adelie, Chinstrap, Gentoo',
    ],
    [
      'a number written as text',
      { 'Body Mass (g)': '3750' },
      'line 0: Body Mass (g) must be a positive number',
    ],
  ])('refuses %s, naming the line', (_, change, message) => {
    const [line] = readDataSet();
    expect(() => clean([{ ...line, ...change }])).toThrow(message);
  });
});

describe('split', () => {
  it('puts every penguin in one part and none in both', () => {
    for (const seed of seeds) {
      const { train, test } = parts(seed);
      expect(test).toHaveLength(100);
      expect([...rowsOf(train), ...rowsOf(test)].sort((a, b) => a - b)).toEqual(rowsOf(penguins));
    }
  });

  it('gives the same parts for the same seed, and others for another seed', () => {
    expect(parts(7)).toEqual(parts(7));
    expect(rowsOf(parts(7).test)).not.toEqual(rowsOf(parts(8).test));
  });

  it('moves species but not measurements when it shuffles labels', () => {
    const plain = parts(7);
    const dealt = parts(7, { shuffleLabels: true });
    const withoutSpecies = (some: Penguin[]) => some.map(({ species, ...rest }) => rest);
    expect(withoutSpecies(dealt.train)).toEqual(withoutSpecies(plain.train));
    expect(priorsOf([...dealt.train, ...dealt.test])).toEqual(priorsOf(penguins));
    const kept = dealt.test.filter(({ species }, index) => plain.test[index]?.species === species);
    expect(kept.length).toBeLessThan(60);
  });

  it.each([0, 1, -1, 0.0001])('refuses a test share of %d, which leaves a part empty', (testShare) => {
    expect(() => parts(7, { testShare })).toThrow('is empty');
  });
});

describe('train', () => {
  it('computes the scale from the training part only', () => {
    const drawn = parts(7);
    const model = train(drawn.train, 'decision-tree', 7);
    for (const { feature, mean: learned } of model.scales)
      expect(learned).toBeCloseTo(mean(drawn.train.map((penguin) => featureOf(penguin, feature))), 10);
    expect(model.scales).not.toEqual(fitScales(penguins, allFeatures));
  });

  it.each(learnerNames)(
    'makes of %s a model that is plain JSON and predicts the same when read back',
    (name) => {
      const drawn = parts(7);
      const model = train(drawn.train, name, 7);
      const copy = JSON.parse(JSON.stringify(model));
      expect(copy).toEqual(model);
      expect(predict(copy, drawn.test)).toEqual(predict(model, drawn.test));
      expect(train(drawn.train, name, 7)).toEqual(model);
    },
  );

  it('names the feature that does not vary when naive Bayes needs it to vary', () => {
    const faulty = split(clean(withCopiedFlippers(readDataSet())), {
      seed: 7,
      testShare: 0.3,
      shuffleLabels: false,
    });
    expect(() => train(faulty.train, 'naive-bayes', 7)).toThrow(
      'flipperLengthMm is the same for all 44 Chinstrap',
    );
    expect(() => train(faulty.train, 'decision-tree', 7)).not.toThrow();
  });
});

describe('choose', () => {
  const evaluation = (learner: Evaluation['learner'], validation: number, accuracy: number) =>
    ({ learner, validation, accuracy }) as Evaluation;

  it('chooses by cross-validation, not by the held-out part', () => {
    const { best, accuracy, scores } = choose([
      evaluation('random-forest', 0.9, 0.99),
      evaluation('decision-tree', 0.95, 0.94),
    ]);
    expect({ best, accuracy }).toEqual({ best: 'decision-tree', accuracy: 0.94 });
    expect(scores).toEqual({ 'decision-tree': 0.94, 'random-forest': 0.99 });
  });

  it('chooses the simplest of equally good models', () => {
    const equals = [evaluation('random-forest', 0.9, 0.9), evaluation('naive-bayes', 0.9, 0.9)];
    expect(choose(equals).best).toBe('naive-bayes');
  });
});

describe('the workflow as a whole', () => {
  it('predicts far better than guessing, for every seed', () => {
    for (const seed of seeds) {
      const { drawn, evaluations, choice } = learn(seed);
      expect(choice.accuracy).toBeGreaterThan(0.92);
      expect(baselineOf(drawn)).toBeLessThan(0.6);
      for (const { accuracy } of evaluations) expect(accuracy).toBeGreaterThan(0.88);
    }
  });

  it('predicts no better than guessing when the labels are random', () => {
    const results = seeds.map((seed) => learn(seed, { shuffleLabels: true }));
    for (const { drawn, choice } of results) expect(choice.accuracy).toBeLessThan(baselineOf(drawn) + 0.12);
    const ofAll = results.flatMap(({ evaluations }) => evaluations.map(({ accuracy }) => accuracy));
    expect(mean(ofAll)).toBeGreaterThan(0.3);
    expect(mean(ofAll)).toBeLessThan(0.48);
  });

  it('gives the same result for the same seed and another for another seed', () => {
    const [first, again, other] = [learn(7), learn(7), learn(8)];
    expect(again).toEqual(first);
    expect(other.evaluations).not.toEqual(first.evaluations);
  });

  it('counts every held-out penguin once, and reports it', () => {
    const { drawn, evaluations, choice } = learn(7);
    for (const { confusion, accuracy } of evaluations) {
      const cells = Object.values(confusion).flatMap((row) => Object.values(row));
      expect(cells.reduce((sum, count) => sum + count, 0)).toBe(drawn.test.length);
      const hits = Object.entries(confusion).map(([species, row]) => row[species as keyof typeof row]);
      expect(hits.reduce((sum, count) => sum + count, 0) / drawn.test.length).toBeCloseTo(accuracy, 4);
    }
    const page = report({ parts: drawn, evaluations, best: choice.best });
    expect(page).toContain(`${(choice.accuracy * 100).toFixed(1)} % of 100 held-out penguins`);
    expect(page).toContain(`${(baselineOf(drawn) * 100).toFixed(1)} %`);
    expect(page.match(/species \\ prediction/g)).toHaveLength(learnerNames.length);
  });

  it('has a baseline that uses only the training part to decide what to guess', () => {
    const [adelie, gentoo] = [0, 2].map((label) => penguins.filter((penguin) => labelOf(penguin) === label));
    expect(baselineOf({ train: adelie ?? [], test: gentoo ?? [] })).toBe(0);
  });
});

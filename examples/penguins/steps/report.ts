import { bySpecies, type Evaluation } from './evaluate.ts';
import { type LearnerName, learners } from './learners.ts';
import { allSpecies, type Penguin, type Species, shareOf } from './penguin.ts';
import type { Parts } from './split.ts';
import type { Step } from './step.ts';

/** How common each species is. */
export function priorsOf(penguins: readonly Penguin[]): Record<Species, number> {
  return bySpecies((species) =>
    shareOf(penguins.filter((penguin) => penguin.species === species).length, penguins.length),
  );
}

/** The accuracy on the held-out part of always predicting the most common species of the training part. */
export function baselineOf({ train, test }: Parts): number {
  const priors = priorsOf(train);
  const majority = allSpecies.reduce((leader, next) => (priors[next] > priors[leader] ? next : leader));
  return priorsOf(test)[majority];
}

export interface Findings {
  readonly parts: Parts;
  readonly evaluations: readonly Evaluation[];
  readonly best: LearnerName;
}

/** A page of Markdown. */
export function report({ parts, evaluations, best }: Findings): string {
  const { train, test } = parts;
  const accuracy = evaluations.find(({ learner }) => learner === best)?.accuracy ?? 0;
  const inTraining = priorsOf(train);
  const heldOut = priorsOf(test);
  return [
    '# Which penguin is it?',
    `**${learners[best].title}** is chosen: it names the species of ${percent(accuracy)} of ${test.length} held-out penguins. Always naming the most common species would be right for ${percent(baselineOf(parts))}.`,
    '## Models',
    table(
      ['model', 'cross-validated accuracy', 'held-out accuracy'],
      evaluations.map((one) => [learners[one.learner].title, percent(one.validation), percent(one.accuracy)]),
    ),
    `The models learn from ${train.length} penguins. Cross-validation on these penguins chooses the model; the held-out penguins only measure its accuracy.`,
    '## How common each species is',
    table(
      ['species', 'in training', 'held out'],
      allSpecies.map((species) => [species, percent(inTraining[species]), percent(heldOut[species])]),
    ),
    '## Which species were confused',
    ...evaluations.flatMap(confusionOf),
  ]
    .join('\n\n')
    .concat('\n');
}

function confusionOf({ learner, confusion }: Evaluation): string[] {
  return [
    `### ${learners[learner].title}`,
    table(
      ['species \\ prediction', ...allSpecies],
      allSpecies.map((actual) => [
        actual,
        ...allSpecies.map((predicted) => String(confusion[actual][predicted])),
      ]),
    ),
  ];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const rule = head.map((_, column) => (column === 0 ? '---' : '--:'));
  return [head, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

export const reportStep: Step = ({ json, text, write }) => {
  const parts = { train: json<Penguin[]>('train'), test: json<Penguin[]>('test') };
  const evaluations = JSON.parse(text('evaluations'));
  write('report', report({ parts, evaluations, best: text('best') as LearnerName }));
  write('baseline', String(baselineOf(parts)));
};

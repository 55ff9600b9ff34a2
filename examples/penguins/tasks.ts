/**
 * The tasks with their inputs and outputs. The command of a task calls the step with its name in the bundle, which is
 * its input `code`.
 */
import {
  boolean,
  type EntityKey,
  file,
  float,
  integer,
  type LiteralType,
  listOf,
  oneOf,
  struct,
  type TaskDocument,
  variables,
} from './documents.ts';
import { learnerNames } from './steps/learners.ts';

interface TaskSketch {
  readonly says: string;
  readonly inputs: Readonly<Record<string, LiteralType>>;
  readonly outputs: Readonly<Record<string, LiteralType>>;
}

const json = file('json');
const learner = oneOf(learnerNames);

const sketches = {
  clean: {
    says: 'Keeps the complete lines of the data set',
    inputs: { data: json },
    outputs: { penguins: json },
  },
  split: {
    says: 'Draws a training part and a held-out part',
    inputs: { penguins: json, seed: integer, testShare: float, shuffleLabels: boolean },
    outputs: { train: json, test: json },
  },
  train: {
    says: 'Trains a model with the training part and cross-validates it',
    inputs: { train: json, learner, seed: integer },
    outputs: { model: json, validation: float },
  },
  evaluate: {
    says: 'Evaluates a model with the held-out part',
    inputs: { model: json, validation: float, test: json },
    outputs: { evaluation: struct },
  },
  choose: {
    says: 'Chooses the model with the best cross-validation',
    inputs: { evaluations: listOf(struct) },
    outputs: { best: learner, accuracy: float, scores: struct },
  },
  report: {
    says: 'Writes a report, with the accuracy of guessing for comparison',
    inputs: { train: json, test: json, evaluations: listOf(struct), best: learner },
    outputs: { report: file('md'), baseline: float },
  },
} satisfies Record<string, TaskSketch>;

export type TaskName = keyof typeof sketches;

export function taskDocuments(keyOf: (name: string) => EntityKey): TaskDocument[] {
  return Object.entries<TaskSketch>(sketches).map(([step, { says, inputs, outputs }]) => {
    const everyInput = { code: file('mjs'), ...inputs, pauseSeconds: float };
    return {
      key: keyOf(step),
      shortDescription: says,
      template: {
        type: 'container',
        // Two more attempts if the step fails, each for at most a minute.
        metadata: { retries: 2, timeout: 'PT1M' },
        interface: { inputs: variables(everyInput), outputs: variables(outputs) },
        container: {
          image: 'docker.io/library/node:20-slim',
          command: ['node', '{{.inputs.code}}', step],
          // For an input file, the placeholder becomes its path; for an output, the path to write it to.
          args: [
            ...Object.keys(everyInput)
              .filter((name) => name !== 'code')
              .map((name) => `--${name}={{.inputs.${name}}}`),
            ...Object.keys(outputs).map((name) => `--${name}={{.outputs.${name}}}`),
          ],
        },
      },
    };
  });
}

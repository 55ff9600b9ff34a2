/**
 *                  ┌─▶ train-naive-bayes ───▶ evaluate-naive-bayes ───┐
 * clean ──▶ split ─┼─▶ train-decision-tree ─▶ evaluate-decision-tree ─┼─▶ choose ──▶ report
 *                  └─▶ train-random-forest ─▶ evaluate-random-forest ─┘
 */
import { createHash } from 'node:crypto';
import { bundleSteps } from './bundle.ts';
import { Refusal, type SlipwayClient } from './client.ts';
import { readDataSet } from './data-set.ts';
import {
  type Binding,
  bindings,
  boolean,
  type EntityKey,
  file,
  float,
  input,
  integer,
  type LaunchPlanDocument,
  list,
  oneOf,
  output,
  struct,
  type TaskDocument,
  value,
  variables,
  type WorkflowDocument,
} from './documents.ts';
import type { Line } from './steps/clean.ts';
import { learnerNames } from './steps/learners.ts';
import { type TaskName, taskDocuments } from './tasks.ts';

export const project = 'penguins';
export const domain = 'development';

function workflowDocument(keyOf: (name: string) => EntityKey): WorkflowDocument {
  const node = (id: string, task: TaskName, inputs: Record<string, Binding>) => ({
    id,
    taskNode: { referenceId: keyOf(task) },
    inputs: bindings({ code: input('code'), ...inputs, pauseSeconds: input('pauseSeconds') }),
  });
  const evaluations = list(learnerNames.map((learner) => output(`evaluate-${learner}`, 'evaluation')));
  return {
    key: keyOf('species'),
    shortDescription: 'Which penguin is it? Three learners side by side; the best one is reported',
    template: {
      interface: {
        inputs: variables({
          code: file('mjs'),
          data: file('json'),
          seed: integer,
          testShare: float,
          shuffleLabels: boolean,
          pauseSeconds: float,
        }),
        outputs: variables({
          best: oneOf(learnerNames),
          accuracy: float,
          baseline: float,
          scores: struct,
          report: file('md'),
        }),
      },
      nodes: [
        node('clean', 'clean', { data: input('data') }),
        node('split', 'split', {
          penguins: output('clean', 'penguins'),
          seed: input('seed'),
          testShare: input('testShare'),
          shuffleLabels: input('shuffleLabels'),
        }),
        ...learnerNames.flatMap((learner) => [
          node(`train-${learner}`, 'train', {
            train: output('split', 'train'),
            learner: value(learner),
            seed: input('seed'),
          }),
          node(`evaluate-${learner}`, 'evaluate', {
            model: output(`train-${learner}`, 'model'),
            validation: output(`train-${learner}`, 'validation'),
            test: output('split', 'test'),
          }),
        ]),
        node('choose', 'choose', { evaluations }),
        node('report', 'report', {
          train: output('split', 'train'),
          test: output('split', 'test'),
          evaluations,
          best: output('choose', 'best'),
        }),
      ],
      outputs: bindings({
        best: output('choose', 'best'),
        accuracy: output('choose', 'accuracy'),
        baseline: output('report', 'baseline'),
        scores: output('choose', 'scores'),
        report: output('report', 'report'),
      }),
    },
  };
}

function launchPlanDocument(keyOf: (name: string) => EntityKey): LaunchPlanDocument {
  return {
    key: keyOf('species'),
    workflow: { key: keyOf('species') },
    requiredInputs: ['code', 'data'],
    defaultInputs: { seed: 7, testShare: 0.3, shuffleLabels: false, pauseSeconds: 0 },
  };
}

export interface PenguinDocuments {
  readonly tasks: readonly TaskDocument[];
  readonly workflow: WorkflowDocument;
  readonly launchPlan: LaunchPlanDocument;
}

const documentsOf = (version: string): PenguinDocuments => {
  const keyOf = (name: string) => ({ project, domain, name, version });
  return {
    tasks: taskDocuments(keyOf),
    workflow: workflowDocument(keyOf),
    launchPlan: launchPlanDocument(keyOf),
  };
};

/** Versions are immutable, so this one is named after its content: what is changed becomes another version. */
export const documents = documentsOf(
  createHash('sha256')
    .update(JSON.stringify(documentsOf('')))
    .digest('hex')
    .slice(0, 12),
);

/** Inputs of the launch plan, beside code and data. What is left out takes the plan's default. */
export interface PenguinInputs {
  /** Of the split, the cross-validation and the forest: 7. */
  readonly seed?: number;
  /** How much of the data is held out: 0.3. */
  readonly testShare?: number;
  /** Deals the species out anew before the split, so that accuracy falls to chance: false. */
  readonly shuffleLabels?: boolean;
  /**
   * How long every step sleeps before it works, for those who want to watch, or to break something in between: 0. The
   * minute that an attempt may take counts it in.
   */
  readonly pauseSeconds?: number;
}

export interface LaunchedExecution {
  readonly id: string;
  readonly name: string;
}

/** Registers project, tasks, workflow and launch plan. What is already stored, unchanged, is left alone. */
export async function registerPenguins(client: SlipwayClient): Promise<PenguinDocuments> {
  const register = async (mutation: string, inputType: string, document: object) => {
    const text = `mutation ($input: ${inputType}!) { result: ${mutation}(input: $input) { __typename ...Refused } }`;
    await client.change(text, document).catch((error: unknown) => {
      if (!(error instanceof Refusal && error.code === 'ALREADY_EXISTS')) throw error;
    });
  };
  await register('registerProject', 'RegisterProjectInput', { identifier: project, name: 'Penguins' });
  for (const task of documents.tasks) await register('createTask', 'CreateTaskInput', task);
  await register('createWorkflow', 'CreateWorkflowInput', documents.workflow);
  await register('createLaunchPlan', 'CreateLaunchPlanInput', documents.launchPlan);
  return documents;
}

const CREATE_EXECUTION = /* GraphQL */ `
  mutation ($input: CreateExecutionInput!) {
    result: createExecution(input: $input) {
      ... on CreateExecutionPayload { execution { id name } }
      ...Refused
    }
  }
`;

/** Sends code and data, and starts an execution of the registered launch plan. */
export async function launchPenguins(
  client: SlipwayClient,
  inputs: PenguinInputs = {},
  lines: readonly Line[] = readDataSet(),
): Promise<LaunchedExecution> {
  const [code, data] = await Promise.all([
    client.upload(project, await bundleSteps()),
    client.upload(project, Buffer.from(JSON.stringify(lines))),
  ]);
  const { execution } = await client.change<{ execution: LaunchedExecution }>(CREATE_EXECUTION, {
    project,
    domain,
    launchPlan: { key: documents.launchPlan.key },
    inputs: { code, data, ...inputs },
  });
  return execution;
}

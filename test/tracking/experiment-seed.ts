/** Experiments and runs as their owner makes them. */
import { expect } from 'vitest';
import type { App } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';

export const experimentFields =
  'experiment { id name projectIdentifier description stage publicAt tags { key value } }';

export async function makeExperiment(
  app: App,
  project: string,
  name: string,
  authorization?: string,
): Promise<string> {
  const made = await mutate(app, 'createExperiment', { project, name }, 'experiment { id }', authorization);
  expect(made).toMatchObject({ __typename: 'CreateExperimentPayload' });
  return made.experiment.id;
}

export async function makeRun(
  app: App,
  experimentId: string,
  more: object = {},
  authorization?: string,
): Promise<string> {
  const input = { experiment: { id: experimentId }, ...more };
  const made = await mutate(app, 'createRun', input, 'run { id }', authorization);
  expect(made).toMatchObject({ __typename: 'CreateRunPayload' });
  return made.run.id;
}

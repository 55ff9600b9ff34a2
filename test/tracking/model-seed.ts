/** Registered models and their versions as their owner makes them. */
import { expect } from 'vitest';
import type { Answer, App } from '../support/app.ts';
import { make, mutate } from '../support/mutate.ts';

export const modelFields =
  'registeredModel { id name projectIdentifier description stage deletedAt publicAt tags { key value } }';
export const source = 's3://models/one';

export const makeModel = (app: App, project: string, name: string, authorization?: string): Promise<string> =>
  make(app, 'createRegisteredModel', { project, name }, 'registeredModel', authorization);

export async function makeVersion(
  app: App,
  modelId: string,
  more: object = {},
  authorization?: string,
): Promise<Answer> {
  const input = { model: { id: modelId }, source, ...more };
  const made = await mutate(app, 'createModelVersion', input, 'modelVersion { id version }', authorization);
  expect(made).toMatchObject({ __typename: 'CreateModelVersionPayload' });
  return made.modelVersion;
}

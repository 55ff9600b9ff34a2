import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, startApp } from '../support/app.ts';
import { registerProject } from '../support/seed.ts';

let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
});
afterAll(() => app.stop());

const makesExperiment = (project: string, name: string) =>
  `createExperiment(input: { project: "${project}", name: "${name}" }) {
     __typename ... on CreateExperimentPayload { experiment { name } } ... on Error { code } }`;

describe('the fields of one mutation', () => {
  it('see an object that a field before them created, though one before that found it absent', async () => {
    const { data, errors } = await app.ask(`mutation {
      before: ${makesExperiment('later', 'first')}
      registerProject(input: { identifier: "later", name: "later" }) { __typename }
      after: ${makesExperiment('later', 'second')}
    }`);
    expect(errors).toMatchObject([{ path: ['before'], extensions: { code: 'NOT_FOUND' } }]);
    expect(data).toMatchObject({
      registerProject: { __typename: 'RegisterProjectPayload' },
      after: { experiment: { name: 'second' } },
    });
  });

  it('show an object as the field before them left it', async () => {
    await registerProject(app, 'same');
    const { data } = await app.ask(`mutation {
      ${makesExperiment('same', 'old')}
      updateExperiment(input: { by: { key: { project: "same", name: "old" } }, name: "new" }) { __typename }
      deleteExperiment(input: { by: { key: { project: "same", name: "new" } } }) {
        ... on DeleteExperimentPayload { experiment { name } } }
    }`);
    expect(data.deleteExperiment).toEqual({ experiment: { name: 'new' } });
  });
});

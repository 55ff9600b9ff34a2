/** The largest values that are accepted, and the smallest that are refused. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { modelNameProblems } from '../../src/tracking/domain/model-texts.ts';
import { generatedRunName } from '../../src/tracking/domain/run-name.ts';
import { type App, startApp } from '../support/app.ts';
import { endOf, mutate } from '../support/mutate.ts';
import { registerProject } from '../support/seed.ts';
import { makeExperiment, makeRun } from './experiment-seed.ts';
import { makeModel, makeVersion, source } from './model-seed.ts';

const project = 'limits';
let app: App;
let experiment: { id: string };
let run: { id: string };
let model: { id: string };
let version: { id: string };
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await registerProject(app, project);
  experiment = { id: await makeExperiment(app, project, 'trial') };
  run = { id: await makeRun(app, experiment.id) };
  model = { id: await makeModel(app, project, 'finch') };
  version = { id: (await makeVersion(app, model.id)).id };
});
afterAll(() => app.stop());

let made = 0;
const inputs: Readonly<Record<string, () => object>> = {
  createExperiment: () => ({ project, name: `made ${++made}` }),
  updateExperiment: () => ({ by: experiment }),
  updateExperimentTags: () => ({ by: experiment }),
  createRun: () => ({ experiment }),
  updateRunTags: () => ({ by: run }),
  createRegisteredModel: () => ({ project, name: `made ${++made}` }),
  updateRegisteredModel: () => ({ by: model }),
  updateRegisteredModelTags: () => ({ by: model }),
  createModelVersion: () => ({ model, source }),
  updateModelVersion: () => ({ by: version }),
  updateModelVersionTags: () => ({ by: version }),
  updateModelAlias: () => ({ model, version: 1 }),
};

const tag = (key: number, value: number) => ({
  tags: [{ key: 'k'.repeat(key), value: 'v'.repeat(value) }],
});
const address = (length: number) => ({ source: 's3://'.padEnd(length, 'x') });
const description = (length: number) => ({ description: 'x'.repeat(length) });
const alias = (length: number) => ({ alias: 'x'.repeat(length) });

describe.each([
  ...Object.keys(inputs)
    .filter((field) => !/Alias|^update(Experiment|RegisteredModel|ModelVersion)$/.test(field))
    .flatMap((field) => [
      [field, 'keys of tags of 250 characters', tag(250, 1), tag(251, 1)] as const,
      [field, 'values of tags of 5000 characters', tag(1, 5000), tag(1, 5001)] as const,
    ]),
  ...[
    ...['createExperiment', 'updateExperiment', 'createRegisteredModel', 'updateRegisteredModel'],
    ...['createModelVersion', 'updateModelVersion'],
  ].map((field) => [field, 'descriptions of 5000 characters', description(5000), description(5001)] as const),
  ['createModelVersion', 'addresses of 2048 characters', address(2048), address(2049)] as const,
  ['updateModelAlias', 'aliases of 255 characters', alias(255), alias(256)] as const,
])('%s', (field, what, largest, tooLarge) => {
  it(`accepts ${what}, and refuses longer ones`, async () => {
    const ask = (more: object) => mutate(app, field, { ...inputs[field]?.(), ...more });
    expect(endOf(await ask(largest))).toBe('OK');
    const { problems } = await ask(tooLarge);
    expect(problems).toMatchObject([{ code: 'InvalidValue' }]);
    expect(problems[0].path.slice(0, 2)).toEqual(['input', ...Object.keys(tooLarge)]);
  });
});

describe('deleteModelAlias', () => {
  it('quotes at most 100 characters of an alias that does not exist', async () => {
    const { message } = await mutate(app, 'deleteModelAlias', { model, alias: 'y'.repeat(101) });
    expect(message).toBe(`alias ${'y'.repeat(100)} not found`);
  });
});

describe('the name of a model', () => {
  const messages = (name: string) => modelNameProblems(name).map(({ message }) => message);

  it.each([
    ['finch', []],
    ['a/b', ['the name of a model must not contain a slash or a colon']],
    ['a:b', ['the name of a model must not contain a slash or a colon']],
    ['/'.repeat(256), ['must have at most 255 characters']],
  ])('has at most one problem, first that of any name: %#', (name, expected) => {
    expect(messages(name)).toEqual(expected);
  });
});

describe('the name that the server chooses for a run', () => {
  it('has 8 digits and letters, in lower case', () => {
    const names = Array.from({ length: 1000 }, generatedRunName);
    expect(names.filter((name) => !/^run-[a-z0-9]{8}$/.test(name))).toEqual([]);
    expect(new Set(names).size).toBe(names.length);
  });
});

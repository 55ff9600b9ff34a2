/** Every update answers the same when its input names nothing to change. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, startApp } from '../support/app.ts';
import { make, mutate } from '../support/mutate.ts';
import { createUser } from '../support/people.ts';
import { registerProject } from '../support/seed.ts';
import { makeExperiment, makeRun } from '../tracking/experiment-seed.ts';
import { makeModel, makeVersion } from '../tracking/model-seed.ts';

const project = 'steady';
let app: App;
let ids: { experiment: string; run: string; model: string; version: string; user: string };
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await registerProject(app, project);
  const experiment = await makeExperiment(app, project, 'still');
  const run = await makeRun(app, experiment);
  const model = await makeModel(app, project, 'still');
  const version = (await makeVersion(app, model)).id;
  await make(app, 'createGroup', { name: 'still' }, 'group');
  const user = (await createUser(app, { username: 'still' })).user;
  ids = { experiment, run, model, version, user: user.id };
});
afterAll(() => app.stop());

const by = (kind: keyof typeof ids) => ({ by: { id: ids[kind] } });
const group = { by: { name: 'still' } };

const inputs: Readonly<Record<string, () => object>> = {
  updateExperiment: () => by('experiment'),
  updateExperimentTags: () => ({ ...by('experiment'), tags: [] }),
  deleteExperimentTags: () => ({ ...by('experiment'), keys: [] }),
  updateRun: () => ({ ...by('run') }),
  updateRunTags: () => ({ ...by('run'), tags: [] }),
  deleteRunTags: () => ({ ...by('run'), keys: [] }),
  updateRegisteredModel: () => by('model'),
  updateRegisteredModelTags: () => ({ ...by('model'), tags: [] }),
  deleteRegisteredModelTags: () => ({ ...by('model'), keys: [] }),
  updateModelVersion: () => by('version'),
  updateModelVersionTags: () => ({ ...by('version'), tags: [] }),
  deleteModelVersionTags: () => ({ ...by('version'), keys: [] }),
  editUser: () => by('user'),
  updatePreferences: () => ({ preferences: {} }),
  updateTenant: () => ({}),
  updateGroup: () => group,
  addGroupMembers: () => ({ ...group, members: [] }),
  removeGroupMembers: () => ({ ...group, members: [] }),
};

describe('an update without changes', () => {
  it.each(Object.entries(inputs))('is an error of the input: %s', async (field, input) => {
    expect(await mutate(app, field, input())).toEqual({
      __typename: 'InvalidArgumentError',
      code: 'INVALID_ARGUMENT',
      message: 'no changes given',
      path: ['input'],
      problems: [{ path: ['input'], code: 'MissingField', message: 'no changes given' }],
    });
  });
});

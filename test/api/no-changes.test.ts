/** All updates give the same answer if their input has no changes. */
import { getNamedType, isInputObjectType, isRequiredInputField } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { schema } from '../../src/api/schema.ts';
import { type App, startApp } from '../support/app.ts';
import { make, mutate } from '../support/mutate.ts';
import { createUser } from '../support/people.ts';
import { expectRowForEach } from '../support/rows.ts';
import { domain, registerProject, registerTask } from '../support/seed.ts';
import { makeExperiment, makeRun } from '../tracking/experiment-seed.ts';
import { makeModel, makeVersion } from '../tracking/model-seed.ts';

const project = 'steady';
let app: App;
let ids: { experiment: string; run: string; model: string; version: string; user: string };
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await registerProject(app, project);
  await registerTask(app, project, 'still');
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
  updateProject: () => ({ by: { identifier: project } }),
  updateNamedEntity: () => ({ by: { key: { type: 'TASK', project, domain, name: 'still' } } }),
  updateTenant: () => ({}),
  updateGroup: () => group,
  addGroupMembers: () => ({ ...group, members: [] }),
  removeGroupMembers: () => ({ ...group, members: [] }),
};

/** Mutations that change an object, and whose input has nothing that must be given beside its address. */
const updates = Object.values(schema.getMutationType()?.getFields() ?? {})
  .filter(({ name, args }) => {
    const input = args[0] && getNamedType(args[0].type);
    if (!/^(update|edit)/.test(name) || !isInputObjectType(input)) return false;
    const changes = Object.values(input.getFields()).filter((field) => field.name !== 'by');
    return changes.every((field) => !isRequiredInputField(field));
  })
  .map(({ name }) => name);

describe('an update without changes', () => {
  it('is tested for every update', () => {
    const rows = Object.keys(inputs).filter((name) => updates.includes(name));
    // Without a label, `editCredentials` removes the label: that is a change.
    const others = updates.filter((name) => name !== 'editCredentials');
    expectRowForEach(others, rows, '`inputs` in test/api/no-changes.test.ts');
  });

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

/** The parts of a key: each of them tells versions apart, and a new version needs all of them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { readDescriptions } from '../../src/registry/store/descriptions.ts';
import { readNamedEntities } from '../../src/registry/store/named-entities.ts';
import { readWorkflowNames } from '../../src/registry/store.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { endOf, mutate } from '../support/mutate.ts';
import {
  createLaunchPlan,
  createTask,
  createWorkflow,
  domain,
  keyOf,
  registerProject,
  registerTask,
  taskInput,
  workflowInput,
} from '../support/seed.ts';
import { countRows } from '../support/statements.ts';
import { newCaller } from '../support/users.ts';

const project = 'here';
let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  for (const identifier of [project, 'there', 'archived']) await registerProject(app, identifier);
  await db.project.updateMany({ where: { identifier: 'archived' }, data: { state: 'ARCHIVED' } });
  await registerTask(app, project, 'double');
});
afterAll(() => app.stop());

/** A key, and one for each part that has only this part in another way. */
const base = keyOf(project, 'one');
const keys = [
  base,
  { ...base, project: 'there' },
  { ...base, domain: 'staging' },
  { ...base, name: 'other' },
  { ...base, version: 'v2' },
];

/** An input that is valid but for its key. */
const inputs = {
  createTask: (key: object) => ({ ...taskInput(project, 'x'), key, description: { tags: ['described'] } }),
  createWorkflow: (key: object) => ({
    ...workflowInput(project, 'x', { a: [] }, { taskProject: project }),
    key,
    description: { tags: ['described'] },
  }),
  createLaunchPlan: (key: object) => ({ key, workflow: { key: base } }),
};
const fields = Object.keys(inputs) as (keyof typeof inputs)[];
const create = { createTask, createWorkflow, createLaunchPlan };

describe('versions whose keys differ in one part', () => {
  const ids: Record<string, string[]> = {};
  beforeAll(async () => {
    for (const [field, noun] of [
      ['createTask', 'task'],
      ['createWorkflow', 'workflow'],
      ['createLaunchPlan', 'launchPlan'],
    ] as const)
      for (const key of keys) {
        const made = await create[field](app, inputs[field](key));
        expect(made, JSON.stringify(made)).toHaveProperty(noun);
        ids[noun] = [...(ids[noun] ?? []), made[noun].id];
      }
  });

  it.each(['task', 'workflow', 'launchPlan'])('are different versions: %s', async (noun) => {
    const type = `${noun.charAt(0).toUpperCase()}${noun.slice(1)}ByInput`;
    for (const [at, key] of keys.entries()) {
      const { data } = await app.ask(`query ($by: ${type}!) { ${noun}(by: $by) { id } }`, { by: { key } });
      expect(data[noun]).toEqual({ id: ids[noun]?.[at] });
    }
  });

  it('are versions of one workflow only if project, domain and name are equal', async () => {
    const rows = await db.workflow.findMany({ where: { id: { in: ids['workflow'] ?? [] } } });
    const entities = (ids['workflow'] ?? []).map((id) => rows.find((row) => row.id === id)?.entityId);
    expect(entities[4]).toBe(entities[0]);
    expect(new Set(entities).size).toBe(4);
    const { id: tenantId } = await db.tenant.findFirstOrThrow();
    const names = await readWorkflowNames(
      tenantId,
      keys.map((key) => ({ key })),
    );
    expect(names.map((name) => name?.id)).toEqual(entities);
    for (const [at, key] of keys.entries()) {
      await createWorkflow(app, inputs.createWorkflow({ ...key, version: 'v3' }));
      const where = {
        domain: key.domain,
        name: key.name,
        version: 'v3',
        project: { identifier: key.project },
      };
      expect((await db.workflow.findFirstOrThrow({ where })).entityId).toBe(entities[at]);
    }
  });

  it('have names and descriptions of their own, of which no other rows are read', async () => {
    const { id: tenantId } = await db.tenant.findFirstOrThrow();
    const everybody = { role: 'ADMIN', defaultLevel: 'READ', groupIds: [], confinedTo: null } as const;
    const reader = { tenantId, userId: newId(), ...everybody };
    const type = 'TASK' as const;
    for (const { version, ...name } of keys) {
      const key = { type, ...name, version };
      const reads = [
        [name, () => readWorkflowNames(tenantId, [{ key: name }])],
        [{ type, ...name }, () => readNamedEntities(reader, [{ key: { type, ...name } }])],
        [key, () => readDescriptions(tenantId, [{ key }])],
      ] as const;
      for (const [expected, read] of reads) {
        const { result, rows } = await countRows<readonly unknown[]>(read);
        expect(result).toMatchObject([expected]);
        expect(rows).toBe(1);
      }
    }
  });

  it('are all active if their names differ, and found by their names', async () => {
    const names = keys.slice(0, 4);
    for (const key of names) await mutate(app, 'updateLaunchPlan', { by: { key }, state: 'ACTIVE' });
    for (const [at, { version: _, ...key }] of names.entries()) {
      const { data } = await app.ask(
        'query ($key: EntityNameInput!) { activeLaunchPlan(key: $key) { id } }',
        { key },
      );
      expect(data.activeLaunchPlan).toEqual({ id: ids['launchPlan']?.[at] });
    }
    await mutate(app, 'updateLaunchPlan', { by: { key: keys[4] }, state: 'ACTIVE' });
    const active = await db.launchPlan.findMany({ where: { state: 'ACTIVE' }, orderBy: { id: 'asc' } });
    expect(active.map(({ id }) => id)).toEqual(ids['launchPlan']?.slice(1));
  });

  it('need a level of their own: EDIT on a workflow is not EDIT on one with another domain or name', async () => {
    const alone = await registerProject(app, 'alone');
    const key = keyOf('alone', 'single');
    // A task of the same name, which is older, has no part in it.
    await createTask(app, inputs.createTask(key));
    await createWorkflow(app, inputs.createWorkflow(key));
    const { id } = await db.namedEntity.findFirstOrThrow({ where: { projectId: alone, type: 'WORKFLOW' } });
    const maker = await newCaller({ role: 'USER', grants: [{ type: 'WORKFLOW', id, level: 'EDIT' }] });
    const register = async (more: object): Promise<Answer> =>
      await mutate(app, 'createWorkflow', inputs.createWorkflow({ ...key, ...more }), '', maker);
    expect(await register({ version: 'v2' })).toMatchObject({
      problems: [{ code: 'TaskReferenceNotFound' }],
    });
    for (const more of [{ domain: 'staging' }, { name: 'fresh' }])
      expect(await register(more)).toMatchObject({ message: 'requires EDIT on project alone' });
  });
});

describe.each(fields)('%s', (field) => {
  const ask = async (key: object) => await create[field](app, inputs[field](key));

  it.each([
    ['an empty domain', { domain: '' }, 'domain', 'missing domain'],
    ['an empty name', { name: '' }, 'name', 'missing name'],
    ['an empty version', { version: '' }, 'version', 'missing version'],
    ['a long name', { name: 'n'.repeat(256) }, 'name', 'must have at most 255 characters'],
    ['a long version', { version: 'v'.repeat(256) }, 'version', 'must have at most 255 characters'],
    ['an unknown domain', { domain: 'moon' }, 'domain', 'domain moon does not exist'],
    ['an archived project', { project: 'archived' }, 'project', expect.stringContaining('archived')],
  ])('refuses %s', async (_what, more, part, message) => {
    const { problems } = await ask({ ...base, name: 'refused', ...more });
    expect(problems).toMatchObject([{ path: ['input', 'key', part], message }]);
  });

  it('accepts names and versions of 255 characters', async () => {
    const long = `${field}-`.padEnd(255, 'n');
    expect(endOf(await ask({ ...base, name: long, version: long }))).toBe('OK');
  });
});

describe('createLaunchPlan', () => {
  it('names the part that is missing in the key of its workflow', async () => {
    const workflow = { key: { ...base, name: '' } };
    expect(await createLaunchPlan(app, { key: keyOf(project, 'lost'), workflow })).toMatchObject({
      problems: [{ path: ['input', 'workflow', 'key', 'name'], code: 'MissingField' }],
    });
  });

  it('treats the workflow of another project as another one, although it is equal', async () => {
    const key = keyOf(project, 'moved');
    expect(endOf(await createLaunchPlan(app, { key, workflow: { key: base } }))).toBe('OK');
    const answer = await createLaunchPlan(app, { key, workflow: { key: { ...base, project: 'there' } } });
    expect(answer).toMatchObject({ __typename: 'DifferentStructureError', code: 'INVALID_ARGUMENT' });
    expect(answer.differences).toContainEqual({
      path: ['workflowId', 'project'],
      oldValue: '"here"',
      newValue: '"there"',
    });
  });
});

describe('what authors write for people', () => {
  const shortDescription = 's'.repeat(300);
  it.each([
    ['createTask', 'task'],
    ['createWorkflow', 'workflow'],
  ] as const)('is kept, and has at most 300 characters: %s', async (field, noun) => {
    const input = { ...inputs[field](keyOf(project, 'described')), shortDescription };
    const selected = `${noun} { shortDescription interface { inputs { name description } } }`;
    const { template } = input;
    const described = {
      ...input,
      template: {
        ...template,
        interface: {
          ...template.interface,
          inputs: template.interface.inputs.map((one: object) => ({ ...one, description: 'how many' })),
        },
      },
    };
    expect((await mutate(app, field, described, selected))[noun]).toEqual({
      shortDescription,
      interface: { inputs: [{ name: 'x', description: 'how many' }] },
    });
    const key = keyOf(project, 'wordy');
    expect(
      await create[field](app, { ...input, key, shortDescription: `${shortDescription}s` }),
    ).toMatchObject({
      path: ['input', 'shortDescription'],
      message: 'must have at most 300 characters',
    });
  });

  it('is kept for a node: how often it is tried, and how long', async () => {
    const input = inputs.createWorkflow(keyOf(project, 'patient'));
    const metadata = { timeout: 'PT90S', retries: 2, name: 'the step' };
    const nodes = input.template.nodes.map((node) => ({ ...node, metadata }));
    const made = await mutate(
      app,
      'createWorkflow',
      { ...input, template: { ...input.template, nodes } },
      'workflow { closure }',
    );
    expect(made.workflow.closure.primary.template.nodes).toMatchObject([
      { metadata: { ...metadata, timeout: 'PT1M30S' } },
    ]);
  });
});

it('the lists of one domain have no versions of another', async () => {
  const { data } = await app.ask(
    `query ($filter: TaskFilterInput!) { tasks(filter: $filter) { edges { node { domain name } } } }`,
    { filter: { project, domain, name: 'one' } },
  );
  expect(data.tasks.edges).toEqual([1, 2].map(() => ({ node: { domain, name: 'one' } })));
});

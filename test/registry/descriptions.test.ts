/** What versions of tasks and workflows say about themselves. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import {
  createTask,
  createWorkflow,
  domain,
  registerProject,
  registerTask,
  taskInput,
  workflowInput,
} from '../support/seed.ts';
import { statementsOf } from '../support/statements.ts';
import { grant, newCaller } from '../support/users.ts';

const project = 'described';
let app: App;
let projectId: string;

const full = {
  shortDescription: 'Doubles a number.',
  longDescription: { value: '# Doubles', format: 'MARKDOWN', iconLink: 'https://example.com/icon.svg' },
  sourceCode: { link: 'https://example.com/double.py' },
  tags: ['numbers', 'simple'],
};

beforeAll(async () => {
  app = await startApp({ scheduler: false });
  projectId = await registerProject(app, project);
  await createTask(app, { ...taskInput(project, 'double'), description: full });
  await registerTask(app, project, 'plain');
  const workflow = workflowInput(project, 'chain', { a: [] });
  const longDescription = { uri: 's3://docs/chain.rst', format: 'RST' };
  expect(await createWorkflow(app, { ...workflow, description: { longDescription } })).toMatchObject({
    __typename: 'CreateWorkflowPayload',
  });
});
afterAll(() => app.stop());

const selected = `type projectIdentifier domain name version shortDescription
  longDescription { value uri format iconLink } sourceCode { link } tags`;
const place = `project: "${project}", domain: "${domain}"`;
const versionKey = (name: string) => `key: { ${place}, name: "${name}", version: "v1" }`;
const lookUp = (type: string, name: string, caller?: string) =>
  app.ask(
    `{ descriptionEntity(by: { ${versionKey(name).replace('{', `{ type: ${type},`)} }) { id ${selected} } }`,
    {},
    caller,
  );
const expected = {
  ...{ type: 'TASK', projectIdentifier: project, domain, name: 'double', version: 'v1' },
  ...full,
  longDescription: { ...full.longDescription, uri: null },
};

/** `path message` of each problem. */
const problems = (answer: Answer) =>
  answer.problems.map(({ path, message }: Answer) => `${path.slice(1).join('.')} ${message}`);
const refusedBy = async (description: object, more: object = {}) =>
  problems(await createTask(app, { ...taskInput(project, `wrong-${newId()}`), description, ...more }));

describe('a description', () => {
  it('is read by its key, by its id, and on its version', async () => {
    const { data } = await lookUp('TASK', 'double');
    expect(data.descriptionEntity).toMatchObject(expected);
    const { id } = data.descriptionEntity;
    const all = await app.ask(`{
      byId: descriptionEntity(by: { id: "${id}" }) { ${selected} }
      node(id: "${id}") { ... on DescriptionEntity { ${selected} } }
      task(by: { ${versionKey('double')} }) { shortDescription description { ${selected} } }
    }`);
    expect(all.data).toEqual({
      ...{ byId: expected, node: expected },
      task: { shortDescription: full.shortDescription, description: expected },
    });
  });

  it('of a workflow may be behind a URI', async () => {
    const { data } = await app.ask(
      `{ workflow(by: { ${versionKey('chain')} }) { shortDescription description { ${selected} } } }`,
    );
    expect(data.workflow).toEqual({
      shortDescription: '',
      description: {
        ...{ type: 'WORKFLOW', projectIdentifier: project, domain, name: 'chain', version: 'v1' },
        longDescription: { value: null, uri: 's3://docs/chain.rst', format: 'RST', iconLink: '' },
        ...{ shortDescription: '', sourceCode: null, tags: [] },
      },
    });
  });

  it('is null for a version without one, and NOT_FOUND by its key', async () => {
    const { data } = await app.ask(`{ task(by: { ${versionKey('plain')} }) { description { id } } }`);
    expect(data.task).toEqual({ description: null });
    for (const [type, name] of [
      ['TASK', 'plain'],
      ['WORKFLOW', 'double'],
      ['TASK', 'absent'],
    ] as const) {
      const { errors } = await lookUp(type, name);
      expect(errors?.[0]?.extensions.code).toBe('NOT_FOUND');
    }
  });

  it('has the short description of its version, wherever that is given', async () => {
    const shortDescription = 'Given once.';
    await createTask(app, { ...taskInput(project, 'once'), shortDescription, description: { tags: ['a'] } });
    const same = { shortDescription, description: { shortDescription } };
    expect(await createTask(app, { ...taskInput(project, 'twice'), ...same })).toMatchObject({
      __typename: 'CreateTaskPayload',
    });
    for (const name of ['once', 'twice']) {
      const { data } = await app.ask(
        `{ task(by: { ${versionKey(name)} }) { shortDescription description { shortDescription } } }`,
      );
      expect(data.task).toEqual({ shortDescription, description: { shortDescription } });
    }
    expect(await refusedBy({ shortDescription: 'Other.' }, { shortDescription })).toEqual([
      'description.shortDescription must be the same as the short description of the version',
    ]);
  });

  it('is limited, and all faults are told together', async () => {
    const fits = {
      shortDescription: 'x'.repeat(300),
      longDescription: { value: 'é'.repeat(2048), iconLink: 'x'.repeat(2048) },
      sourceCode: { link: 'x'.repeat(2048) },
      tags: Array.from({ length: 16 }, () => 'x'.repeat(63)),
    };
    expect(await createTask(app, { ...taskInput(project, 'large'), description: fits })).toMatchObject({
      __typename: 'CreateTaskPayload',
    });
    const tooLarge = {
      shortDescription: 'x'.repeat(301),
      longDescription: { value: `${'é'.repeat(2048)}x`, iconLink: 'x'.repeat(2049) },
      sourceCode: { link: 'x'.repeat(2049) },
      tags: ['', 'x'.repeat(64)],
    };
    expect(await refusedBy(tooLarge)).toEqual([
      'description.shortDescription must have at most 300 characters',
      'description.longDescription.iconLink must have at most 2048 characters',
      'description.longDescription.value must have at most 4096 bytes; store a longer text elsewhere and give its uri',
      'description.sourceCode.link must have at most 2048 characters',
      'description.tags.0 must have 1 to 63 characters',
      'description.tags.1 must have 1 to 63 characters',
    ]);
    expect(await refusedBy({ longDescription: { uri: 'x'.repeat(2049) } })).toEqual([
      'description.longDescription.uri must have at most 2048 characters',
    ]);
    expect(await refusedBy({ tags: Array.from({ length: 17 }, () => 'x') })).toEqual([
      'description.tags must have at most 16 tags',
    ]);
  });

  it.each([
    ['neither', {}],
    ['both', { value: 'text', uri: 's3://docs/text' }],
  ])('needs the long text or its URI, and refuses %s', async (_given, longDescription) => {
    expect(await refusedBy({ longDescription })).toEqual([
      'description.longDescription give either value or uri',
    ]);
  });

  it('is not compared when the version is registered again, and does not change', async () => {
    const again = { ...taskInput(project, 'double'), description: { tags: ['other'] } };
    expect(await createTask(app, again)).toMatchObject({ code: 'ALREADY_EXISTS' });
    expect((await lookUp('TASK', 'double')).data.descriptionEntity.tags).toEqual(full.tags);
  });

  it('is not stored if its version is refused', async () => {
    const before = await db.descriptionEntity.count();
    const wrong = { ...taskInput(project, 'never'), description: full };
    await createTask(app, { ...wrong, template: { ...wrong.template, metadata: { retries: 11 } } });
    expect(await db.descriptionEntity.count()).toBe(before);
  });

  it('follows the grants on its workflow, then those on its project', async () => {
    const reader = await newCaller({ grants: [{ type: 'PROJECT', id: projectId, level: 'READ' }] });
    const { entityId } = await db.workflow.findFirstOrThrow({ where: { name: 'chain' } });
    await grant(reader, 'WORKFLOW', entityId, 'NO_PERMISSIONS');
    expect((await lookUp('TASK', 'double', reader)).data.descriptionEntity).not.toBeNull();
    expect((await lookUp('WORKFLOW', 'chain', reader)).errors?.[0]?.extensions.code).toBe('NOT_FOUND');
    const owner = await newCaller();
    await grant(owner, 'WORKFLOW', entityId, 'READ');
    expect((await lookUp('TASK', 'double', owner)).errors?.[0]?.extensions.code).toBe('NOT_FOUND');
    expect((await lookUp('WORKFLOW', 'chain', owner)).data.descriptionEntity).not.toBeNull();
  });

  it('is null on its version if the scopes of the caller do not include it', async () => {
    const narrow = await newCaller({ role: 'ADMIN', scopes: ['task:read'] });
    const { data } = await app.ask(
      `{ task(by: { ${versionKey('double')} }) { shortDescription description { id } } }`,
      {},
      narrow,
    );
    expect(data.task).toEqual({ shortDescription: full.shortDescription, description: null });
  });
});

describe('descriptionEntities', () => {
  const list = async (filter: string, caller?: string) => {
    const { data, errors } = await app.ask(
      `{ descriptionEntities(filter: { ${place}, ${filter} }) { totalCount nodes { name } } }`,
      {},
      caller,
    );
    expect(errors).toBeUndefined();
    const found = data.descriptionEntities.nodes.map(({ name }: Answer) => name);
    expect(data.descriptionEntities.totalCount).toBe(found.length);
    return found;
  };

  it('lists the descriptions of one type, newest first, and of one name', async () => {
    const other = taskInput(project, 'double', { version: 'v2', retries: 1 });
    await createTask(app, { ...other, description: full });
    const all = await list('type: TASK');
    expect(all[0]).toBe('double');
    expect(all.at(-1)).toBe('double');
    expect(all).not.toContain('plain');
    expect(await list('type: TASK, name: "double"')).toEqual(['double', 'double']);
    expect(await list('type: WORKFLOW')).toEqual(['chain']);
  });

  it('leaves out what the caller may not read', async () => {
    const reader = await newCaller({ grants: [{ type: 'PROJECT', id: projectId, level: 'READ' }] });
    const { entityId } = await db.workflow.findFirstOrThrow({ where: { name: 'chain' } });
    await grant(reader, 'WORKFLOW', entityId, 'NO_PERMISSIONS');
    expect(await list('type: WORKFLOW', reader)).toEqual([]);
    expect(await list('type: TASK, name: "once"', reader)).toEqual(['once']);
  });

  it('and the descriptions of a list take the same statements for 1 object and for 50', async () => {
    for (let at = 0; at < 50; at += 1)
      await createTask(app, { ...taskInput(project, `many-${at}`), description: full });
    for (const [field, type, fields] of [
      ['descriptionEntities', 'type: TASK,', 'tags longDescription { value }'],
      ['tasks', '', 'description { tags }'],
    ]) {
      const cost = async (first: number) => {
        const ask = () =>
          app.ask(`{ ${field}(filter: { ${type} ${place} }, first: ${first}) { nodes { ${fields} } } }`);
        await ask();
        const { result, statements } = await statementsOf(ask);
        expect(result.data[field ?? ''].nodes).toHaveLength(first);
        return statements.length;
      };
      expect(await cost(50)).toBe(await cost(1));
    }
  });
});

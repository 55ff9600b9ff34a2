/** The names of tasks, workflows and launch plans: who sees them, how lists find them, and how they change. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import {
  createLaunchPlan,
  domain,
  keyOf,
  registerProject,
  registerTask,
  registerWorkflow,
} from '../support/seed.ts';
import { statementsOf } from '../support/statements.ts';
import { grant, newCaller } from '../support/users.ts';
import { overtaken } from '../support/waiting.ts';

const project = 'named';
let app: App;
let projectId: string;

beforeAll(async () => {
  app = await startApp({ scheduler: false });
  projectId = await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerTask(app, project, 'double', { version: 'v2' });
  await registerTask(app, project, 'halve');
  await registerWorkflow(app, project, 'open', { a: [] });
  await registerWorkflow(app, project, 'secret', { a: [] });
  await plan('mixed', 'v1', 'secret');
  await plan('mixed', 'v2', 'open');
});
afterAll(() => app.stop());

async function plan(name: string, version: string, workflow: string) {
  const made = await createLaunchPlan(app, {
    key: keyOf(project, name, version),
    workflow: { key: keyOf(project, workflow) },
  });
  expect(made).toMatchObject({ __typename: 'CreateLaunchPlanPayload' });
}

const idOf = async (type: 'TASK' | 'WORKFLOW' | 'LAUNCH_PLAN', name: string) =>
  (await db.namedEntity.findFirstOrThrow({ where: { projectId, type, name } })).id;

const place = `project: "${project}", domain: "${domain}"`;
const keyText = (type: string, name: string) => `{ key: { type: ${type}, ${place}, name: "${name}" } }`;

async function names(field: string, filter = '', more = '', caller?: string) {
  const { data, errors } = await app.ask(
    `{ list: ${field}(filter: { ${place} ${filter} } ${more}) { totalCount nodes { name } } }`,
    {},
    caller,
  );
  expect(errors).toBeUndefined();
  const found = data.list.nodes.map(({ name }: Answer) => name);
  expect(data.list.totalCount).toBe(found.length);
  return found as string[];
}
const entities = (type: string, filter = '', more = '', caller?: string) =>
  names('namedEntities', `, type: ${type} ${filter}`, more, caller);

const entity = (by: string, selected: string, caller?: string) =>
  app.ask(`{ namedEntity(by: ${by}) { ${selected} } }`, {}, caller);

const key = (type: string, name: string) => ({ key: { type, project, domain, name } });
const update = (by: object, changes: object, caller?: string) =>
  mutate(
    app,
    'updateNamedEntity',
    { by, ...changes },
    'namedEntity { description state updatedAt createdAt }',
    caller,
  );

/** A reader of the project who may not read the workflow `secret`. */
async function outsider(level: 'READ' | 'EDIT' = 'READ') {
  const caller = await newCaller({ grants: [{ type: 'PROJECT', id: projectId, level }] });
  await grant(caller, 'WORKFLOW', await idOf('WORKFLOW', 'secret'), 'NO_PERMISSIONS');
  return caller;
}

describe('taskIds, workflowIds and launchPlanIds', () => {
  it('list each name once, with its project and domain', async () => {
    const { data } = await app.ask(
      `{ taskIds(filter: { ${place} }, orderBy: NAME) { nodes { project domain name } } }`,
    );
    expect(data.taskIds.nodes).toEqual([
      { project, domain, name: 'double' },
      { project, domain, name: 'halve' },
    ]);
  });

  it.each([
    ['NEWEST', ['mixed', 'secret', 'open']],
    ['OLDEST', ['open', 'secret', 'mixed']],
    ['NAME', ['mixed', 'open', 'secret']],
    ['NAME_DESCENDING', ['secret', 'open', 'mixed']],
  ])('are sorted by %s', async (order, expected) => {
    expect(await names('launchPlanIds', '', `orderBy: ${order}`)).toEqual(expected);
  });

  it('are sorted newest first unless an order is given', async () => {
    expect(await names('launchPlanIds')).toEqual(['mixed', 'secret', 'open']);
  });

  it('list a name if one of its versions meets all filters', async () => {
    expect(await names('taskIds', '', 'filters: "eq(version,v2)"')).toEqual(['double']);
    expect(await names('taskIds', '', 'filters: "eq(version,v2)+eq(name,halve)"')).toEqual([]);
    expect(await names('workflowIds', '', 'filters: "contains(name,e)", orderBy: NAME')).toEqual([
      'open',
      'secret',
    ]);
    expect(await names('launchPlanIds', '', 'filters: "eq(workflow.name,secret)", orderBy: NAME')).toEqual([
      'mixed',
      'secret',
    ]);
  });

  it('leave out names of which the caller may read no version', async () => {
    const caller = await outsider();
    expect(await names('workflowIds', '', 'orderBy: NAME', caller)).toEqual(['open']);
    expect(await names('launchPlanIds', '', 'orderBy: NAME', caller)).toEqual(['mixed', 'open']);
    // The version that the filter finds is hidden.
    expect(await names('launchPlanIds', '', 'filters: "eq(version,v1)"', caller)).toEqual(['open']);
  });

  it('are NOT_FOUND for callers who may read nothing in the project', async () => {
    const caller = await newCaller();
    for (const field of ['taskIds', 'workflowIds', 'launchPlanIds']) {
      const { errors } = await app.ask(`{ ${field}(filter: { ${place} }) { totalCount } }`, {}, caller);
      expect(errors?.[0]?.extensions.code).toBe('NOT_FOUND');
    }
  });

  it('are empty in another domain', async () => {
    const { data } = await app.ask(
      `{ taskIds(filter: { project: "${project}", domain: "staging" }) { totalCount } }`,
    );
    expect(data.taskIds.totalCount).toBe(0);
  });
});

describe('namedEntity', () => {
  it('has the versions of a launch plan, the latest and the active one', async () => {
    const by = { key: keyOf(project, 'mixed') };
    await mutate(app, 'updateLaunchPlan', { by, state: 'ACTIVE' });
    const selected = `type projectIdentifier domain name description state project { identifier }
      launchPlans { nodes { version } } latestLaunchPlan { version } activeLaunchPlan { version }
      tasks { nodes { version } } workflows { nodes { version } }`;
    const { data } = await entity(keyText('LAUNCH_PLAN', 'mixed'), selected);
    expect(data.namedEntity).toEqual({
      ...{ type: 'LAUNCH_PLAN', projectIdentifier: project, domain, name: 'mixed' },
      ...{ description: '', state: 'ACTIVE', project: { identifier: project } },
      launchPlans: { nodes: [{ version: 'v2' }, { version: 'v1' }] },
      ...{ latestLaunchPlan: { version: 'v2' }, activeLaunchPlan: { version: 'v1' } },
      ...{ tasks: { nodes: [] }, workflows: { nodes: [] } },
    });
    const caller = await outsider();
    const shown = await entity(keyText('LAUNCH_PLAN', 'mixed'), selected, caller);
    expect(shown.data.namedEntity).toMatchObject({
      launchPlans: { nodes: [{ version: 'v2' }] },
      ...{ latestLaunchPlan: { version: 'v2' }, activeLaunchPlan: null },
    });
  });

  it('has the versions of a task, and no launch plan of the same name', async () => {
    const selected = 'tasks { nodes { version } } latestLaunchPlan { version } activeLaunchPlan { version }';
    const task = await entity(keyText('TASK', 'double'), selected);
    expect(task.data.namedEntity).toEqual({
      tasks: { nodes: [{ version: 'v2' }, { version: 'v1' }] },
      ...{ latestLaunchPlan: null, activeLaunchPlan: null },
    });
    const by = { key: keyOf(project, 'open') };
    await mutate(app, 'updateLaunchPlan', { by, state: 'ACTIVE' });
    const workflow = await entity(keyText('WORKFLOW', 'open'), 'activeLaunchPlan { version }');
    expect(workflow.data.namedEntity).toEqual({ activeLaunchPlan: null });
  });

  it('is found by its id', async () => {
    const id = await idOf('WORKFLOW', 'open');
    const { data } = await entity(`{ id: "${id}" }`, 'id name');
    expect(data.namedEntity).toEqual({ id, name: 'open' });
  });

  it('is NOT_FOUND if it does not exist, is of another type, or no version is readable', async () => {
    const caller = await outsider();
    for (const by of [
      keyText('TASK', 'absent'),
      keyText('TASK', 'open'),
      keyText('WORKFLOW', 'secret'),
      keyText('LAUNCH_PLAN', 'secret'),
      `{ id: "${await idOf('WORKFLOW', 'secret')}" }`,
      `{ id: "${newId()}" }`,
    ]) {
      const { data, errors } = await entity(by, 'name', caller);
      expect(data.namedEntity).toBeNull();
      expect(errors?.[0]?.extensions).toEqual({ code: 'NOT_FOUND' });
    }
  });

  it('is found by a caller who may read only one of its versions, by `node` too', async () => {
    const caller = await newCaller();
    await grant(caller, 'WORKFLOW', await idOf('WORKFLOW', 'secret'), 'READ');
    const id = await idOf('LAUNCH_PLAN', 'mixed');
    const { data } = await entity(`{ id: "${id}" }`, 'name latestLaunchPlan { version }', caller);
    expect(data.namedEntity).toEqual({ name: 'mixed', latestLaunchPlan: { version: 'v1' } });
    const node = await app.ask(`{ node(id: "${id}") { id } }`, {}, caller);
    expect(node.data.node).toEqual({ id });
  });
});

describe('namedEntities', () => {
  it('finds names by state and description before it cuts the page', async () => {
    await registerTask(app, project, 'old');
    await update(key('TASK', 'old'), { description: 'Once 100% useful.', state: 'ARCHIVED' });
    await registerTask(app, project, 'young');
    expect(await entities('TASK', ', states: [ARCHIVED]', ', first: 1')).toEqual(['old']);
    expect(await entities('TASK', ', descriptionContains: "100%"', ', first: 1')).toEqual(['old']);
    expect(await entities('TASK', ', descriptionContains: "1_0"')).toEqual([]);
    expect(await entities('TASK', '', ', first: 1, filters: "eq(state,1)"')).toEqual(['old']);
    expect(await entities('TASK', '', ', first: 1, filters: "contains(description,useful)"')).toEqual([
      'old',
    ]);
  });

  it('shows archived names unless a filter excludes them', async () => {
    expect(await entities('TASK')).toContain('old');
    expect(await entities('TASK', ', states: [ACTIVE]')).not.toContain('old');
    expect(await entities('TASK', '', ', filters: "eq(named_entity_metadata.state,0)"')).not.toContain('old');
  });

  it('finds names by the name, or by a part of it', async () => {
    expect(await entities('TASK', ', name: "double"')).toEqual(['double']);
    expect(await entities('TASK', ', name: "doubl"')).toEqual([]);
    expect(await entities('TASK', ', nameContains: "alv"')).toEqual(['halve']);
    expect(await entities('TASK', ', nameContains: "_"')).toEqual([]);
    expect(await entities('TASK', '', ', filters: "eq(entities.name,double)+eq(resource_type,1)"')).toEqual([
      'double',
    ]);
    expect(await entities('TASK', '', ', filters: "eq(resource_type,2)"')).toEqual([]);
  });

  it('hides names that begin with .flytegen unless there is a filter', async () => {
    const data = { name: '.flytegen.single', state: 'SYSTEM_GENERATED' as const };
    const id = await idOf('TASK', 'halve');
    await db.namedEntity.update({ where: { id }, data });
    const given = [
      '',
      ', states: [SYSTEM_GENERATED]',
      ', nameContains: "single"',
      ', name: ".flytegen.single"',
    ];
    const found = await Promise.all(given.map((filter) => entities('TASK', filter)));
    expect(found.map((list) => list.includes('.flytegen.single'))).toEqual([false, true, true, true]);
    expect(await entities('TASK', '', ', filters: "eq(state,2)"')).toEqual(['.flytegen.single']);
    await db.namedEntity.update({ where: { id }, data: { name: 'halve', state: 'ACTIVE' } });
  });

  it('leaves out names of which the caller may read no version', async () => {
    const caller = await outsider();
    expect(await entities('WORKFLOW', '', ', orderBy: NAME', caller)).toEqual(['open']);
    expect(await entities('LAUNCH_PLAN', '', ', orderBy: NAME', caller)).toEqual(['mixed', 'open']);
  });

  it('of tasks is NOT_FOUND for callers who may read only workflows of the project', async () => {
    const caller = await newCaller();
    await grant(caller, 'WORKFLOW', await idOf('WORKFLOW', 'secret'), 'READ');
    expect(await entities('WORKFLOW', '', '', caller)).toEqual(['secret']);
    expect(await entities('LAUNCH_PLAN', '', ', orderBy: NAME', caller)).toEqual(['mixed', 'secret']);
    const { errors } = await app.ask(
      `{ namedEntities(filter: { type: TASK, ${place} }) { totalCount } }`,
      {},
      caller,
    );
    expect(errors?.[0]?.extensions.code).toBe('NOT_FOUND');
  });

  it.each(['TASK', 'WORKFLOW', 'LAUNCH_PLAN'])(
    'of type %s is NOT_FOUND for callers who may read nothing in the project',
    async (type) => {
      const { errors } = await app.ask(
        `{ namedEntities(filter: { type: ${type}, ${place} }) { totalCount } }`,
        {},
        await newCaller(),
      );
      expect(errors?.[0]?.extensions.code).toBe('NOT_FOUND');
    },
  );

  it.each([
    ['eq(version,v1)', 'version is not a field of this list'],
    ['eq(task.name,a)', 'no fields with the prefix task'],
    ['contains(state,1)', 'contains of state needs a text'],
  ])('refuses filters that do not fit: %s', async (filters, message) => {
    const { errors } = await app.ask(
      `{ namedEntities(filter: { type: TASK, ${place} }, filters: "${filters}") { totalCount } }`,
    );
    expect(errors?.[0]?.extensions.code).toBe('INVALID_ARGUMENT');
    expect(errors?.[0]?.message).toContain(message);
  });

  it('takes the same statements for 1 name and for 50', async () => {
    for (const table of ['taskIds', 'namedEntities'] as const) {
      const type = table === 'namedEntities' ? 'type: TASK,' : '';
      const cost = async (first: number) => {
        const ask = () =>
          app.ask(`{ ${table}(filter: { ${type} ${place} }, first: ${first}) { nodes { name } } }`);
        await ask();
        const { result, statements } = await statementsOf(ask);
        return { count: result.data[table].nodes.length, statements: statements.length };
      };
      const one = await cost(1);
      if (table === 'taskIds')
        for (let at = 0; at < 50; at += 1) await registerTask(app, project, `many-${at}`);
      const many = await cost(50);
      expect([one.count, many.count]).toEqual([1, 50]);
      expect(many.statements).toBe(one.statements);
    }
  });
});

describe('updateNamedEntity', () => {
  it('changes only what is given, and an empty description removes it', async () => {
    const by = key('TASK', 'double');
    const first = await update(by, { description: 'Doubles.', state: 'ARCHIVED' });
    expect(first.namedEntity).toMatchObject({ description: 'Doubles.', state: 'ARCHIVED' });
    expect(first.namedEntity.updatedAt > first.namedEntity.createdAt).toBe(true);
    expect((await update(by, { description: 'Doubles x.' })).namedEntity).toMatchObject({
      ...{ description: 'Doubles x.', state: 'ARCHIVED' },
    });
    expect((await update(by, { state: 'ACTIVE' })).namedEntity).toMatchObject({
      ...{ description: 'Doubles x.', state: 'ACTIVE' },
    });
    expect((await update(by, { description: 'Twice.', state: null })).namedEntity).toMatchObject({
      ...{ description: 'Twice.', state: 'ACTIVE' },
    });
    expect((await update(by, { description: '' })).namedEntity).toMatchObject({
      ...{ description: '', state: 'ACTIVE' },
    });
    const { data } = await entity(keyText('TASK', 'double'), 'description state');
    expect(data.namedEntity).toEqual({ description: '', state: 'ACTIVE' });
  });

  it('shows the change to the fields that follow in the same mutation', async () => {
    const { data } = await app.ask(
      `mutation ($a: UpdateNamedEntityInput!, $b: UpdateNamedEntityInput!) {
         a: updateNamedEntity(input: $a) { __typename }
         b: updateNamedEntity(input: $b) { ... on UpdateNamedEntityPayload { namedEntity { description state } } } }`,
      {
        a: { by: key('TASK', 'double'), description: 'First.' },
        b: { by: key('TASK', 'double'), state: 'ARCHIVED' },
      },
    );
    expect(data.b.namedEntity).toEqual({ description: 'First.', state: 'ARCHIVED' });
    await update(key('TASK', 'double'), { description: '', state: 'ACTIVE' });
  });

  it('keeps what another change, which it waits for, writes', async () => {
    const id = await idOf('TASK', 'double');
    const answer = await overtaken(
      () => update({ id }, { state: 'ARCHIVED' }),
      (tx) => tx.namedEntity.update({ where: { id }, data: { description: 'At the same time.' } }),
    );
    expect(answer.namedEntity).toMatchObject({ description: 'At the same time.', state: 'ARCHIVED' });
    await update({ id }, { description: '', state: 'ACTIVE' });
  });

  it('accepts 300 characters and refuses 301', async () => {
    const by = key('TASK', 'double');
    expect((await update(by, { description: 'x'.repeat(300) })).namedEntity.description).toHaveLength(300);
    expect(await update(by, { description: 'x'.repeat(301) })).toMatchObject({
      ...{ __typename: 'InvalidArgumentError', path: ['input', 'description'] },
    });
  });

  it('requires EDIT: on the project for a task, on the workflow for a workflow and a launch plan', async () => {
    const reader = await outsider();
    const editor = await outsider('EDIT');
    const owner = await newCaller({ grants: [{ type: 'PROJECT', id: projectId, level: 'READ' }] });
    await grant(owner, 'WORKFLOW', await idOf('WORKFLOW', 'open'), 'EDIT');
    const outcomes = async (caller: string) => {
      const answers = [];
      for (const [type, name] of [
        ['TASK', 'double'],
        ['WORKFLOW', 'open'],
        ['LAUNCH_PLAN', 'open'],
        ['WORKFLOW', 'secret'],
        ['LAUNCH_PLAN', 'secret'],
      ] as const) {
        const answer = await update(key(type, name), { description: `by ${newId()}` }, caller);
        answers.push(answer.refused ?? 'done');
      }
      return answers;
    };
    const [denied, hidden] = ['PERMISSION_DENIED', 'NOT_FOUND'];
    expect(await outcomes(reader)).toEqual([denied, denied, denied, hidden, hidden]);
    expect(await outcomes(editor)).toEqual(['done', 'done', 'done', hidden, hidden]);
    expect(await outcomes(owner)).toEqual([denied, 'done', 'done', denied, denied]);
    expect(await outcomes(app.admin)).toEqual(['done', 'done', 'done', 'done', 'done']);
  });

  it('of a launch plan asks about the newest version that the caller may read', async () => {
    // v2 launches `open`, and v1 launches `secret`.
    const by = key('LAUNCH_PLAN', 'mixed');
    const caller = await newCaller();
    await grant(caller, 'WORKFLOW', await idOf('WORKFLOW', 'secret'), 'EDIT');
    expect((await update(by, { description: 'mine' }, caller)).namedEntity.description).toBe('mine');
    await grant(caller, 'WORKFLOW', await idOf('WORKFLOW', 'open'), 'READ');
    expect((await update(by, { description: 'not mine' }, caller)).refused).toBe('PERMISSION_DENIED');
  });

  it('is in the audit log with the values before and after, once for each change', async () => {
    const id = await idOf('WORKFLOW', 'open');
    const before = { description: 'old', state: 'ACTIVE' };
    await update({ id }, before);
    await update({ id }, { state: 'ARCHIVED' });
    await update({ id }, { state: 'ARCHIVED', description: 'old' });
    const events = await db.auditEvent.findMany({
      where: { action: 'namedEntity:update', targetId: id },
      orderBy: { id: 'desc' },
    });
    expect(events[0]).toMatchObject({
      ...{ outcome: 'DONE', targetType: 'named entity', targetName: 'open' },
      before: { type: 'WORKFLOW', ...before },
      after: { type: 'WORKFLOW', ...before, state: 'ARCHIVED' },
    });
    expect(events.filter(({ after }) => (after as Answer).state === 'ARCHIVED')).toHaveLength(1);
  });

  it('of an archived name stops neither registration nor executions', async () => {
    await update(key('LAUNCH_PLAN', 'open'), { state: 'ARCHIVED' });
    await plan('open', 'v7', 'open');
    const launched = await mutate(
      app,
      'createExecution',
      { project, domain, launchPlan: { key: keyOf(project, 'open') } },
      'execution { id }',
    );
    expect(launched).toMatchObject({ __typename: 'CreateExecutionPayload' });
  });
});

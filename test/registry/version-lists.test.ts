/** The lists of tasks, workflows and launch plans: filters, orders, and what they read. */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import {
  createLaunchPlan,
  createTask,
  createWorkflow,
  domain,
  keyOf,
  registerProject,
  registerTask,
  registerWorkflow,
  taskInput,
  workflowInput,
} from '../support/seed.ts';
import { statementsOf } from '../support/statements.ts';
import { grant, newCaller } from '../support/users.ts';

const project = 'sorted';
let app: App;
let projectId: string;
/** Tasks, in the order of their registration. */
const tasks = ['b v1', 'a v2', 'a v10', '50%_off v1', 'tail\\ v1'];

beforeAll(async () => {
  app = await startApp({ scheduler: false });
  projectId = await registerProject(app, project);
  await registerProject(app, 'elsewhere');
  for (const text of tasks) {
    const [name = '', version = ''] = text.split(' ');
    await registerTask(app, project, name, { version });
  }
  const task = taskInput(project, 'query');
  await createTask(app, {
    ...task,
    template: { ...task.template, type: 'sql', container: null },
    shortDescription: 'Asks, and + adds.',
  });
  await registerWorkflow(app, project, 'train', { a: [] }, { task: 'b' });
  await registerWorkflow(app, project, 'score', { a: [] }, { task: 'b' });
  await registerWorkflow(app, project, 'score', { a: [], b: [] }, { task: 'b', version: 'v2' });
});
afterAll(() => app.stop());

const place = `project: "${project}", domain: "${domain}"`;

async function list(field: string, given: string, selected = 'name version', caller?: string) {
  const { data, errors } = await app.ask(
    `{ list: ${field}(${given}) { nodes { ${selected} } } }`,
    {},
    caller,
  );
  expect(errors).toBeUndefined();
  return data.list.nodes as Answer[];
}
/** `name version` of each object. */
const names = async (field: string, filter = '', more = '', caller?: string) =>
  (await list(field, `filter: { ${place} ${filter} } ${more}`, 'name version', caller)).map(
    ({ name, version }) => `${name} ${version}`,
  );
const filtered = (field: string, filters: string, caller?: string) =>
  names(field, '', `orderBy: NAME, filters: ${JSON.stringify(filters)}`, caller);

describe('orderBy', () => {
  const newest = ['query v1', ...[...tasks].reverse()];

  it.each([
    ['NEWEST', newest],
    ['OLDEST', [...newest].reverse()],
    ['NAME', ['50%_off v1', 'a v10', 'a v2', 'b v1', 'query v1', 'tail\\ v1']],
    ['NAME_DESCENDING', ['tail\\ v1', 'query v1', 'b v1', 'a v2', 'a v10', '50%_off v1']],
    ['VERSION', ['query v1', 'tail\\ v1', '50%_off v1', 'b v1', 'a v10', 'a v2']],
    ['VERSION_DESCENDING', ['a v2', 'a v10', 'b v1', '50%_off v1', 'tail\\ v1', 'query v1']],
  ])('%s sorts the list, and pages of it follow each other', async (order, expected) => {
    expect(await names('tasks', '', `orderBy: ${order}`)).toEqual(expected);
    const paged: string[] = [];
    for (let after = ''; ; ) {
      const page = `first: 2, orderBy: ${order} ${after && `after: "${after}"`}`;
      const { data } = await app.ask(
        `{ tasks(filter: { ${place} }, ${page}) { nodes { name version } pageInfo { endCursor hasNextPage } } }`,
      );
      for (const { name, version } of data.tasks.nodes) paged.push(`${name} ${version}`);
      if (!data.tasks.pageInfo.hasNextPage) break;
      after = data.tasks.pageInfo.endCursor;
    }
    expect(paged).toEqual(expected);
  });

  it('is NEWEST unless it is given', async () => {
    expect(await names('tasks')).toEqual(newest);
  });

  it('sorts the lists inside of a project too', async () => {
    const { data } = await app.ask(
      `{ project(by: { identifier: "${project}" }) { workflows(orderBy: OLDEST) { nodes { name version } } } }`,
    );
    expect(data.project.workflows.nodes.map(({ name }: Answer) => name)).toEqual(['train', 'score', 'score']);
  });
});

describe('a typed filter', () => {
  it('finds names that contain a text, which has no wildcards', async () => {
    expect(await names('tasks', ', nameContains: "%_"')).toEqual(['50%_off v1']);
    expect(await names('tasks', ', nameContains: "A"')).toEqual([]);
  });

  it('finds the tasks that a plugin runs', async () => {
    expect(await names('tasks', ', type: "sql"')).toEqual(['query v1']);
  });

  it('finds versions that were registered at a time or later, and before a time', async () => {
    const { createdAt } = await db.task.findFirstOrThrow({ where: { name: 'a', version: 'v10' } });
    const at = createdAt.toISOString();
    const after = await names('tasks', `, createdAfter: "${at}"`);
    const before = await names('tasks', `, createdBefore: "${at}"`);
    expect(after).toContain('a v10');
    expect(before).not.toContain('a v10');
    expect([...after, ...before].sort()).toEqual([...tasks, 'query v1'].sort());
  });

  it('finds the launch plans of a state, and of a version of a workflow', async () => {
    const by = { key: keyOf(project, 'score', 'v2') };
    await mutate(app, 'updateLaunchPlan', { by, state: 'ACTIVE' });
    expect(await names('launchPlans', ', state: ACTIVE')).toEqual(['score v2']);
    const key = `key: { ${place}, name: "score", version: "v1" }`;
    expect(await names('launchPlans', `, workflow: { ${key} }`)).toEqual(['score v1']);
    expect(await names('launchPlans', `, workflow: { ${key.replace('v1', 'v9')} }`)).toEqual([]);
  });

  it('finds the launch plans of a workflow that the caller may read, and none of a hidden one', async () => {
    const { id } = await db.namedEntity.findFirstOrThrow({ where: { name: 'score', type: 'WORKFLOW' } });
    const [reader, outsider] = [
      await newCaller({ role: 'GUEST', grants: [{ type: 'PROJECT', id: projectId, level: 'READ' }] }),
      await newCaller({ role: 'GUEST', grants: [{ type: 'PROJECT', id: projectId, level: 'READ' }] }),
    ];
    await grant(outsider, 'WORKFLOW', id, 'NO_PERMISSIONS');
    const filter = `, workflow: { key: { ${place}, name: "score", version: "v1" } }`;
    expect(await names('launchPlans', filter, '', reader)).toEqual(['score v1']);
    expect(await names('launchPlans', filter, '', outsider)).toEqual([]);
  });
});

describe('filters', () => {
  it.each([
    ['eq(name,a)', ['a v10', 'a v2']],
    ['eq(name, b)', ['b v1']],
    ['eq(task.name,b)', ['b v1']],
    ['ne(name,a)+ne(type,sql)', ['50%_off v1', 'b v1', 'tail\\ v1']],
    ['gt(name,b)', ['query v1', 'tail\\ v1']],
    ['gte(name,b)+lt(name,tail)', ['b v1', 'query v1']],
    ['lte(version,v1)+lt(name,b)', ['50%_off v1']],
    ['contains(name,%_o)', ['50%_off v1']],
    ['contains(name,B)', []],
    ['not_like(name,%a%)', ['50%_off v1', 'b v1', 'query v1']],
    ['not_like(name,_)', ['50%_off v1', 'query v1', 'tail\\ v1']],
    ['not_like(name,tail\\)', ['50%_off v1', 'a v10', 'a v2', 'b v1', 'query v1']],
    ['value_in(name,a;b)', ['a v10', 'a v2', 'b v1']],
    ['value_not_in(name,a;b)', ['50%_off v1', 'query v1', 'tail\\ v1']],
    [`eq(project,${project})+eq(domain,staging)`, []],
    ['eq(short_description,)+eq(version,v2)', ['a v2']],
    ['contains(short_description,Asks)', ['query v1']],
    ['', ['50%_off v1', 'a v10', 'a v2', 'b v1', 'query v1', 'tail\\ v1']],
  ])('of tasks: %s', async (filters, expected) => {
    expect(await filtered('tasks', filters)).toEqual(expected);
    const { data } = await app.ask(
      `{ tasks(filter: { ${place} }, filters: ${JSON.stringify(filters)}) { totalCount } }`,
    );
    expect(data.tasks.totalCount).toBe(expected.length);
  });

  it('compare times, ids and digests', async () => {
    const row = await db.task.findFirstOrThrow({ where: { name: 'a', version: 'v10' } });
    expect(await filtered('tasks', `eq(id,${row.id})`)).toEqual(['a v10']);
    expect(await filtered('tasks', `eq(created_at,${row.createdAt.toISOString()})`)).toContain('a v10');
    expect(await filtered('tasks', `lt(updated_at,${row.createdAt.toISOString()})`)).not.toContain('a v10');
    expect(await filtered('tasks', `eq(digest,${row.digest})+gt(id,${row.id})`)).not.toContain('a v10');
    expect(await filtered('tasks', `value_not_in(id,${row.id};${newId()})`)).not.toContain('a v10');
  });

  it('of workflows and of launch plans have their own columns', async () => {
    expect(await filtered('workflows', 'eq(workflow.version,v2)')).toEqual(['score v2']);
    expect(await filtered('launchPlans', 'eq(state,0)+eq(name,score)')).toEqual(['score v1']);
    expect(await filtered('launchPlans', 'eq(launch_plan.state,1)')).toEqual(['score v2']);
    expect(await filtered('launchPlans', 'eq(schedule_type,CRON)')).toEqual([]);
    const { id } = await db.workflow.findFirstOrThrow({ where: { name: 'train' } });
    expect(await filtered('launchPlans', `eq(workflow_id,${id})`)).toEqual(['train v1']);
  });

  it('find launch plans by their workflows', async () => {
    expect(await filtered('launchPlans', 'eq(workflow.name,train)')).toEqual(['train v1']);
    expect(await filtered('launchPlans', 'ne(workflow.name,train)+eq(workflow.version,v1)')).toEqual([
      'score v1',
    ]);
    expect(await filtered('launchPlans', `eq(workflow.project,${project})+eq(version,v2)`)).toEqual([
      'score v2',
    ]);
  });

  it('reveal nothing of a workflow that is hidden', async () => {
    const hidden = workflowInput('elsewhere', 'secret', { a: [] }, { taskProject: project, task: 'b' });
    await createWorkflow(app, hidden);
    const plan = { key: keyOf(project, 'shown'), workflow: { key: keyOf('elsewhere', 'secret') } };
    expect(await createLaunchPlan(app, plan)).toMatchObject({ __typename: 'CreateLaunchPlanPayload' });
    const reader = await newCaller({ grants: [{ type: 'PROJECT', id: projectId, level: 'READ' }] });
    const narrow = await newCaller({ role: 'ADMIN', scopes: ['launchPlan:read'] });
    const wide = await newCaller({ role: 'ADMIN', scopes: ['launchPlan:read', 'workflow:read'] });
    for (const caller of [reader, narrow, wide])
      expect(await filtered('launchPlans', 'eq(name,shown)', caller)).toEqual(['shown v1']);
    for (const filters of ['eq(workflow.name,secret)', 'ne(workflow.name,other)+eq(name,shown)']) {
      expect(await filtered('launchPlans', filters, reader)).toEqual([]);
      expect(await filtered('launchPlans', filters, narrow)).toEqual([]);
      expect(await filtered('launchPlans', filters, wide)).toEqual(['shown v1']);
    }
    const names = `{ launchPlanIds(filter: { ${place} }, filters: "eq(workflow.name,secret)") { totalCount } }`;
    expect((await app.ask(names, {}, reader)).data.launchPlanIds.totalCount).toBe(0);
    expect((await app.ask(names, {}, narrow)).data.launchPlanIds.totalCount).toBe(0);
    expect((await app.ask(names, {}, wide)).data.launchPlanIds.totalCount).toBe(1);
    await grant(
      reader,
      'PROJECT',
      (await db.project.findFirstOrThrow({ where: { identifier: 'elsewhere' } })).id,
      'READ',
    );
    expect(await filtered('launchPlans', 'eq(workflow.name,secret)', reader)).toEqual(['shown v1']);
    await db.launchPlan.deleteMany({ where: { name: 'shown' } });
  });

  it.each([
    ['tasks', 'like(name,a)', 'is not a function'],
    ['tasks', 'eq(name', 'is not of the form'],
    ['tasks', 'eq(state,0)', 'state is not a field of this list'],
    ['tasks', 'eq(workflow.name,a)', 'no fields with the prefix workflow'],
    ['workflows', 'eq(type,sql)', 'type is not a field of this list'],
    ['launchPlans', 'eq(short_description,a)', 'short_description is not a field of this list'],
    ['launchPlans', 'eq(state,7)', 'state has no value 7'],
    ['launchPlans', 'gt(created_at,now)', 'needs an RFC 3339 time'],
    ['taskIds', 'eq(state,0)', 'state is not a field of this list'],
    ['workflowIds', 'eq(type,sql)', 'type is not a field of this list'],
    ['launchPlanIds', 'eq(execution.name,a)', 'no fields with the prefix execution'],
  ])('of %s are INVALID_ARGUMENT and name the fault: %s', async (field, filters, message) => {
    const { errors } = await app.ask(
      `{ ${field}(filter: { ${place} }, filters: ${JSON.stringify(filters)}) { totalCount } }`,
    );
    expect(errors?.[0]?.extensions.code).toBe('INVALID_ARGUMENT');
    expect(errors?.[0]?.message).toContain(message);
  });

  it('are not kept as prepared statements, because callers can write any number of them', async () => {
    const sent = vi.spyOn(pg.Client.prototype, 'query');
    await filtered('tasks', 'eq(name,a)+lt(digest,z)');
    const calls = sent.mock.calls.map(([query]) => query as unknown as { name?: string; text?: string });
    sent.mockRestore();
    const lists = calls.filter(({ text = '' }) => text.includes('version.digest collate'));
    expect(lists.map(({ name }) => name)).toEqual(['']);
    expect(calls.some(({ name }) => name)).toBe(true);
  });

  it.each([
    ['tasks', ''],
    ['taskIds', ''],
    ['namedEntities', 'type: TASK,'],
  ])('are the only reason why a list is not kept as a prepared statement: %s', async (field, type) => {
    const isKept = async (filters: string) => {
      const sent = vi.spyOn(pg.Client.prototype, 'query');
      await list(field, `filter: { ${type} ${place} } filters: "${filters}"`, 'name');
      const calls = sent.mock.calls.map(([query]) => query as unknown as { name?: string; text?: string });
      sent.mockRestore();
      const lists = calls.filter(({ text = '' }) => /\bfrom\s+(tasks|named_entities) as /.test(text));
      expect(lists.length).toBeGreaterThan(0);
      return lists.every(({ name }) => name);
    };
    expect(await isKept('')).toBe(true);
    expect(await isKept('eq(name,a)')).toBe(false);
  });
});

describe('activeLaunchPlans', () => {
  it('lists the one active version of each name', async () => {
    for (const [name, version] of [
      ['score', 'v2'],
      ['score', 'v1'],
      ['train', 'v1'],
    ] as const)
      await mutate(app, 'updateLaunchPlan', { by: { key: keyOf(project, name, version) }, state: 'ACTIVE' });
    expect(await names('activeLaunchPlans', '', 'orderBy: NAME')).toEqual(['score v1', 'train v1']);
    await mutate(app, 'updateLaunchPlan', { by: { key: keyOf(project, 'train') }, state: 'INACTIVE' });
    expect(await names('activeLaunchPlans')).toEqual(['score v1']);
  });
});

describe('a list', () => {
  const large = /version\.(template|closure|interface|task_ids|launch_plan_ids|spec|expected_|fixed_)/;

  it.each(['tasks', 'workflows', 'launchPlans', 'activeLaunchPlans'])(
    '%s does not read large columns that are not selected',
    async (field) => {
      const { statements } = await statementsOf(() => names(field));
      expect(statements.join('\n')).toContain('version.digest');
      expect(statements.join('\n')).not.toMatch(large);
    },
  );

  it('of executions does not read the closures of their workflows', async () => {
    const document = '{ executions { nodes { workflow { name } } } }';
    const { statements } = await statementsOf(() => app.ask(document));
    expect(statements.join('\n')).not.toMatch(/closure/);
  });

  it.each([
    ['tasks', 'name template interface { inputs { name } }', 1],
    // The closure takes two: it is read, and then the tasks in it, to see which of them the caller may read.
    ['workflows', 'name closure interface { inputs { name } } description { tags }', 4],
    ['workflows', 'name graph { nodes { id } } subWorkflows { key { name } }', 1],
    ['launchPlans', 'name fixedInputs expectedInputs { name }', 1],
  ])(
    '%s reads them in one statement for each kind, for 1 object and for 50',
    async (field, selected, more) => {
      await copies(field);
      const cost = async (fields: string, first: number) => {
        const ask = () => list(field, `filter: { ${place} }, first: ${first}`, fields);
        await ask();
        const { result, statements } = await statementsOf(ask);
        expect(result).toHaveLength(first);
        return statements.length;
      };
      const plain = await cost('name', 1);
      expect(await cost(selected, 1)).toBe(plain + more);
      expect(await cost(selected, 50)).toBe(plain + more);
    },
  );
});

/** 50 more versions of one object. */
async function copies(field: string): Promise<void> {
  const [table, columns] = (
    {
      tasks: ['tasks', 'type, template, digest'],
      workflows: ['workflows', 'interface, closure, task_ids, launch_plan_ids, digest'],
      launchPlans: [
        'launch_plans',
        'workflow_id, workflow_entity_id, spec, expected_inputs, fixed_inputs, expected_outputs, input_order, digest',
      ],
    } as Record<string, [string, string]>
  )[field] ?? ['', ''];
  await db.$executeRawUnsafe(
    `insert into ${table} (id, tenant_id, entity_id, project_id, domain, name, version, ${columns})
     select gen_random_uuid(), tenant_id, entity_id, project_id, domain, name, version || '-' || number, ${columns}
       from (select * from ${table} where project_id = '${projectId}' limit 1) as one, generate_series(1, 50) as number`,
  );
}

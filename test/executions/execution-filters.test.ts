import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import {
  createLaunchPlan,
  domain,
  keyOf,
  launch,
  registerProject,
  registerTask,
  registerWorkflow,
} from '../support/seed.ts';
import { grantTo, newUser, type User } from '../support/users.ts';

const project = 'filters';
let app: App;
let ids: Record<string, string>;
let maker: User;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerWorkflow(app, project, 'one', { a: [] });
  await registerWorkflow(app, project, 'two', { a: [] });
  await createLaunchPlan(app, {
    key: keyOf(project, 'other-name'),
    workflow: { key: keyOf(project, 'two') },
    defaultInputs: { x: 1 },
  });
  maker = await newUser({ role: 'USER', level: 'USE', username: 'maker' });
  const pair = (key: string, value: string) => ({ key, value });
  ids = {};
  const make = async (name: string, plan: string, more: object = {}) => {
    ids[name] = await launch(app, project, plan, { name, ...more });
  };
  await make('first', 'one', {
    labels: [pair('team', 'ml'), pair('stage', 'test')],
    tags: ['nightly', 'big'],
  });
  await make('second', 'one', { labels: [pair('team', 'ml'), pair('stage', 'live')], tags: ['nightly'] });
  await make('third', 'two', { labels: [pair('team', 'web'), pair('stage', 'ml')] });
  await make('fourth', 'other-name');
  const change = (name: string, data: object) => db.execution.update({ where: { id: ids[name] }, data });
  const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1) + seconds * 1000);
  await change('first', { phase: 'SUCCEEDED', startedAt: at(0), endedAt: at(90), createdAt: at(0) });
  await change('second', {
    ...{ phase: 'FAILED', startedAt: at(60), endedAt: at(60.5), createdAt: at(60) },
    ...{ errorCode: 'Broken', errorMessage: 'm', errorKind: 'USER', state: 'ARCHIVED' },
  });
  await change('third', {
    ...{ mode: 'SCHEDULED', cluster: 'east', sourceId: ids['first'], createdAt: at(120) },
    ...{ abortCause: 'too slow', abortPrincipalId: maker.id, principalId: maker.id, phase: 'ABORTING' },
  });
  await change('fourth', { createdAt: at(180) });
});
afterAll(() => app.stop());

interface Asked {
  readonly filter?: object;
  readonly filters?: string;
}
async function ask({ filter = {}, filters }: Asked, user?: User): Promise<Answer> {
  return await app.ask(
    `query ($filter: ExecutionFilterInput!, $filters: String) {
       executions(filter: $filter, filters: $filters) { totalCount edges { node { name } } }
     }`,
    { filter: { project, domain, ...filter }, filters: filters ?? null },
    user?.authorization,
  );
}
/** The names, oldest first. Their number is also the total. */
async function names(asked: Asked, user?: User): Promise<string[]> {
  const { data, errors } = await ask(asked, user);
  expect(errors, JSON.stringify(errors)).toBeUndefined();
  const found = data.executions.edges.map(({ node }: Answer) => node.name).reverse();
  expect(data.executions.totalCount).toBe(found.length);
  return found;
}

const all = { withArchived: true };
const labels = (...pairs: readonly string[]) => ({
  labels: pairs.map((pair) => ({ key: pair.split('=')[0], value: pair.split('=')[1] })),
});

describe('the filter of executions', () => {
  it.each([
    [labels('team=ml'), ['first', 'second']],
    [labels('team=ml', 'stage=live'), ['second']],
    [labels('team=live'), []],
    [labels('stage=ml'), ['third']],
    [labels(), ['first', 'second', 'third', 'fourth']],
    [{ tags: ['nightly'] }, ['first', 'second']],
    [{ tags: ['nightly', 'big', 'big'] }, ['first']],
    [{ tags: ['team'] }, []],
    [{ tags: [] }, ['first', 'second', 'third', 'fourth']],
    [{ tags: ['big'], ...labels('stage=test') }, ['first']],
    [{ modes: ['SCHEDULED'] }, ['third']],
    [{ modes: [] }, []],
    [{ withArchived: null }, ['first', 'third', 'fourth']],
  ])('takes %j', async (filter, expected) => {
    expect(await names({ filter: { ...all, ...filter } })).toEqual(expected);
  });

  it('works in the lists inside of other objects', async () => {
    const { data } = await app.ask(
      `query ($by: ProjectByInput!, $filter: ExecutionFilterInput!) {
         project(by: $by) { executions(filter: $filter) { totalCount edges { node { name } } } }
       }`,
      { by: { identifier: project }, filter: { ...labels('team=ml'), tags: ['big'] } },
    );
    expect(data.project.executions).toEqual({ totalCount: 1, edges: [{ node: { name: 'first' } }] });
  });

  it('takes 16 labels and 100 tags', async () => {
    const most = (count: number) => Array.from({ length: count }, (_, at) => `n${at}`);
    expect(await names({ filter: labels(...most(16).map((key) => `${key}=v`)) })).toEqual([]);
    expect(await names({ filter: { tags: most(100) } })).toEqual([]);
  });

  it.each([
    ['a label twice', labels('a=1', 'a=2')],
    ['too many labels', labels(...Array.from({ length: 17 }, (_, at) => `n${at}=v`))],
    ['too many tags', { tags: Array.from({ length: 101 }, (_, at) => `n${at}`) }],
  ])('refuses %s', async (_name, filter) => {
    const { errors } = await ask({ filter });
    expect(errors[0].extensions.code).toBe('INVALID_ARGUMENT');
  });
});

describe("Flyte's filters of executions", () => {
  it.each([
    ['eq(execution_tag.key,team)+eq(execution_tag.value,ml)', ['first']],
    ['eq(execution_tag.value,ml)', ['first', 'third']],
    // One label must meet both terms.
    ['eq(execution_tag.key,stage)+eq(execution_tag.value,ml)', ['third']],
    ['contains(execution_tag.key,t)', ['first', 'third']],
    ['value_in(admin_tag.name,nightly;big)', ['first']],
    ['eq(execution_name,first)', ['first']],
    ['eq(name,first)', ['first']],
    ['eq(execution.name,first)', ['first']],
    ['eq(execution_project,filters)+eq(execution_domain,development)', ['first', 'third', 'fourth']],
    ['eq(phase,SUCCEEDED)', ['first']],
    ['value_in(phase,SUCCEEDED;ABORTING)', ['first', 'third']],
    ['eq(phase,4)', ['first']],
    ['gt(duration,60)', ['first']],
    ['gte(duration,1m30s)', ['first']],
    ['gt(duration,90.5)', []],
    ['lt(duration,1h)', ['first']],
    ['eq(mode,1)', ['third']],
    ['eq(abort_cause,too slow)', ['third']],
    ['eq(cluster,east)', ['third']],
    ['eq(user,maker)', ['third']],
    ['eq(launch_entity,launch_plan)', ['first', 'third', 'fourth']],
    ['eq(launch_entity,task)', []],
    ['gte(created_at,2026-01-01T00:02:00Z)', ['third', 'fourth']],
    ['lt(execution_created_at,2026-01-01T00:02:00Z)', ['first']],
    ['gte(started_at,2026-01-01T00:00:00Z)', ['first']],
    ['eq(launch_plan.name,other-name)', ['fourth']],
    ['eq(launch_plan.schedule_type,NONE)+eq(launch_plan.name,other-name)', ['fourth']],
    ['eq(launch_plan.schedule_type,CRON)', []],
    ['eq(launch_plan.launch_condition_type,x)', []],
    ['eq(workflow.name,two)', ['third', 'fourth']],
    ['ne(workflow.name,two)', ['first']],
    ['eq(launch_plan.version,v1)+eq(workflow.name,two)+eq(mode,0)', ['fourth']],
    ['eq(task.name,double)', []],
  ])('take %s', async (filters, expected) => {
    expect(await names({ filters })).toEqual(expected);
  });

  it.each([
    ['eq(state,1)', ['second']],
    ['eq(state,ARCHIVED)', ['second']],
    ['eq(execution.state,0)', ['first', 'third', 'fourth']],
    ['eq(execution.state,1)', ['second']],
    ['eq(mode,0)', ['first', 'fourth']],
    ['value_in(state,0;1)', ['first', 'second', 'third', 'fourth']],
    ['eq(error_code,Broken)', []],
    ['eq(state,1)+eq(error_code,Broken)+eq(error_kind,USER)', ['second']],
    // The state of another object does not matter for what lists leave out.
    ['eq(launch_plan.state,0)', ['first', 'third', 'fourth']],
  ])(
    'find archived executions only if they are about the state of the execution: %s',
    async (filters, expected) => {
      expect(await names({ filters })).toEqual(expected);
    },
  );

  it('know when a launch plan was last changed', async () => {
    await db.launchPlan.updateMany({ where: { name: 'two' }, data: { updatedAt: new Date('2100-01-01') } });
    expect(await names({ filters: 'gt(launch_plan.updated_at,2099-01-01T00:00:00Z)' })).toEqual(['third']);
    expect(await names({ filters: 'gt(launch_plan.created_at,2099-01-01T00:00:00Z)' })).toEqual([]);
  });

  it('take ids', async () => {
    expect(await names({ filters: `eq(id,${ids['first']})` })).toEqual(['first']);
    expect(await names({ filters: `eq(source_execution_id,${ids['first']})` })).toEqual(['third']);
    expect(await names({ filters: `eq(parent_node_execution_id,${ids['first']})` })).toEqual([]);
    const { launchPlanId, workflowId } = await db.execution.findUniqueOrThrow({
      where: { id: ids['fourth'] },
    });
    expect(await names({ filters: `eq(launch_plan_id,${launchPlanId})` })).toEqual(['fourth']);
    expect(await names({ filters: `eq(workflow_id,${workflowId})` })).toEqual(['third', 'fourth']);
    expect(await names({ filters: `eq(launch_plan.workflow_id,${workflowId})` })).toEqual([
      'third',
      'fourth',
    ]);
  });

  it.each([
    ['eq(execution_labels,x)', 'is not a field of this list'],
    ['eq(node_execution.phase,FAILED)', 'no fields with the prefix'],
    ['eq(duration,long)', 'needs a number of seconds'],
    ['eq(duration,1h )', 'needs a number of seconds'],
    ['contains(duration,1)', 'needs a text'],
    ['eq(phase,LOST)', 'has no value'],
    ['eq(id,first)', 'needs an id'],
    ['eq(created_at,today)', 'needs an RFC 3339 time'],
  ])('are INVALID_ARGUMENT and say why: %s', async (filters, message) => {
    const { errors } = await ask({ filters });
    expect(errors[0].extensions.code).toBe('INVALID_ARGUMENT');
    expect(errors[0].message).toContain(message);
  });

  it('find nothing of a launch plan or workflow that is hidden', async () => {
    const entity = await db.namedEntity.findFirstOrThrow({ where: { name: 'two', type: 'WORKFLOW' } });
    const reader = await newUser({ role: 'USER', level: 'READ' });
    await grantTo({ userId: reader.id }, 'WORKFLOW', entity.id, 'NO_PERMISSIONS');
    const narrow = await newUser({ role: 'USER', level: 'READ', scopes: ['execution:read'] });
    const wide = await newUser({ role: 'USER', level: 'READ', scopes: ['execution:read', 'workflow:read'] });
    for (const filters of ['eq(workflow.name,two)', 'ne(workflow.name,one)']) {
      expect(await names({ filters }, reader)).toEqual([]);
      expect(await names({ filters }, narrow)).toEqual([]);
      expect(await names({ filters }, wide)).toEqual(['third', 'fourth']);
    }
    expect(await names({ filters: 'eq(launch_plan.name,two)' }, wide)).toEqual([]);
    const plans = await newUser({
      role: 'USER',
      level: 'READ',
      scopes: ['execution:read', 'launchPlan:read'],
    });
    expect(await names({ filters: 'eq(launch_plan.name,two)' }, plans)).toEqual(['third']);
    expect(await names({ filters: 'eq(workflow.name,two)' }, plans)).toEqual([]);
  });

  it('find executions of a single task only for callers who may read tasks', async () => {
    const single = await mutate(
      app,
      'createExecution',
      { project, domain, task: { key: keyOf(project, 'double') }, inputs: { x: 1 } },
      'execution { name }',
    );
    for (const [scopes, expected] of [
      [['execution:read', 'task:read'], [single.execution.name]],
      [['execution:read', 'workflow:read', 'launchPlan:read'], []],
    ] as const) {
      const reader = await newUser({ role: 'USER', level: 'READ', scopes: [...scopes] });
      expect(await names({ filters: 'eq(task.name,double)' }, reader)).toEqual(expected);
    }
    await db.execution.deleteMany({ where: { name: single.execution.name } });
  });

  it('find neither the labels of other projects nor labels among the tags', async () => {
    expect(await mutate(app, 'registerProject', { identifier: 'empty', name: 'empty' })).not.toHaveProperty(
      'code',
    );
    expect(await names({ filter: { project: 'empty', ...labels('team=ml') } })).toEqual([]);
    expect(await names({ filters: 'eq(admin_tag.name,team)' })).toEqual([]);
  });
});

/** Triggers in the registration of launch plans, and which versions act. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { db, pool } from '../../src/platform/database/client.ts';
import { type Answer, basic, type LocalApp, startApp } from '../support/app.ts';
import { make, mutate } from '../support/mutate.ts';
import { domain, keyOf, registerProject, registerTask, registerWorkflow } from '../support/seed.ts';

const project = 'chained';
let app: LocalApp;

beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerWorkflow(app, project, 'flow', { a: [] });
});
afterAll(() => app.stop());

const workflow = { key: keyOf(project, 'flow') };
const nameOf = (name: string) => ({ project, domain, name });
const shown =
  'launchPlan { id digest flyte triggers { launchPlan { project domain name } phases inputs { var output } status { activatedAt } } }';
let plans = 0;
const newKey = () => keyOf(project, `plan-${++plans}`);

const create = (triggers: unknown, more: object = {}): Promise<Answer> =>
  mutate(
    app,
    'createLaunchPlan',
    { key: newKey(), workflow, defaultInputs: { x: 1 }, triggers, ...more },
    shown,
  );
const on = (name: string, more: object = {}) => ({ launchPlan: nameOf(name), ...more });
const faultsOf = (answer: Answer) => {
  expect(answer, JSON.stringify(answer)).toMatchObject({ __typename: 'InvalidArgumentError' });
  return answer.problems.map(({ path, code }: Answer) => `${code} ${path.join('.')}`);
};

describe('createLaunchPlan with triggers', () => {
  it('shows what was registered, with the defaults, in the given order', async () => {
    const { launchPlan } = await create([
      on('later', { phases: ['TIMED_OUT', 'FAILED'] }),
      on('first', { inputs: [{ var: 'x', output: 'z' }] }),
    ]);
    expect(launchPlan.triggers).toEqual([
      { launchPlan: nameOf('later'), phases: ['FAILED', 'TIMED_OUT'], inputs: [], status: null },
      {
        ...{ launchPlan: nameOf('first'), phases: ['SUCCEEDED'], status: null },
        inputs: [{ var: 'x', output: 'z' }],
      },
    ]);
    expect(launchPlan.flyte).not.toHaveProperty('triggers');
  });

  it.each([[null], [undefined], [[]]])('%j means none', async (triggers) => {
    const { launchPlan } = await create(triggers);
    expect(launchPlan.triggers).toEqual([]);
    const { spec } = await db.launchPlan.findUniqueOrThrow({ where: { id: launchPlan.id } });
    expect(spec).not.toHaveProperty('triggers');
  });

  it('takes a version again that says the same in another way, and refuses one that says something else', async () => {
    const key = newKey();
    const first = await create([on('a')], { key });
    for (const more of [
      { phases: ['SUCCEEDED'], inputs: [] },
      { phases: null, inputs: null },
    ]) {
      const same = await create([on('a', more)], { key });
      expect(same).toMatchObject({ code: 'ALREADY_EXISTS', existingId: first.launchPlan.id });
    }
    const other = await create([on('a', { phases: ['FAILED'] })], { key });
    expect(other).toMatchObject({ __typename: 'DifferentStructureError' });
  });

  it('takes 10 of them, and not 11', async () => {
    const many = Array.from({ length: 11 }, (_, index) => on(`source-${index}`));
    expect((await create(many.slice(1))).launchPlan.triggers).toHaveLength(10);
    expect(faultsOf(await create(many))).toEqual(['InvalidValue input.triggers']);
  });

  const value = (name: string, output = 'z') => ({ var: name, output });
  it.each<[string, object[], object, string[]]>([
    ['no phases', [on('a', { phases: [] })], {}, ['MissingField input.triggers.0.phases']],
    [
      'a phase twice',
      [on('a', { phases: ['FAILED', 'FAILED'] })],
      {},
      ['InvalidValue input.triggers.0.phases.1'],
    ],
    ['a launch plan twice', [on('a'), on('b'), on('a')], {}, ['InvalidValue input.triggers.2']],
    [
      'an input twice',
      [on('a', { inputs: [value('x'), value('x', 'y')] })],
      {},
      ['InvalidValue input.triggers.0.inputs.1'],
    ],
    [
      'an input that does not exist',
      [on('a', { inputs: [value('nothing')] })],
      {},
      ['VariableNameNotFound input.triggers.0.inputs.0.var'],
    ],
    [
      'an input that is fixed',
      [on('a', { inputs: [value('x')] })],
      { defaultInputs: null, fixedInputs: { x: 2 } },
      ['VariableNameNotFound input.triggers.0.inputs.0.var'],
    ],
    [
      'an input that nothing gives',
      [on('a', { inputs: [value('x')] }), on('b')],
      { defaultInputs: null },
      ['MissingField input.triggers.1'],
    ],
    [
      'outputs of executions that have none',
      [on('a', { phases: ['SUCCEEDED', 'ABORTED'], inputs: [value('x')] })],
      {},
      ['InvalidValue input.triggers.0.phases'],
    ],
    ['an empty name', [on('')], {}, ['MissingField input.triggers.0.launchPlan.name']],
  ])('refuses %s', async (_what, triggers, more, expected) => {
    expect(faultsOf(await create(triggers, more))).toEqual(expected);
  });

  it('refuses a launch plan that triggers itself, whichever version', async () => {
    const key = keyOf(project, 'itself', 'v2');
    expect(faultsOf(await create([on('itself')], { key }))).toEqual([
      'InvalidValue input.triggers.0.launchPlan',
    ]);
    const elsewhere = { launchPlan: { project: 'another', domain, name: 'itself' } };
    expect(await create([elsewhere], { key })).toMatchObject({ __typename: 'CreateLaunchPlanPayload' });
  });
});

describe('updateLaunchPlan of a version with triggers', () => {
  const setState = (id: string, state: string, authorization?: string) =>
    mutate(
      app,
      'updateLaunchPlan',
      { by: { id }, state },
      'launchPlan { triggers { status { principal { username } failure { code } } } }',
      authorization,
    );
  const rowsOf = async (id: string) =>
    (
      await pool.query(
        `select position, source_project, source_domain, source_name, phases::text[] as phases
           from launch_plan_triggers where launch_plan_id = $1 order by position`,
        [id],
      )
    ).rows;

  it('starts them as the caller, and ends them with the version', async () => {
    const { launchPlan } = await create([on('a'), on('b', { phases: ['FAILED', 'ABORTED'] })]);
    const active = await setState(launchPlan.id, 'ACTIVE');
    const status = { principal: { username: 'admin' }, failure: null };
    expect(active.launchPlan.triggers).toEqual([{ status }, { status }]);
    const source = { source_project: project, source_domain: domain };
    expect(await rowsOf(launchPlan.id)).toEqual([
      { ...source, position: 0, source_name: 'a', phases: ['SUCCEEDED'] },
      { ...source, position: 1, source_name: 'b', phases: ['FAILED', 'ABORTED'] },
    ]);
    const inactive = await setState(launchPlan.id, 'INACTIVE');
    expect(inactive.launchPlan.triggers).toEqual([{ status: null }, { status: null }]);
    expect(await rowsOf(launchPlan.id)).toEqual([]);
  });

  it('moves them from the version that was active, also to one without triggers', async () => {
    const version = async (text: string, triggers: object[]) =>
      (await create(triggers, { key: keyOf(project, 'moves', text) })).launchPlan.id;
    const v1 = await version('v1', [on('a')]);
    const v2 = await version('v2', [on('a'), on('b')]);
    const v3 = await version('v3', []);
    await setState(v1, 'ACTIVE');
    await setState(v2, 'ACTIVE');
    expect([await rowsOf(v1), await rowsOf(v2)]).toMatchObject([[], [{}, {}]]);
    // An inactive version that is deactivated takes nothing from the active one.
    await setState(v1, 'INACTIVE');
    expect(await rowsOf(v2)).toHaveLength(2);
    await setState(v3, 'ACTIVE');
    expect(await rowsOf(v2)).toEqual([]);
  });

  it('many times at once leaves the triggers of the active version', async () => {
    const version = async (text: string) =>
      (await create([on('a')], { key: keyOf(project, 'race', text) })).launchPlan.id;
    const ids = [await version('v1'), await version('v2')] as const;
    const turns = Array.from({ length: 12 }, (_, index) => ids[index % 2 === 0 ? 0 : 1]);
    await Promise.all(turns.map((id) => setState(id, 'ACTIVE')));
    const { rows } = await pool.query(
      `select plan.state::text as state, count(acting.id)::int as triggers from launch_plans as plan
         left join launch_plan_triggers as acting on acting.launch_plan_id = plan.id
        where plan.name = 'race' group by plan.id, plan.state order by plan.state`,
    );
    expect(rows).toEqual([
      { state: 'INACTIVE', triggers: 0 },
      { state: 'ACTIVE', triggers: 1 },
    ]);
  });

  it('needs a sign-in that may start executions and read them', async () => {
    const { launchPlan } = await create([on('a')]);
    const keyWith = async (...scopes: string[]) => {
      const { data } = await app.ask(
        `mutation ($scopes: [String!]) { createCredentials(input: { label: "k", scopes: $scopes }) { ... on CreateCredentialsPayload { accessKey secretKey } ... on Error { message } } }`,
        { scopes: ['launchPlan:update', 'launchPlan:read', ...scopes] },
      );
      return basic(data.createCredentials.accessKey, data.createCredentials.secretKey);
    };
    for (const scopes of [['execution:read'], ['launchPlan:use']]) {
      const refused = await setState(launchPlan.id, 'ACTIVE', await keyWith(...scopes));
      expect(refused, scopes.join()).toMatchObject({ code: 'PERMISSION_DENIED' });
    }
    expect(await rowsOf(launchPlan.id)).toEqual([]);
    const wide = await keyWith('execution:read', 'launchPlan:use');
    expect(await setState(launchPlan.id, 'ACTIVE', wide)).toHaveProperty('launchPlan');
    expect(await setState(launchPlan.id, 'INACTIVE', await keyWith())).toHaveProperty('launchPlan');
  });

  it('needs nothing more of a version without triggers', async () => {
    const id = await make(app, 'createLaunchPlan', { key: newKey(), workflow }, 'launchPlan');
    expect(await setState(id, 'ACTIVE')).toHaveProperty('launchPlan');
  });
});

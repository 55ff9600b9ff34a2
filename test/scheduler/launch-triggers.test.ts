/** What triggers start: one execution for each end of another execution, whatever dies; who starts it; what fails. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { moveExecutions } from '../../src/executions/store/moves.ts';
import { claimFiring, countTriggersAbove } from '../../src/executions/store/trigger-firings.ts';
import type { ExecutionPhase } from '../../src/generated/prisma/enums.ts';
import { pool } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { fireTrigger } from '../../src/scheduler/fire-trigger.ts';
import { startTriggerLoop } from '../../src/scheduler/launch-triggers.ts';
import { type Answer, basic, type LocalApp, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { createUser, editUser, password } from '../support/people.ts';
import {
  domain,
  eventually,
  keyOf,
  launch,
  registerProject,
  registerTask,
  registerWorkflow,
} from '../support/seed.ts';
import { holdAnswers } from '../support/statements.ts';

const project = 'chained';
const other = 'other';
let app: LocalApp;

beforeAll(async () => {
  app = await startApp({ scheduler: false });
  for (const name of [project, other]) {
    await registerProject(app, name);
    await registerTask(app, name, 'double');
    await registerWorkflow(app, name, 'flow', { a: [] });
  }
});
afterAll(() => app.stop());

/** A launch plan of the workflow, in the given state. @returns the id of its version. */
async function plan(
  name: string,
  more: object = {},
  state = 'ACTIVE',
  authorization?: string,
): Promise<string> {
  const input = {
    key: keyOf(project, name),
    workflow: { key: keyOf(project, 'flow') },
    defaultInputs: { x: 1 },
  };
  const made = await mutate(app, 'createLaunchPlan', { ...input, ...more }, 'launchPlan { id }');
  expect(made, JSON.stringify(made)).toHaveProperty('launchPlan');
  await setState(made.launchPlan.id, state, authorization);
  return made.launchPlan.id;
}
async function setState(id: string, state: string, authorization?: string): Promise<void> {
  const answer = await mutate(
    app,
    'updateLaunchPlan',
    { by: { id }, state },
    'launchPlan { id }',
    authorization,
  );
  expect(answer, JSON.stringify(answer)).toHaveProperty('launchPlan');
}
const on = (name: string, more: object = {}, of = project) => ({
  launchPlan: { project: of, domain, name },
  ...more,
});

let count = 0;
/** A launch plan, and an active one that it triggers. */
async function pair(trigger: object = {}, more: object = {}, authorization?: string) {
  const source = `source-${++count}`;
  await plan(source, {}, 'INACTIVE');
  const target = await plan(
    `target-${count}`,
    { triggers: [on(source, trigger)], ...more },
    'ACTIVE',
    authorization,
  );
  return { source, target };
}

/** Ends executions of an engine from outside, as its events would. */
const end = (ids: readonly string[], to: ExecutionPhase = 'SUCCEEDED') =>
  moveExecutions(ids, { to, from: ['QUEUED', 'RUNNING'], at: new Date() });

/** Runs an execution to its end. @returns its id. */
async function run(
  source: string,
  phase = 'SUCCEEDED',
  more: object = {},
  outputs: object = { z: 4 },
): Promise<string> {
  const id = await launch(app, project, source, { engine: 'EXTERNAL', ...more });
  if (phase === 'TIMED_OUT' || phase === 'ABORTED') {
    await end([id], phase);
    return id;
  }
  const result =
    phase === 'SUCCEEDED' ? { outputs } : { error: { code: 'Bad', message: 'bad', kind: 'USER' } };
  const event = { execution: { id }, phase, occurredAt: '2026-01-01T00:00:00Z', ...result };
  const answer = await mutate(app, 'createWorkflowEvent', event, 'execution { phase }');
  expect(answer, JSON.stringify(answer)).toMatchObject({ execution: { phase } });
  return id;
}

const firings = async (): Promise<string[]> =>
  (await pool.query('select id from trigger_firings order by wake_at, id')).rows.map((row) => row.id);
const makeDue = () => pool.query(`update trigger_firings set wake_at = now() - interval '1 second'`);
/** The one firing that is there. */
async function theFiring(): Promise<string> {
  const [id, ...others] = await firings();
  expect(others).toEqual([]);
  expect(id).toBeDefined();
  return id ?? '';
}
/** Fires everything that is due, with the firings of other tests ended before. */
async function fireAll(): Promise<void> {
  for (const id of await firings()) await fireTrigger(id);
}

const executionsOf = async (target: string): Promise<Answer[]> =>
  (
    await pool.query(
      `select id, mode::text as mode, source_id as source, principal_id as principal, inputs, domain
         from executions where launch_plan_id = $1 order by created_at, id`,
      [target],
    )
  ).rows;
async function failureOf(target: string): Promise<Answer> {
  const { data, errors } = await app.ask(
    'query ($id: ID!) { launchPlan(by: { id: $id }) { triggers { status { principal { username } failure { at code message } } } } }',
    { id: target },
  );
  expect(errors).toBeUndefined();
  return data.launchPlan.triggers[0].status.failure;
}

describe('the end of an execution', () => {
  it('starts an execution of the launch plan that it triggers, with its outputs', async () => {
    const { source, target } = await pair({ inputs: [{ var: 'x', output: 'z' }] });
    const sourceId = await run(source);
    await fireAll();
    const [started, ...others] = await executionsOf(target);
    expect(others).toEqual([]);
    const { data } = await app.ask(
      `query ($id: ID!) { execution(by: { id: $id }) {
         mode phase domain sourceExecution { id } referenceExecution { id } principal { username } data { inputs } launchPlan { id } } }`,
      { id: started.id },
    );
    expect(data.execution).toEqual({
      ...{ mode: 'TRIGGER', phase: 'QUEUED', domain, principal: { username: 'admin' } },
      ...{ sourceExecution: { id: sourceId }, referenceExecution: null },
      ...{ data: { inputs: { x: 4 } }, launchPlan: { id: target } },
    });
    expect(await failureOf(target)).toBeNull();
    expect(await firings()).toEqual([]);
  });

  const phases = ['SUCCEEDED', 'FAILED', 'ABORTED', 'TIMED_OUT'];
  it.each(phases)('in %s starts those that wait for this phase, and no others', async (phase) => {
    const source = `phases-${phase}`;
    await plan(source, {}, 'INACTIVE');
    const targets = new Map<string, string>();
    for (const wanted of phases)
      targets.set(
        wanted,
        await plan(`${source}-${wanted}`, { triggers: [on(source, { phases: [wanted] })] }),
      );
    const all = await plan(`${source}-all`, { triggers: [on(source, { phases })] });
    const usual = await plan(`${source}-usual`, { triggers: [on(source)] });
    await run(source, phase);
    await fireAll();
    for (const [wanted, target] of targets)
      expect(await executionsOf(target), wanted).toHaveLength(wanted === phase ? 1 : 0);
    expect(await executionsOf(all)).toHaveLength(1);
    expect(await executionsOf(usual)).toHaveLength(phase === 'SUCCEEDED' ? 1 : 0);
  });

  it('counts for all versions of the launch plan, wherever they run, and for no other launch plan', async () => {
    const { source, target } = await pair();
    await plan(source, { key: keyOf(project, source, 'v2') }, 'INACTIVE');
    const elsewhere = await plan(`elsewhere-${count}`, { triggers: [on(source, {}, other)] });
    const inOtherDomain = await plan(`domain-${count}`, {
      triggers: [{ launchPlan: { project, domain: 'production', name: source } }],
    });
    await run(source);
    await run(source, 'SUCCEEDED', { launchPlan: { key: keyOf(project, source, 'v2') } });
    await run(source, 'SUCCEEDED', { project: other });
    await fireAll();
    expect(await executionsOf(target)).toHaveLength(3);
    expect(await executionsOf(elsewhere)).toEqual([]);
    expect(await executionsOf(inOtherDomain)).toEqual([]);
  });

  it('of several executions in one statement starts one for each', async () => {
    const { source, target } = await pair({ phases: ['ABORTED'] });
    const ids = [await launch(app, project, source), await launch(app, project, source)];
    await end(ids, 'ABORTED');
    await end(ids, 'ABORTED');
    await fireAll();
    expect((await executionsOf(target)).map((one) => one.source).sort()).toEqual([...ids].sort());
  });

  it('starts nothing for a version that is not active when it ends', async () => {
    const { source, target } = await pair();
    await setState(target, 'INACTIVE');
    await run(source);
    await setState(target, 'ACTIVE');
    await fireAll();
    expect(await executionsOf(target)).toEqual([]);
    await run(source);
    await fireAll();
    expect(await executionsOf(target)).toHaveLength(1);
  });
});

describe('many ends', () => {
  const ENDS = process.env['SOAK'] ? 300 : 30;

  it(`${ENDS} of them give one execution each, with three schedulers at once`, async () => {
    const { source, target } = await pair();
    const loops = [startTriggerLoop(), startTriggerLoop(), startTriggerLoop()];
    onTestFinished(async () => {
      await Promise.all(loops.map((loop) => loop.stop()));
    });
    const ids = await Promise.all(Array.from({ length: ENDS }, () => run(source)));
    for (const loop of loops) loop.look();
    await eventually(firings, (left) => left.length === 0);
    const sources = (await executionsOf(target)).map((one) => one.source);
    expect(sources.sort()).toEqual([...ids].sort());
  });

  it('and a firing that several fire at once gives one execution', async () => {
    const { source, target } = await pair();
    await run(source);
    const id = await theFiring();
    await Promise.all([fireTrigger(id), fireTrigger(id), fireTrigger(id)]);
    await fireTrigger(id);
    expect(await executionsOf(target)).toHaveLength(1);
  });
});

describe('a scheduler that dies', () => {
  it('after its claim leaves the firing to another one, when the claim is over', async () => {
    const { source, target } = await pair();
    await run(source);
    const id = await theFiring();
    expect(await claimFiring(id)).toMatchObject({ id, attempts: 1 });
    await fireTrigger(id);
    expect(await executionsOf(target)).toEqual([]);
    await makeDue();
    await fireTrigger(id);
    expect(await executionsOf(target)).toHaveLength(1);
  });

  it('between the end of the firing and the execution has done neither', async () => {
    const { source, target } = await pair();
    await run(source);
    const id = await theFiring();
    const held = holdAnswers(/^with execution as \( insert into executions/);
    const dying = fireTrigger(id).then(
      () => 'done',
      () => 'died',
    );
    await eventually(
      () => held.held,
      (waiting) => waiting === 1,
    );
    await pool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and state = 'idle in transaction' and query like '%into executions%'`,
    );
    held.release();
    expect(await dying).toBe('died');
    // The pool may still hand the broken connection out.
    const found = await eventually(
      () => executionsOf(target).catch(() => null),
      (executions) => executions !== null,
    );
    expect(found).toEqual([]);
    await makeDue();
    await fireTrigger(id);
    expect(await executionsOf(target)).toHaveLength(1);
    expect(await failureOf(target)).toBeNull();
  });

  it('or sleeps for too long starts nothing when it wakes', async () => {
    const { source, target } = await pair();
    await run(source);
    const id = await theFiring();
    const held = holdAnswers(/^with recursive above/);
    const late = fireTrigger(id);
    await eventually(
      () => held.held,
      (waiting) => waiting === 1,
    );
    await makeDue();
    const inTime = fireTrigger(id);
    await eventually(
      () => held.held,
      (waiting) => waiting === 2,
    );
    held.release();
    await Promise.all([late, inTime]);
    expect(await executionsOf(target)).toHaveLength(1);
    expect(await failureOf(target)).toBeNull();
  });
});

describe('a deactivation', () => {
  it('ends what has not been started', async () => {
    const { source, target } = await pair();
    await run(source);
    const id = await theFiring();
    await setState(target, 'INACTIVE');
    await fireTrigger(id);
    expect(await executionsOf(target)).toEqual([]);
    expect(await firings()).toEqual([]);
  });

  it('that comes while a scheduler works on it is in time', async () => {
    const { source, target } = await pair();
    await run(source);
    const id = await theFiring();
    const held = holdAnswers(/^with recursive above/);
    const firing = fireTrigger(id);
    await eventually(
      () => held.held,
      (waiting) => waiting === 1,
    );
    await setState(target, 'INACTIVE');
    held.release();
    await firing;
    expect(await executionsOf(target)).toEqual([]);
    await makeDue();
    await fireAll();
    expect(await firings()).toEqual([]);
  });
});

describe('the user who activated the launch plan', () => {
  const setLevel = (field: string, userId: string, level: string) =>
    mutate(app, field, {
      resource: { project: { identifier: project } },
      subject: { user: { id: userId } },
      level,
    });
  async function userWith(name: string, level: string): Promise<{ id: string; authorization: string }> {
    const { user } = await createUser(app, { username: name, password, role: 'USER' });
    const granted = await setLevel('grantPermission', user.id, level);
    expect(granted, JSON.stringify(granted)).toMatchObject({ __typename: 'GrantPermissionPayload' });
    return { id: user.id, authorization: basic(name, password) };
  }

  it('is the principal, and must have the right to start it at that moment', async () => {
    const ada = await userWith('ada', 'EDIT');
    const { source, target } = await pair({}, {}, ada.authorization);
    await run(source);
    await fireAll();
    expect(await executionsOf(target)).toMatchObject([{ principal: ada.id }]);
    await setLevel('updatePermission', ada.id, 'READ');
    await run(source);
    await fireAll();
    expect(await failureOf(target)).toMatchObject({ code: 'PERMISSION_DENIED', at: expect.any(String) });
    expect(await firings()).toEqual([]);
    await setLevel('updatePermission', ada.id, 'EDIT');
    await fireAll();
    expect(await executionsOf(target)).toHaveLength(1);
    await editUser(app, { by: { id: ada.id }, disabled: true });
    await run(source);
    await fireAll();
    expect(await failureOf(target)).toMatchObject({
      code: 'PERMISSION_DENIED',
      message: 'the user who activated the launch plan is disabled or deleted',
    });
    expect(await executionsOf(target)).toHaveLength(1);
  });

  it('learns nothing about executions that are hidden', async () => {
    const bob = await userWith('bob', 'EDIT');
    const hidden = `hidden-${count}`;
    const made = await mutate(
      app,
      'createLaunchPlan',
      {
        ...{ key: keyOf(other, hidden), workflow: { key: keyOf(other, 'flow') }, defaultInputs: { x: 1 } },
      },
      'launchPlan { id }',
    );
    expect(made).toHaveProperty('launchPlan');
    const triggers = [on(hidden, {}, other)];
    const his = await plan(`his-${count}`, { triggers }, 'ACTIVE', bob.authorization);
    const ours = await plan(`ours-${count}`, { triggers });
    await run(hidden, 'SUCCEEDED', { project: other, launchPlan: { key: keyOf(other, hidden) } });
    await fireAll();
    expect(await executionsOf(his)).toEqual([]);
    expect(await failureOf(his)).toBeNull();
    expect(await executionsOf(ours)).toHaveLength(1);
    expect(await firings()).toEqual([]);
  });
});

describe('an execution that cannot be started', () => {
  it('because of its inputs is given up, and the status says why', async () => {
    const { source, target } = await pair({ inputs: [{ var: 'x', output: 'nothing' }] });
    await run(source);
    await fireAll();
    expect(await failureOf(target)).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('the execution that has ended has no output nothing'),
    });
    expect(await executionsOf(target)).toEqual([]);
    expect(await firings()).toEqual([]);
  });

  it('leaves its failure there when a later one is started', async () => {
    const { source, target } = await pair();
    await pool.query(
      'update launch_plan_triggers set activated_by_id = tenant_id where launch_plan_id = $1',
      [target],
    );
    await run(source);
    await fireAll();
    await pool.query(
      `update launch_plan_triggers set activated_by_id = (select id from users where username = 'admin') where launch_plan_id = $1`,
      [target],
    );
    await run(source);
    await fireAll();
    expect(await executionsOf(target)).toHaveLength(1);
    expect(await failureOf(target)).toMatchObject({ code: 'PERMISSION_DENIED' });
    await setState(target, 'ACTIVE');
    expect(await failureOf(target)).toBeNull();
  });

  it('because of the concurrency policy is given up too', async () => {
    const { source, target } = await pair({}, { concurrencyPolicy: { max: 1, behavior: 'SKIP' } });
    await run(source);
    await run(source);
    await fireAll();
    expect(await executionsOf(target)).toHaveLength(1);
    expect(await failureOf(target)).toMatchObject({ code: 'ALREADY_EXISTS' });
    expect(await firings()).toEqual([]);
  });

  it('because the server failed is tried 10 times, later and later, and then given up', async () => {
    const { source, target } = await pair();
    await run(source);
    const id = await theFiring();
    // The launch plan is not found there, which is the fault of the server.
    await pool.query('update launch_plan_triggers set tenant_id = $2 where launch_plan_id = $1', [
      target,
      newId(),
    ]);
    const waits: number[] = [];
    for (let attempt = 1; attempt <= 10; attempt += 1) {
      expect(await failureOf(target)).toBeNull();
      await makeDue();
      await fireTrigger(id);
      const { rows } = await pool.query(
        `select round(extract(epoch from wake_at - now()))::int as wait from trigger_firings`,
      );
      waits.push(...rows.map((row) => row.wait));
    }
    expect(waits.map((wait) => Math.round(Math.log2(wait)))).toEqual([1, 2, 3, 4, 5, 6, 6, 6, 6]);
    expect(await failureOf(target)).toMatchObject({
      code: 'INTERNAL',
      message: 'the server failed to create the execution',
    });
    expect(await firings()).toEqual([]);
  });
});

describe('launch plans that trigger each other', () => {
  it('stop after 32 executions, and the status says why', async () => {
    const a = await plan('ring-a', { triggers: [on('ring-b')] });
    const b = await plan('ring-b', { triggers: [on('ring-a')] });
    await run('ring-a');
    for (let rounds = 0; (await firings()).length > 0; rounds += 1) {
      expect(rounds).toBeLessThan(40);
      await fireAll();
      const { rows } = await pool.query(
        `select id from executions where mode = 'TRIGGER' and ended_at is null and launch_plan_id = any($1)`,
        [[a, b]],
      );
      await end(rows.map((row) => row.id));
    }
    const triggered = [...(await executionsOf(a)), ...(await executionsOf(b))].filter(
      (one) => one.mode === 'TRIGGER',
    );
    expect(triggered).toHaveLength(32);
    // The last execution is one of ring-a, so ring-b could not be started.
    expect(await failureOf(b)).toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringContaining('32 triggers have followed each other'),
    });
    expect(await failureOf(a)).toBeNull();
  });

  it('are counted through executions of nodes, and not through those that a user repeats', async () => {
    const { source } = await pair();
    const [first, child, second, repeated, third] = (await Promise.all(
      Array.from({ length: 5 }, () => launch(app, project, source)),
    )) as [string, string, string, string, string];
    const nodeId = newId();
    await pool.query(
      `insert into node_executions (id, tenant_id, execution_id, node_id, kind, spec_node_id, phase, created_at, updated_at)
       select $2, tenant_id, id, 'n', 'LAUNCH_PLAN', 'n', 'RUNNING', now(), now() from executions where id = $1`,
      [first, nodeId],
    );
    const set = (id: string, mode: string, from: string, parentNode: string | null = null) =>
      pool.query(
        'update executions set mode = $2::text::execution_mode, source_id = $3, parent_node_id = $4 where id = $1',
        [id, mode, from, parentNode],
      );
    await pool.query(`update executions set mode = 'TRIGGER' where id = $1`, [first]);
    await set(child, 'CHILD_WORKFLOW', first, nodeId);
    await set(second, 'TRIGGER', child);
    await set(repeated, 'RELAUNCH', second);
    await set(third, 'TRIGGER', repeated);
    const depths = await Promise.all([first, child, second, repeated, third].map(countTriggersAbove));
    expect(depths).toEqual([1, 1, 2, 0, 1]);
  });
});

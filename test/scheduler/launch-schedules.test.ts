/** What schedules start: one execution for each slot, whatever dies; who starts it; what happens to failures. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { scheduledExecutionName } from '../../src/executions/domain/execution-name.ts';
import { pool } from '../../src/platform/database/client.ts';
import { claimSchedule } from '../../src/registry/store/schedules.ts';
import { fireSchedule } from '../../src/scheduler/fire-schedule.ts';
import { startScheduleLoop } from '../../src/scheduler/launch-schedules.ts';
import { type Answer, basic, type LocalApp, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { editUser } from '../support/people.ts';
import { keyOf, registerProject, registerTask } from '../support/seed.ts';
import { holdAnswers } from '../support/statements.ts';
import { eventually } from '../support/waiting.ts';
import { activate, activator, dieBeforeCommit, executionsOf, setLevel, setState } from './activated-plans.ts';

const project = 'timed';
let app: LocalApp;

beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await registerProject(app, project);
  await registerTask(app, project, 'double', { inputs: { at: { simple: 'DATETIME' } }, outputs: {} });
  const inputs = [{ var: 'at', binding: { promise: { nodeId: '', var: 'at' } } }];
  const answer = await mutate(app, 'createWorkflow', {
    key: keyOf(project, 'flow'),
    template: {
      interface: { inputs: [{ name: 'at', type: { simple: 'DATETIME' } }], outputs: [] },
      nodes: [{ id: 'a', inputs, taskNode: { referenceId: keyOf(project, 'double') } }],
      outputs: [],
    },
  });
  expect(answer.__typename, JSON.stringify(answer)).toBe('CreateWorkflowPayload');
});
afterAll(() => app.stop());

const everyMinute = { rate: { value: 1, unit: 'MINUTE' } };

/** An active launch plan with a schedule. @returns the id of its version. */
async function scheduled(name: string, times: object = everyMinute, more: object = {}): Promise<string> {
  const key = keyOf(project, name);
  const schedule = { times, kickoffTimeInput: 'at', ...more };
  const { launchPlan } = await mutate(
    app,
    'createLaunchPlan',
    { key, workflow: { key: keyOf(project, 'flow') }, schedule },
    'launchPlan { id }',
  );
  await activate(app, launchPlan.id);
  return launchPlan.id;
}

/** Moves the activation into the past, so that this many slots of one minute are due. */
async function miss(planId: string, slots: number): Promise<string> {
  const { rows } = await pool.query(
    `update launch_plan_schedules
        set activated_at = date_trunc('second', now()) - $2 * interval '1 minute' - interval '5 seconds',
            last_slot_at = date_trunc('second', now()) - $2 * interval '1 minute' - interval '5 seconds',
            wake_at = case when paused_at is null then now() - interval '1 second' end
      where launch_plan_id = $1 returning id`,
    [planId, slots],
  );
  return rows[0]?.id as string;
}
const makeDue = (id: string) =>
  pool.query(`update launch_plan_schedules set wake_at = now() - interval '1 second' where id = $1`, [id]);

const statusFields = `scheduleStatus { activatedAt principal { username } lastSlot lastSkippedSlot
  failure { slot code message attempts isGivenUp } pause { at reason principal { username } } nextFireTimes(first: 3) }`;
async function statusOf(planId: string): Promise<Answer> {
  const { data, errors } = await app.ask(
    `query ($id: ID!) { launchPlan(by: { id: $id }) { ${statusFields} } }`,
    {
      id: planId,
    },
  );
  expect(errors).toBeUndefined();
  return data.launchPlan.scheduleStatus;
}

/** Takes turns until nothing is due. */
async function fire(id: string): Promise<void> {
  while (await fireSchedule(id));
}

const minutes = (executions: Answer[]) =>
  executions.slice(1).map((one, index) => (one.scheduled_at - executions[index].scheduled_at) / 60_000);

describe('a due slot', () => {
  it('gets an execution in mode SCHEDULED, for the nominal time, with the kickoff input', async () => {
    const planId = await scheduled('one');
    const id = await miss(planId, 1);
    await fire(id);
    const [execution, ...others] = await executionsOf(planId);
    expect(others).toEqual([]);
    const { data } = await app.ask(
      'query ($id: ID!) { execution(by: { id: $id }) { name mode scheduledAt principal { username } data { inputs } launchPlan { id } } }',
      { id: execution.id },
    );
    const slot = execution.scheduled_at.toISOString();
    expect(data.execution).toEqual({
      name: scheduledExecutionName(keyOf(project, 'one'), execution.scheduled_at),
      ...{
        mode: 'SCHEDULED',
        scheduledAt: slot,
        principal: { username: 'admin' },
        launchPlan: { id: planId },
      },
      data: { inputs: { at: slot.replace('.000Z', 'Z') } },
    });
    expect(execution.name).toMatch(/^f[0-9a-f]{19}$/);
    const status = await statusOf(planId);
    expect(status).toMatchObject({ lastSlot: slot, lastSkippedSlot: null, failure: null, pause: null });
    expect(Date.parse(status.nextFireTimes[0]) - Date.parse(slot)).toBe(60_000);
  });

  it('by a cron expression gets the nominal time too', async () => {
    const planId = await scheduled('cron', { cron: { expression: '0 0 * * *', timeZone: 'Asia/Tokyo' } });
    const id = await miss(planId, 2 * 24 * 60);
    await fire(id);
    const executions = await executionsOf(planId);
    expect(executions).toHaveLength(2);
    for (const { scheduled_at: slot, inputs } of executions) {
      expect(slot.toISOString()).toMatch(/T15:00:00.000Z$/);
      expect(inputs.at.scalar.primitive.datetime).toMatch(/T15:00:00/);
    }
  });

  it('is fired by the loop at its time, without anybody asking', async () => {
    const loop = startScheduleLoop();
    onTestFinished(() => loop.stop());
    const planId = await scheduled('seconds', { cron: { expression: '@every 1s' } });
    const executions = await eventually(
      () => executionsOf(planId),
      (found) => found.length >= 3,
    );
    await setState(app, planId, 'INACTIVE');
    const gaps = executions.slice(1).map((one, index) => one.scheduled_at - executions[index].scheduled_at);
    expect(new Set(gaps)).toEqual(new Set([1000]));
  });
});

describe('many slots', () => {
  const SLOTS = process.env['SOAK'] ? 1000 : 100;

  it(`${SLOTS} of them give as many executions, with three schedulers at once`, async () => {
    const plans = await Promise.all(['m1', 'm2', 'm3', 'm4'].map((name) => scheduled(name)));
    for (const planId of plans) await miss(planId, SLOTS / 4);
    const loops = [startScheduleLoop(), startScheduleLoop(), startScheduleLoop()];
    onTestFinished(async () => {
      await Promise.all(loops.map((loop) => loop.stop()));
    });
    for (const planId of plans) {
      const executions = await eventually(
        () => executionsOf(planId),
        (found) => found.length >= SLOTS / 4,
      );
      expect(executions).toHaveLength(SLOTS / 4);
      expect(new Set(minutes(executions))).toEqual(new Set([1]));
      const { lastSlot, failure } = await statusOf(planId);
      expect({ lastSlot, failure }).toEqual({
        lastSlot: executions.at(-1).scheduled_at.toISOString(),
        failure: null,
      });
    }
  });

  it.each([
    [20, 20, false],
    [21, 20, true],
  ])('that are due, %i of one schedule, give %i executions in one turn', async (due, started, hasMore) => {
    const planId = await scheduled(`turn-${due}`);
    const id = await miss(planId, due);
    expect(await fireSchedule(id)).toBe(hasMore);
    expect(await executionsOf(planId)).toHaveLength(started);
    await fire(id);
    expect(await executionsOf(planId)).toHaveLength(due);
  });

  it('of one schedule are shared by schedulers, in order and never twice', async () => {
    const planId = await scheduled('shared');
    const id = await miss(planId, 45);
    await Promise.all([fire(id), fire(id), fire(id)]);
    await fire(id);
    const executions = await executionsOf(planId);
    expect(executions).toHaveLength(45);
    expect(new Set(minutes(executions))).toEqual(new Set([1]));
  });
});

describe('a scheduler that dies', () => {
  it('after its claim leaves the slots to another one, when the claim is over', async () => {
    const planId = await scheduled('claimed');
    const id = await miss(planId, 3);
    expect(await claimSchedule(id)).toMatchObject({ id });
    await fire(id);
    expect(await executionsOf(planId)).toEqual([]);
    await makeDue(id);
    await fire(id);
    expect(await executionsOf(planId)).toHaveLength(3);
  });

  it('between the progress and the execution has done neither', async () => {
    const planId = await scheduled('killed');
    const id = await miss(planId, 3);
    await dieBeforeCommit(() => fireSchedule(id));
    expect(await executionsOf(planId)).toEqual([]);
    await makeDue(id);
    await fire(id);
    expect(await executionsOf(planId)).toHaveLength(3);
    expect((await statusOf(planId)).failure).toBeNull();
  });

  it('or sleeps for too long starts nothing when it wakes', async () => {
    const planId = await scheduled('late');
    const id = await miss(planId, 2);
    const held = holdAnswers(/join launch_plans as version on version.id = asked.id/);
    const late = fireSchedule(id);
    await eventually(
      () => held.held,
      (count) => count > 0,
    );
    // Another scheduler has given the first slot up meanwhile.
    await pool.query(
      `update launch_plan_schedules set last_slot_at = last_slot_at + interval '1 minute', claim_id = null, wake_at = now() - interval '1 second'
        where id = $1`,
      [id],
    );
    held.release();
    expect(await late).toBe(false);
    expect(await executionsOf(planId)).toEqual([]);
    await fire(id);
    expect(await executionsOf(planId)).toHaveLength(1);
  });

  it('finds the execution of a slot there, which is success', async () => {
    const planId = await scheduled('there');
    const id = await miss(planId, 2);
    await fire(id);
    const before = await executionsOf(planId);
    await pool.query(
      `update launch_plan_schedules set last_slot_at = activated_at, fired_slot_at = null, wake_at = now() - interval '1 second' where id = $1`,
      [id],
    );
    await fire(id);
    expect(await executionsOf(planId)).toEqual(before);
    expect(await statusOf(planId)).toMatchObject({
      ...{ failure: null, lastSlot: before[1].scheduled_at.toISOString() },
    });
  });
});

describe('activation', () => {
  it('starts the schedule from now on, and starts it anew if the version is active already', async () => {
    const planId = await scheduled('anew');
    const first = await statusOf(planId);
    await miss(planId, 5);
    await activate(app, planId);
    const again = await statusOf(planId);
    expect(Date.parse(again.activatedAt)).toBeGreaterThanOrEqual(Date.parse(first.activatedAt));
    const { rows } = await pool.query(
      'select id, wake_at > now() as later from launch_plan_schedules where launch_plan_id = $1',
      [planId],
    );
    expect(rows).toMatchObject([{ later: true }]);
    await fire(rows[0].id);
    expect(await executionsOf(planId)).toEqual([]);
  });

  it('moves the schedule from the version that was active, also to a version without one', async () => {
    const v1 = await scheduled('moves');
    const register = async (version: string, schedule: object | null) =>
      (
        await mutate(
          app,
          'createLaunchPlan',
          {
            key: keyOf(project, 'moves', version),
            workflow: { key: keyOf(project, 'flow') },
            defaultInputs: { at: '2026-01-01T00:00:00Z' },
            schedule,
          },
          'launchPlan { id }',
        )
      ).launchPlan.id;
    const v2 = await register('v2', { times: { rate: { value: 1, unit: 'DAY' } } });
    const v3 = await register('v3', null);
    expect(await statusOf(v2)).toBeNull();
    await activate(app, v2);
    expect(await statusOf(v1)).toBeNull();
    expect(await statusOf(v2)).toMatchObject({ principal: { username: 'admin' } });
    // An inactive version that is deactivated takes nothing from the active one.
    await setState(app, v1, 'INACTIVE');
    expect(await statusOf(v2)).not.toBeNull();
    await activate(app, v3);
    expect(await statusOf(v2)).toBeNull();
    await activate(app, v1);
    await setState(app, v1, 'INACTIVE');
    expect(await statusOf(v1)).toBeNull();
  });

  it('of two versions many times at once leaves one active version, and its schedule', async () => {
    const v1 = await scheduled('race');
    const { launchPlan } = await mutate(
      app,
      'createLaunchPlan',
      {
        key: keyOf(project, 'race', 'v2'),
        workflow: { key: keyOf(project, 'flow') },
        schedule: { times: everyMinute, kickoffTimeInput: 'at' },
      },
      'launchPlan { id }',
    );
    const ids = Array.from({ length: process.env['SOAK'] ? 100 : 20 }, (_, index) =>
      index % 2 ? v1 : launchPlan.id,
    );
    const answers = await Promise.all(ids.map((id) => setState(app, id, 'ACTIVE')));
    expect(answers.map((one) => one.launchPlan.state)).toEqual(ids.map(() => 'ACTIVE'));
    const { rows } = await pool.query(
      `select plan.id, schedule.launch_plan_id as scheduled from launch_plans as plan
         left join launch_plan_schedules as schedule on schedule.entity_id = plan.entity_id
        where plan.name = 'race' and plan.state = 'ACTIVE'`,
    );
    expect(rows).toEqual([{ id: rows[0].id, scheduled: rows[0].id }]);
  });

  it('ends before it answers: nothing is started after a deactivation', async () => {
    const planId = await scheduled('ended');
    const id = await miss(planId, 2);
    const held = holdAnswers(/join launch_plans as version on version.id = asked.id/);
    const firing = fireSchedule(id);
    await eventually(
      () => held.held,
      (count) => count > 0,
    );
    await pool.query('delete from launch_plan_schedules where id = $1', [id]);
    held.release();
    expect(await firing).toBe(false);
    expect(await executionsOf(planId)).toEqual([]);
  });
});

describe('the user who activated the launch plan', () => {
  it('is the principal, and must have the right to start it at that moment', async () => {
    const planId = await scheduled('rights');
    const ada = await activator(app, project, 'ada', 'EDIT');
    await activate(app, planId, ada.authorization);
    const id = await miss(planId, 2);
    await setLevel(app, project, 'updatePermission', ada.id, 'READ');
    await fire(id);
    expect(await executionsOf(planId)).toEqual([]);
    expect(await statusOf(planId)).toMatchObject({
      principal: { username: 'ada' },
      failure: { code: 'PERMISSION_DENIED', attempts: 1, isGivenUp: false },
    });
    await setLevel(app, project, 'updatePermission', ada.id, 'EDIT');
    await makeDue(id);
    await fire(id);
    const executions = await executionsOf(planId);
    expect(executions.map((one) => one.principal)).toEqual([ada.id, ada.id]);
    expect((await statusOf(planId)).failure).toBeNull();
    await editUser(app, { by: { id: ada.id }, disabled: true });
    await miss(planId, 1);
    await fire(id);
    expect((await statusOf(planId)).failure).toMatchObject({
      code: 'PERMISSION_DENIED',
      message: 'the user who activated the launch plan is disabled or deleted',
    });
    expect(await executionsOf(planId)).toHaveLength(2);
  });

  it('cannot activate a schedule with an access key that may not start executions', async () => {
    const planId = await scheduled('scopes');
    const keyWith = async (scopes: string[]) => {
      const { data } = await app.ask(
        `mutation ($scopes: [String!]) { createCredentials(input: { label: "k", scopes: $scopes }) { ... on CreateCredentialsPayload { accessKey secretKey } ... on Error { message } } }`,
        { scopes },
      );
      expect(data?.createCredentials?.accessKey, JSON.stringify(data)).toBeTruthy();
      return basic(data.createCredentials.accessKey, data.createCredentials.secretKey);
    };
    const narrow = await keyWith(['launchPlan:update', 'launchPlan:read']);
    expect(await setState(app, planId, 'ACTIVE', narrow)).toMatchObject({ code: 'PERMISSION_DENIED' });
    expect(await setState(app, planId, 'INACTIVE', narrow)).toHaveProperty('launchPlan');
    const wide = await keyWith(['launchPlan:update', 'launchPlan:read', 'launchPlan:use']);
    expect(await setState(app, planId, 'ACTIVE', wide)).toHaveProperty('launchPlan');
  });
});

describe('a slot that fails', () => {
  it('is tried 30 times and then given up, which the status shows, and the next one follows', async () => {
    const planId = await scheduled('fails');
    // More than one turn starts: a slot that fails ends the turn.
    const id = await miss(planId, 21);
    await pool.query(`update launch_plan_schedules set activated_by_id = tenant_id where id = $1`, [id]);
    for (let attempt = 1; attempt < 30; attempt += 1) {
      await makeDue(id);
      expect(await fireSchedule(id)).toBe(false);
      expect((await statusOf(planId)).failure).toMatchObject({ attempts: attempt, isGivenUp: false });
    }
    await makeDue(id);
    await fireSchedule(id);
    const { failure } = await statusOf(planId);
    expect(failure).toMatchObject({ attempts: 30, isGivenUp: true });
    await pool.query(
      `update launch_plan_schedules set activated_by_id = (select id from users where username = 'admin') where id = $1`,
      [id],
    );
    await fire(id);
    const executions = await executionsOf(planId);
    expect(executions).toHaveLength(20);
    expect(executions[0].scheduled_at.getTime() - Date.parse(failure.slot)).toBe(60_000);
    // What was given up stays visible.
    expect((await statusOf(planId)).failure).toMatchObject({ isGivenUp: true });
  });

  it('waits longer and longer between attempts, and others do not wait for it', async () => {
    const planId = await scheduled('waits');
    const id = await miss(planId, 1);
    await pool.query(`update launch_plan_schedules set activated_by_id = tenant_id where id = $1`, [id]);
    const waits: number[] = [];
    for (let attempt = 1; attempt <= 8; attempt += 1) {
      await makeDue(id);
      await fireSchedule(id);
      const { rows } = await pool.query(
        'select extract(epoch from wake_at - error_at)::float as seconds from launch_plan_schedules where id = $1',
        [id],
      );
      waits.push(Math.round(rows[0].seconds));
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
  });

  it('in an archived project is nothing to do', async () => {
    const planId = await scheduled('archived');
    const id = await miss(planId, 3);
    await pool.query(`update projects set state = 'ARCHIVED' where identifier = $1`, [project]);
    onTestFinished(async () => {
      await pool.query(`update projects set state = 'ACTIVE' where identifier = $1`, [project]);
    });
    expect(await fireSchedule(id)).toBe(false);
    expect(await executionsOf(planId)).toEqual([]);
    expect(await statusOf(planId)).toMatchObject({ failure: null, lastSlot: null });
    await pool.query(`update projects set state = 'ACTIVE' where identifier = $1`, [project]);
    await makeDue(id);
    await fire(id);
    expect(await executionsOf(planId)).toEqual([]);
  });
});

describe('missed slots', () => {
  it.each([
    ['NONE', 1],
    ['LAST', 1],
    ['ALL', 4],
  ])('are made up for as the policy %s says', async (catchUp, expected) => {
    const planId = await scheduled(`catch-${catchUp.toLowerCase()}`, everyMinute, {
      catchUp,
      catchUpLimit: 4,
    });
    // The newest slot was five seconds ago, so it is not missed.
    const id = await miss(planId, 10);
    await fire(id);
    expect(await executionsOf(planId)).toHaveLength(expected);
    expect((await statusOf(planId)).lastSkippedSlot).not.toBeNull();
  });
});

describe('pauseLaunchPlanSchedule', () => {
  const pause = (id: string, reason = 'maintenance', authorization?: string) =>
    mutate(
      app,
      'pauseLaunchPlanSchedule',
      { by: { id }, reason },
      `launchPlan { ${statusFields} }`,
      authorization,
    );
  const resume = (id: string) =>
    mutate(app, 'resumeLaunchPlanSchedule', { by: { id } }, `launchPlan { ${statusFields} }`);

  it('starts nothing until the schedule is resumed, and shows who, when and why', async () => {
    const planId = await scheduled('paused');
    const paused = (await pause(planId)).launchPlan.scheduleStatus;
    expect(paused).toMatchObject({
      pause: { reason: 'maintenance', at: expect.any(String), principal: { username: 'admin' } },
      nextFireTimes: [],
    });
    const id = await miss(planId, 3);
    await fire(id);
    expect(await executionsOf(planId)).toEqual([]);
    expect((await resume(planId)).launchPlan.scheduleStatus).toMatchObject({ pause: null });
    await fire(id);
    expect(await executionsOf(planId)).toHaveLength(3);
  });

  it.each([
    ['NONE', 0],
    ['LAST', 1],
    ['ALL', 2],
  ])('lets the policy %s decide about the slots of the pause', async (catchUp, expected) => {
    const planId = await scheduled(`resumed-${catchUp.toLowerCase()}`, everyMinute, {
      catchUp,
      catchUpLimit: 2,
    });
    await pause(planId);
    const id = await miss(planId, 5);
    await resume(planId);
    await fire(id);
    expect(await executionsOf(planId)).toHaveLength(expected);
    expect((await statusOf(planId)).lastSkippedSlot).not.toBeNull();
  });

  it('changes nothing if it is paused or resumed already', async () => {
    const planId = await scheduled('twice');
    const first = (await pause(planId, 'first')).launchPlan.scheduleStatus.pause;
    expect((await pause(planId, 'second')).launchPlan.scheduleStatus.pause).toEqual(first);
    await resume(planId);
    const { nextFireTimes } = await statusOf(planId);
    expect((await resume(planId)).launchPlan.scheduleStatus).toMatchObject({ pause: null, nextFireTimes });
  });

  it('stays when another version is activated, and ends with a deactivation', async () => {
    const planId = await scheduled('stays');
    await pause(planId);
    await activate(app, planId);
    const id = await miss(planId, 1);
    await fire(id);
    expect(await executionsOf(planId)).toEqual([]);
    expect((await statusOf(planId)).pause).toMatchObject({ reason: 'maintenance' });
    await setState(app, planId, 'INACTIVE');
    await activate(app, planId);
    expect((await statusOf(planId)).pause).toBeNull();
  });

  it('is refused without a schedule that runs, and without a reason', async () => {
    const planId = await scheduled('inactive');
    for (const reason of ['', '  ', 'a'.repeat(501)])
      expect(await pause(planId, reason)).toMatchObject({
        code: 'INVALID_ARGUMENT',
        path: ['input', 'reason'],
      });
    await setState(app, planId, 'INACTIVE');
    expect(await pause(planId)).toMatchObject({ code: 'FAILED_PRECONDITION', path: ['input', 'by'] });
    expect(await resume(planId)).toMatchObject({ code: 'FAILED_PRECONDITION', path: ['input', 'by'] });
  });
});

describe('nextFireTimes', () => {
  it('lists at most 20 future slots', async () => {
    const planId = await scheduled('next', { cron: { expression: '0 0 29 2 *' } });
    const ask = (first: number) =>
      app.ask(
        `{ launchPlan(by: { id: "${planId}" }) { scheduleStatus { nextFireTimes(first: ${first}) } } }`,
      );
    const { nextFireTimes } = (await ask(2)).data.launchPlan.scheduleStatus;
    expect(nextFireTimes.map((time: string) => time.slice(4))).toEqual([
      '-02-29T00:00:00.000Z',
      '-02-29T00:00:00.000Z',
    ]);
    for (const first of [0, 21])
      expect((await ask(first)).errors?.[0]?.extensions.code).toBe('INVALID_ARGUMENT');
    expect((await ask(20)).data.launchPlan.scheduleStatus.nextFireTimes).toHaveLength(20);
  });
});

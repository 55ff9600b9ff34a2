/** What is shown of a schedule that runs, how it is paused, and who may work on it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pool } from '../../../src/platform/database/client.ts';
import { newId } from '../../../src/platform/ids.ts';
import { claimSchedule, recordSlotFailure } from '../../../src/registry/store/schedules.ts';
import { type Answer, type LocalApp, startApp } from '../../support/app.ts';
import { mutate } from '../../support/mutate.ts';
import { keyOf, registerProject, registerTask, registerWorkflow } from '../../support/seed.ts';
import { overtaken } from '../../support/waiting.ts';

const project = 'timed';
let app: LocalApp;

beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerWorkflow(app, project, 'flow', { a: [] });
});
afterAll(() => app.stop());

const everyHour = { times: { rate: { value: 1, unit: 'HOUR' } } };
let count = 0;

/** An active launch plan with a schedule. @returns the id of its version. */
async function scheduled(more: object = {}): Promise<string> {
  const { launchPlan } = await mutate(
    app,
    'createLaunchPlan',
    {
      key: keyOf(project, `plan-${++count}`),
      ...{ workflow: { key: keyOf(project, 'flow') }, defaultInputs: { x: 1 } },
      schedule: { ...everyHour, ...more },
    },
    'launchPlan { id }',
  );
  const input = { by: { id: launchPlan.id }, state: 'ACTIVE' };
  expect(await mutate(app, 'updateLaunchPlan', input)).toMatchObject({
    __typename: 'UpdateLaunchPlanPayload',
  });
  return launchPlan.id;
}

/** Sets columns of the schedule that runs. @returns its id. */
async function set(planId: string, columns: string): Promise<string> {
  const { rows } = await pool.query(
    `update launch_plan_schedules set ${columns} where launch_plan_id = $1 returning id`,
    [planId],
  );
  return rows[0].id;
}

async function rowOf(planId: string): Promise<Answer> {
  const { rows } = await pool.query('select * from launch_plan_schedules where launch_plan_id = $1', [
    planId,
  ]);
  return rows[0];
}

const pause = (id: string, reason = 'maintenance') =>
  mutate(
    app,
    'pauseLaunchPlanSchedule',
    { by: { id }, reason },
    'launchPlan { scheduleStatus { pause { reason } } }',
  );
const resume = (id: string) =>
  mutate(
    app,
    'resumeLaunchPlanSchedule',
    { by: { id } },
    'launchPlan { scheduleStatus { pause { reason } } }',
  );

describe('nextFireTimes', () => {
  it.each([
    ['', 5],
    ['(first: null)', 5],
    ['(first: 1)', 1],
    ['(first: 20)', 20],
  ])('%s lists the next slots: %i of them', async (given, expected) => {
    const id = await scheduled();
    const { data } = await app.ask(
      `{ launchPlan(by: { id: "${id}" }) { scheduleStatus { nextFireTimes${given} } } }`,
    );
    expect(data.launchPlan.scheduleStatus.nextFireTimes).toHaveLength(expected);
  });
});

describe('the policy for missed slots', () => {
  it.each([
    [{}, 'ALL', 1000],
    [{ catchUp: 'LAST' }, 'LAST', 1000],
    [{ catchUpLimit: 4 }, 'ALL', 4],
    [{ catchUp: null, catchUpLimit: null }, 'ALL', 1000],
  ])('of %j is %s, with the limit %i', async (given, catchUp, catchUpLimit) => {
    const id = await scheduled(given);
    const { data } = await app.ask(
      `{ launchPlan(by: { id: "${id}" }) { schedule { catchUp catchUpLimit } } }`,
    );
    expect(data.launchPlan.schedule).toEqual({ catchUp, catchUpLimit });
  });
});

describe('pauseLaunchPlanSchedule', () => {
  it('takes a reason of 500 characters', async () => {
    const id = await scheduled();
    const reason = 'a'.repeat(500);
    expect((await pause(id, reason)).launchPlan.scheduleStatus.pause).toEqual({ reason });
  });

  it('keeps the reason of a pause that it has waited for', async () => {
    const id = await scheduled();
    const second = await overtaken(
      () => pause(id, 'second'),
      (tx) =>
        tx.launchPlanSchedule.updateMany({
          where: { launchPlanId: id },
          data: { pausedAt: new Date(), pauseReason: 'first', wakeAt: null },
        }),
    );
    expect(second.launchPlan.scheduleStatus.pause).toEqual({ reason: 'first' });
  });
});

describe('resumeLaunchPlanSchedule', () => {
  it('never goes back to slots that are done, also after the clock of the database has gone back', async () => {
    const id = await scheduled({ catchUp: 'NONE' });
    await pause(id);
    await set(id, `last_slot_at = date_trunc('second', now()) + interval '1 day'`);
    const { last_slot_at: lastSlot } = await rowOf(id);
    await resume(id);
    expect(await rowOf(id)).toMatchObject({ paused_at: null, last_slot_at: lastSlot });
  });
});

describe('a scheduler that claims a schedule', () => {
  const due = `wake_at = now() - interval '1 second'`;

  it('has it for 30 seconds', async () => {
    const planId = await scheduled();
    const claimed = await claimSchedule(await set(planId, due));
    const { wake_at: wakeAt } = await rowOf(planId);
    expect(wakeAt.getTime() - (claimed?.now.getTime() ?? 0)).toBe(30_000);
  });

  it('records no failure once another one has it', async () => {
    const planId = await scheduled();
    const id = await set(planId, due);
    const [early] = [await claimSchedule(id), await set(planId, due)];
    const late = await claimSchedule(id);
    const slot = new Date('2026-11-27T10:00:00.000Z');
    const failure = { slot, code: 'INTERNAL', message: 'down', isLost: false, retrySeconds: 1 };
    await recordSlotFailure({ id, claimId: early?.claimId ?? newId() }, failure);
    expect(await rowOf(planId)).toMatchObject({ attempts: 0, error_at: null, claim_id: late?.claimId });
    await recordSlotFailure({ id, claimId: late?.claimId ?? newId() }, failure);
    expect(await rowOf(planId)).toMatchObject({ attempts: 1, error_slot_at: slot, claim_id: null });
  });
});

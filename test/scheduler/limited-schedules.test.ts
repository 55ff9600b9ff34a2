/** Schedules of launch plans that limit how many executions run at the same time. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pool } from '../../src/platform/database/client.ts';
import { fireSchedule } from '../../src/scheduler/fire-schedule.ts';
import { type App, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { createLaunchPlan, keyOf, registerProject, registerTask, registerWorkflow } from '../support/seed.ts';

const project = 'limited';
let app: App;

beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerWorkflow(app, project, 'one', { a: [] });
});
afterAll(() => app.stop());

/** An active launch plan with three due slots, one a minute. @returns the id of its schedule. */
async function withDueSlots(name: string, behavior: string): Promise<string> {
  const key = keyOf(project, name);
  const plan = await createLaunchPlan(app, {
    ...{ key, workflow: { key: keyOf(project, 'one') }, defaultInputs: { x: 1 } },
    schedule: { times: { rate: { value: 1, unit: 'MINUTE' } } },
    concurrencyPolicy: { max: 1, behavior },
  });
  expect(plan, JSON.stringify(plan)).toMatchObject({ __typename: 'CreateLaunchPlanPayload' });
  await mutate(app, 'updateLaunchPlan', { by: { key }, state: 'ACTIVE' });
  const { rows } = await pool.query(
    `update launch_plan_schedules
        set activated_at = now() - interval '185 seconds', last_slot_at = now() - interval '185 seconds',
            wake_at = now() - interval '1 second'
      where launch_plan_id = $1 returning id`,
    [plan['launchPlan'].id],
  );
  return rows[0].id;
}

/** The executions of the launch plan, and whether its newest slot is over. */
async function resultOf(name: string) {
  const { rows } = await pool.query(
    `select count(execution.id)::int as executions, count(*) filter (where execution.awaits_slot)::int as waiting,
            min(schedule.last_slot_at) > now() - interval '60 seconds' as "isDone"
       from launch_plans as plan join launch_plan_schedules as schedule on schedule.launch_plan_id = plan.id
       left join executions as execution on execution.launch_plan_id = plan.id
      where plan.name = $1`,
    [name],
  );
  return rows[0];
}

describe('a due slot of a launch plan that allows one execution at a time', () => {
  it('is over without an execution under SKIP, while the first execution runs', async () => {
    const id = await withDueSlots('skips', 'SKIP');
    while (await fireSchedule(id));
    expect(await resultOf('skips')).toEqual({ executions: 1, waiting: 0, isDone: true });
  });

  it('gets an execution that waits under QUEUE', async () => {
    const id = await withDueSlots('queues', 'QUEUE');
    while (await fireSchedule(id));
    expect(await resultOf('queues')).toEqual({ executions: 3, waiting: 2, isDone: true });
  });
});

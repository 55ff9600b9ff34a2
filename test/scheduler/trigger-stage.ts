/** Launch plans that trigger others, executions that end, and firings, for tests. */
import { afterAll, beforeAll, expect } from 'vitest';
import { moveExecutions } from '../../src/executions/store/moves.ts';
import type { ExecutionPhase } from '../../src/generated/prisma/enums.ts';
import { pool } from '../../src/platform/database/client.ts';
import { fireTrigger } from '../../src/scheduler/fire-trigger.ts';
import { type Answer, type LocalApp, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { domain, keyOf, launch, registerProject, registerTask, registerWorkflow } from '../support/seed.ts';
import { type HeldAnswers, holdAnswers } from '../support/statements.ts';
import { eventually } from '../support/waiting.ts';
import { moveTo } from './activated-plans.ts';

/** Ends executions of an engine from outside, as its events would. */
export const end = (ids: readonly string[], to: ExecutionPhase = 'SUCCEEDED') =>
  moveExecutions(ids, { to, from: ['QUEUED', 'RUNNING'], at: new Date() });

export const firings = async (): Promise<string[]> =>
  (await pool.query('select id from trigger_firings order by wake_at, id')).rows.map((row) => row.id);
export const makeDue = () => pool.query(`update trigger_firings set wake_at = now() - interval '1 second'`);
/** The one firing that is there. */
export async function theFiring(): Promise<string> {
  const [id, ...others] = await firings();
  expect(others).toEqual([]);
  expect(id).toBeDefined();
  return id ?? '';
}
/** Fires, and holds the answer to the first statement of this form. By default, before it is known what the firing is about. */
export async function heldFiring(
  id: string,
  form = /^select trigger_depth/,
): Promise<{ fired: Promise<unknown>; held: HeldAnswers }> {
  const held = holdAnswers(form);
  const fired = fireTrigger(id);
  await eventually(
    () => held.held,
    (waiting) => waiting === 1,
  );
  return { fired, held };
}
/** Fires everything that is due, with the firings of other tests ended before. */
export async function fireAll(): Promise<void> {
  for (const id of await firings()) await fireTrigger(id);
}

/**
 * Starts a server without a scheduler for the tests of a file, with a workflow in each project. The launch plans are in
 * the first one.
 */
export function triggerStage(project: string, ...others: readonly string[]) {
  let app: LocalApp;

  beforeAll(async () => {
    app = await startApp({ scheduler: false });
    for (const name of [project, ...others]) {
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
    await moveTo(app, made.launchPlan.id, state, authorization);
    return made.launchPlan.id;
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
    return { source, target, targetName: `target-${count}` };
  }

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

  async function failureOf(target: string): Promise<Answer> {
    const { data, errors } = await app.ask(
      'query ($id: ID!) { launchPlan(by: { id: $id }) { triggers { status { principal { username } failure { at code message } } } } }',
      { id: target },
    );
    expect(errors).toBeUndefined();
    return data.launchPlan.triggers[0].status.failure;
  }

  return { app: () => app, plan, on, pair, run, failureOf };
}

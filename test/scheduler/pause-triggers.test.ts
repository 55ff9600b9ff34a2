/** Triggers that are paused start nothing. */
import { beforeAll, describe, expect, it } from 'vitest';
import { pool } from '../../src/platform/database/client.ts';
import type { Answer, LocalApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { keyOf } from '../support/seed.ts';
import { untilLocked } from '../support/waiting.ts';
import { activator, executionsOf, moveTo } from './activated-plans.ts';
import { fireAll, firings, heldFiring, theFiring, triggerStage } from './trigger-stage.ts';

const project = 'paused';
const stage = triggerStage(project);
const { plan, on, pair, run, failureOf } = stage;
let app: LocalApp;
beforeAll(() => {
  app = stage.app();
});

describe('pauseLaunchPlanTriggers', () => {
  const statusFields = 'launchPlan { triggers { status { pause { at reason principal { username } } } } }';
  const pause = (id: string, reason = 'maintenance', authorization?: string) =>
    mutate(app, 'pauseLaunchPlanTriggers', { by: { id }, reason }, statusFields, authorization);
  const resume = (id: string) => mutate(app, 'resumeLaunchPlanTriggers', { by: { id } }, statusFields);
  const pausesIn = (answer: Answer) => {
    expect(answer, JSON.stringify(answer)).toHaveProperty('launchPlan');
    return answer.launchPlan.triggers.map(({ status }: Answer) => status?.pause ?? null);
  };
  const byAdmin = { reason: 'maintenance', at: expect.any(String), principal: { username: 'admin' } };

  it('starts nothing until they are resumed, and nothing later for what ended meanwhile', async () => {
    const { source, target } = await pair();
    expect(pausesIn(await pause(target))).toEqual([byAdmin]);
    await run(source);
    expect(await firings()).toEqual([]);
    expect(pausesIn(await resume(target))).toEqual([null]);
    await fireAll();
    expect(await executionsOf(target)).toEqual([]);
    await run(source);
    await fireAll();
    expect(await executionsOf(target)).toHaveLength(1);
  });

  it('gives up what has ended before and was not started yet', async () => {
    const { source, target } = await pair();
    await run(source);
    await pause(target);
    // Nobody could start anything, but nothing is tried either.
    await pool.query(
      'update launch_plan_triggers set activated_by_id = tenant_id where launch_plan_id = $1',
      [target],
    );
    await fireAll();
    expect(await firings()).toEqual([]);
    await resume(target);
    await fireAll();
    expect(await executionsOf(target)).toEqual([]);
    expect(await failureOf(target)).toBeNull();
  });

  it('that comes while a scheduler works on a firing is in time', async () => {
    const { source, target } = await pair();
    await run(source);
    const id = await theFiring();
    const { fired: firing, held } = await heldFiring(id);
    await pause(target);
    held.release();
    await firing;
    expect(await executionsOf(target)).toEqual([]);
    expect(await firings()).toEqual([]);
  });

  it('waits for an execution that is being stored', async () => {
    const { source, target } = await pair();
    await run(source);
    const id = await theFiring();
    const { fired: firing, held } = await heldFiring(id, /^with execution as \( insert into executions/);
    const order: string[] = [];
    const pausing = pause(target).then(() => order.push('paused'));
    await untilLocked();
    order.push('stored');
    held.release();
    await Promise.all([firing, pausing]);
    expect(order).toEqual(['stored', 'paused']);
    expect(await executionsOf(target)).toHaveLength(1);
  });

  it('pauses all triggers of the version, and changes nothing if they are paused or resumed already', async () => {
    const target = await plan('two-triggers', { triggers: [on('one'), on('two')] });
    const first = pausesIn(await pause(target));
    expect(first).toEqual([byAdmin, byAdmin]);
    expect(pausesIn(await pause(target, 'second'))).toEqual(first);
    expect(pausesIn(await resume(target))).toEqual([null, null]);
    expect(pausesIn(await resume(target))).toEqual([null, null]);
  });

  it('stays when another version is activated, and ends with a deactivation', async () => {
    const { source, target, targetName } = await pair();
    const [paused] = pausesIn(await pause(target));
    await moveTo(app, target, 'ACTIVE');
    expect(pausesIn(await pause(target, 'second'))).toEqual([paused]);
    const v2 = await plan(targetName, {
      key: keyOf(project, targetName, 'v2'),
      triggers: [on(source), on('another')],
    });
    expect(pausesIn(await pause(v2, 'second'))).toEqual([paused, paused]);
    await run(source);
    expect(await firings()).toEqual([]);
    await moveTo(app, v2, 'INACTIVE');
    await moveTo(app, v2, 'ACTIVE');
    expect(pausesIn(await resume(v2))).toEqual([null, null]);
    await run(source);
    await fireAll();
    expect(await executionsOf(v2)).toHaveLength(1);
  });

  it.each([
    ['no triggers', {}, 'ACTIVE'],
    ['triggers that do not act', { triggers: [on('one')] }, 'INACTIVE'],
  ])('answers FAILED_PRECONDITION for a version with %s', async (_name, more, state) => {
    const id = await plan(`without-${state.toLowerCase()}`, more, state);
    for (const answer of [await pause(id), await resume(id)])
      expect(answer).toMatchObject({ code: 'FAILED_PRECONDITION', path: ['input', 'by'] });
  });

  it.each([
    ['an empty reason', '  '],
    ['a long reason', 'a'.repeat(501)],
  ])('refuses %s', async (_name, reason) => {
    const { target } = await pair();
    expect(await pause(target, reason)).toMatchObject({
      code: 'INVALID_ARGUMENT',
      path: ['input', 'reason'],
    });
    expect(pausesIn(await pause(target, 'a'.repeat(500)))).toMatchObject([{ reason: 'a'.repeat(500) }]);
  });

  it('needs EDIT', async () => {
    const { target } = await pair();
    const { authorization } = await activator(app, project, 'reader', 'USE');
    expect(await pause(target, 'no', authorization)).toMatchObject({ code: 'PERMISSION_DENIED' });
    expect(pausesIn(await resume(target))).toEqual([null]);
  });
});

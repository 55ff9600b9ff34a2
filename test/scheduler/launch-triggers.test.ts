/** What triggers start: one execution for each end of another execution, whatever dies; who starts it; what fails. */
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { generatedExecutionName } from '../../src/executions/domain/execution-name.ts';
import { insertExecution } from '../../src/executions/store/create.ts';
import { claimFiring, findTriggerChain } from '../../src/executions/store/trigger-firings.ts';
import type { ExecutionMode } from '../../src/generated/prisma/enums.ts';
import { db, pool } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { fireTrigger } from '../../src/scheduler/fire-trigger.ts';
import { startTriggerLoop } from '../../src/scheduler/launch-triggers.ts';
import type { LocalApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { editUser } from '../support/people.ts';
import { domain, eventually, keyOf, launch } from '../support/seed.ts';
import { activator, dieBeforeCommit, executionsOf, moveTo, setLevel } from './activated-plans.ts';
import { end, fireAll, firings, heldFiring, makeDue, theFiring, triggerStage } from './trigger-stage.ts';

const project = 'chained';
const other = 'other';
const stage = triggerStage(project, other);
const { plan, on, pair, run, failureOf } = stage;
let app: LocalApp;
beforeAll(() => {
  app = stage.app();
});

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
    const elsewhere = await plan('elsewhere', { triggers: [on(source, {}, other)] });
    const inOtherDomain = await plan('in-domain', {
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
    await moveTo(app, target, 'INACTIVE');
    await run(source);
    await moveTo(app, target, 'ACTIVE');
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
    await dieBeforeCommit(() => fireTrigger(id));
    expect(await executionsOf(target)).toEqual([]);
    await makeDue();
    await fireTrigger(id);
    expect(await executionsOf(target)).toHaveLength(1);
    expect(await failureOf(target)).toBeNull();
  });

  it('or sleeps for too long starts nothing when it wakes', async () => {
    const { source, target } = await pair();
    await run(source);
    const id = await theFiring();
    const { fired: late, held } = await heldFiring(id);
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
    await moveTo(app, target, 'INACTIVE');
    await fireTrigger(id);
    expect(await executionsOf(target)).toEqual([]);
    expect(await firings()).toEqual([]);
  });

  it('that comes while a scheduler works on it is in time', async () => {
    const { source, target } = await pair();
    await run(source);
    const id = await theFiring();
    const { fired: firing, held } = await heldFiring(id);
    await moveTo(app, target, 'INACTIVE');
    held.release();
    await firing;
    expect(await executionsOf(target)).toEqual([]);
    await makeDue();
    await fireAll();
    expect(await firings()).toEqual([]);
  });
});

describe('the user who activated the launch plan', () => {
  it('is the principal, and must have the right to start it at that moment', async () => {
    const ada = await activator(app, project, 'ada', 'EDIT');
    const { source, target } = await pair({}, {}, ada.authorization);
    await run(source);
    await fireAll();
    expect(await executionsOf(target)).toMatchObject([{ principal: ada.id }]);
    await setLevel(app, project, 'updatePermission', ada.id, 'READ');
    await run(source);
    await fireAll();
    expect(await failureOf(target)).toMatchObject({ code: 'PERMISSION_DENIED', at: expect.any(String) });
    expect(await firings()).toEqual([]);
    await setLevel(app, project, 'updatePermission', ada.id, 'EDIT');
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
    const bob = await activator(app, project, 'bob', 'EDIT');
    const hidden = 'hidden';
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
    const his = await plan('his', { triggers }, 'ACTIVE', bob.authorization);
    const ours = await plan('ours', { triggers });
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
    await moveTo(app, target, 'ACTIVE');
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
    const begin = await launch(app, project, source);
    const { lastSequence: _events, ...model } = await db.execution.findUniqueOrThrow({
      where: { id: begin },
    });
    const nodeId = newId();
    await pool.query(
      `insert into node_executions (id, tenant_id, execution_id, node_id, kind, spec_node_id, phase, created_at, updated_at)
       select $2, tenant_id, id, 'n', 'LAUNCH_PLAN', 'n', 'RUNNING', now(), now() from executions where id = $1`,
      [begin, nodeId],
    );
    const from = async (sourceId: string, mode: ExecutionMode, parentNodeId: string | null = null) => {
      const id = newId();
      const origin = { mode, sourceId, parentNodeId, referenceId: null };
      const made = {
        ...model,
        ...origin,
        id,
        name: generatedExecutionName(),
        spec: {},
        notifications: null,
        inputs: {},
        userInputs: {},
      };
      expect(await insertExecution(made)).not.toBeNull();
      return id;
    };
    const first = await from(begin, 'TRIGGER');
    const child = await from(first, 'CHILD_WORKFLOW', nodeId);
    const recovered = await from(child, 'RECOVERED', nodeId);
    const second = await from(recovered, 'TRIGGER');
    const repeated = await from(second, 'RELAUNCH');
    const third = await from(repeated, 'TRIGGER');
    const chains = await Promise.all(
      [first, child, recovered, second, repeated, third].map(findTriggerChain),
    );
    expect(chains.map(({ depth }) => depth)).toEqual([1, 1, 1, 2, 0, 1]);
    expect(chains.map(({ firstId }) => firstId)).toEqual([begin, begin, begin, begin, repeated, repeated]);
  });

  it('stop when the end of one execution has led to 1000 others, and the status says why', async () => {
    // Each round has twice as many executions as the round before.
    const a = await plan('wide-a', { triggers: [on('wide-b'), on('wide-c')] });
    const b = await plan('wide-b', { triggers: [on('wide-a')] });
    const c = await plan('wide-c', { triggers: [on('wide-a')] });
    const beginning = await run('wide-a');
    const other = await run('wide-a');
    for (const id of await firings()) await fireTrigger(id);
    expect(await startedBy(beginning)).toBe(2);
    expect(await startedBy(other)).toBe(2);
    await startedBy(beginning, 997);
    await endOf([b, c]);
    await Promise.all((await firings()).map(fireTrigger));
    expect([await startedBy(beginning), await startedBy(other)]).toEqual([999, 4]);
    await endOf([a]);
    await Promise.all((await firings()).map(fireTrigger));
    // Two executions of wide-a in each chain would start four others, but one chain may have only one more.
    expect([await startedBy(beginning), await startedBy(other)]).toEqual([1000, 8]);
    expect((await executionsOf(b)).length + (await executionsOf(c)).length).toBe(4 + 5);
    expect([await failureOf(b), await failureOf(c)]).toContainEqual({
      ...{ code: 'RESOURCE_EXHAUSTED', at: expect.any(String) },
      message: expect.stringContaining('the end of one execution has led to 1000 others through triggers'),
    });
    expect(await firings()).toEqual([]);
  });

  /** How many executions an end has led to. @param set  makes it this number first. */
  async function startedBy(executionId: string, set: number | null = null): Promise<number> {
    const { rows } = await pool.query(
      `update trigger_chains set started = coalesce($2, started) where execution_id = $1 returning started`,
      [executionId, set],
    );
    return rows[0]?.started;
  }

  /** Ends the executions of these versions that have not ended. */
  async function endOf(launchPlanIds: readonly string[]): Promise<void> {
    const { rows } = await pool.query(
      'select id from executions where ended_at is null and launch_plan_id = any($1)',
      [launchPlanIds],
    );
    await end(rows.map((row) => row.id));
  }

  it('start the last execution that is allowed once, however many schedulers fire at the same time', async () => {
    const { source } = await pair();
    for (let more = 0; more < 7; more += 1) await plan(`crowd-${more}`, { triggers: [on(source)] });
    const id = await run(source);
    await pool.query(
      `insert into trigger_chains (execution_id, tenant_id, started) select id, tenant_id, 999 from executions where id = $1`,
      [id],
    );
    const all = await firings();
    expect(all).toHaveLength(8);
    await Promise.all(all.map(fireTrigger));
    const { rows } = await pool.query('select count(*)::int as count from executions where source_id = $1', [
      id,
    ]);
    expect(rows).toEqual([{ count: 1 }]);
    expect(await startedBy(id)).toBe(1000);
  });
});

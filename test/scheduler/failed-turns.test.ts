import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { assignPool } from '../../src/jobs/commands/assign-jobs.ts';
import { db, pool } from '../../src/platform/database/client.ts';
import { UnavailableError } from '../../src/platform/errors.ts';
import { log } from '../../src/platform/log.ts';
import { advanceExecution } from '../../src/scheduler/advance-executions.ts';
import { recordFailedTurn } from '../../src/scheduler/failed-turns.ts';
import { startScheduler } from '../../src/scheduler/start.ts';
import { listDueExecutions } from '../../src/scheduler/store.ts';
import { type App, startApp } from '../support/app.ts';
import { Hands } from '../support/hands.ts';
import {
  createLaunchPlan,
  createTask,
  createWorkflow,
  eventually,
  keyOf,
  launch,
  readExecution,
  registerProject,
  registerTask,
  registerWorkflow,
  taskInput,
} from '../support/seed.ts';

const project = 'failing';
let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await registerProject(app, project);
  await registerTask(app, project, 'double');
});
afterAll(() => app.stop());

const stateOf = async (id: string) => {
  const { rows } = await pool.query(
    `select failed_turns as "failedTurns", extract(epoch from advance_at - now())::float as "dueIn"
       from executions where id = $1`,
    [id],
  );
  return rows[0] as { failedTurns: number; dueIn: number | null };
};
/** A second ago, because `now()` is rounded to milliseconds and could be later than the turn that follows at once. */
const makeDue = (id: string) =>
  pool.query(`update executions set advance_at = now() - interval '1 second' where id = $1`, [id]);
/** Runs turns that are due at once, whatever their result is. */
async function turns(id: string, count: number) {
  for (let turn = 0; turn < count; turn += 1) {
    await makeDue(id);
    await advanceExecution(id).catch(() => {});
  }
}

/** An execution of a workflow that cannot be run. */
async function launchBroken(name: string) {
  await registerWorkflow(app, project, name, { a: [] });
  const id = await launch(app, project, name);
  await pool.query(`update workflows set closure = '{}' where name = $1`, [name]);
  return id;
}

/** A workflow with one node, which runs the launch plan of another one. */
async function registerParent(name: string, plan: string) {
  const key = keyOf(project, name);
  const nodes = [{ id: 'start', workflowNode: { launchplanRef: keyOf(project, plan) } }];
  const workflow = await createWorkflow(app, { key, template: { interface: {}, nodes } });
  expect(workflow, JSON.stringify(workflow)).toMatchObject({ __typename: 'CreateWorkflowPayload' });
  await createLaunchPlan(app, { key, workflow: { key } });
}

/** An execution with a job whose events no turn can apply. */
async function launchWithBadNews(name: string) {
  await registerWorkflow(app, project, name, { a: [] });
  const id = await launch(app, project, name);
  await advanceExecution(id);
  await pool.query(
    `update job_events set kind = 'FAILED', detail = '{"error": {"code": "x", "message": "x", "kind": "NONE"}}'
      where kind = 'QUEUED' and job_set_id = (select id from job_sets where owner_id = $1)`,
    [id],
  );
  return id;
}

/** Watches the errors in the log until the test ends. */
function spyOnErrors() {
  const errors = vi.spyOn(log, 'error');
  onTestFinished(() => errors.mockRestore());
  return errors;
}

describe('a turn that fails', () => {
  it('delays the next turn by one second, doubled each time, up to a minute', async () => {
    const id = await launchBroken('broken');
    const waits: number[] = [];
    for (let turn = 1; turn <= 9; turn += 1) {
      await expect(advanceExecution(id)).rejects.toThrow();
      const { failedTurns, dueIn } = await stateOf(id);
      expect(failedTurns).toBe(turn);
      waits.push(Math.round(dueIn ?? 0));
      await makeDue(id);
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
  });

  it('is not repeated earlier, also when news arrives', async () => {
    const id = await launchBroken('early');
    await expect(advanceExecution(id)).rejects.toThrow();
    expect(await advanceExecution(id)).toBe(false);
    expect((await stateOf(id)).failedTurns).toBe(1);
  });

  it('fails the execution when it is the tenth in a row, with a message without internal details', async () => {
    const id = await launchBroken('given-up');
    await turns(id, 10);
    const execution = await readExecution(app, id);
    expect(execution).toMatchObject({ phase: 'FAILED', error: { code: 'EngineFailure', kind: 'SYSTEM' } });
    expect(execution.error.message).not.toMatch(/undefined|TypeError|properties/);
    expect(await stateOf(id)).toEqual({ failedTurns: 0, dueIn: null });
  });

  it('cancels the jobs of an execution that it fails, which then takes no more turns', async () => {
    const id = await launchWithBadNews('bad-news');
    await turns(id, 10);
    const execution = await readExecution(app, id);
    expect(execution).toMatchObject({ phase: 'FAILED', error: { code: 'EngineFailure' } });
    expect(execution.nodes.a.phase).toBe('ABORTED');
    const { rows } = await pool.query(
      `select job.state from jobs as job join job_sets as set on set.id = job.job_set_id where set.owner_id = $1`,
      [id],
    );
    expect(rows).toEqual([{ state: 'CANCELLED' }]);
    await turns(id, 10);
    expect(await stateOf(id)).toEqual({ failedTurns: 0, dueIn: null });
    expect(await listDueExecutions()).not.toContain(id);
  });

  it('aborts the executions that its nodes have started', async () => {
    await registerWorkflow(app, project, 'child', { a: [] });
    await registerParent('parent', 'child');
    const id = await launch(app, project, 'parent');
    await advanceExecution(id);
    const childOf = async () => {
      const { data } = await app.ask(
        `query ($id: ID!) { execution(by: { id: $id }) { nodeExecutions { nodes {
           phase childExecution { id phase abort { cause principal { username } } } } } } }`,
        { id },
      );
      return data.execution.nodeExecutions.nodes[0];
    };
    expect(await childOf()).toMatchObject({ phase: 'RUNNING', childExecution: { phase: 'QUEUED' } });
    for (let turn = 0; turn < 10; turn += 1) await recordFailedTurn(id);
    expect(await readExecution(app, id)).toMatchObject({ phase: 'FAILED', error: { code: 'EngineFailure' } });
    expect(await childOf()).toMatchObject({
      phase: 'ABORTED',
      childExecution: {
        phase: 'ABORTING',
        abort: { cause: 'the execution that started it failed', principal: { username: 'admin' } },
      },
    });
    const { childExecution } = await childOf();
    await turns(childExecution.id, 2);
    expect(await childOf()).toMatchObject({ childExecution: { phase: 'ABORTED' } });
  });

  it('does not end the execution before its running jobs have ended', async () => {
    const givenUp = spyOnErrors();
    const id = await launchWithBadNews('begun');
    const { id: tenantId } = await db.tenant.findFirstOrThrow();
    const hands = new Hands(app, 'begun');
    await hands.lease({ maxJobs: 1, wait: 'PT0S' });
    await assignPool({ tenantId, name: 'default' }, 30);
    const [run] = (await hands.lease({ maxJobs: 1, wait: 'PT0S' })).runs;
    await hands.lease({ maxJobs: 0, wait: 'PT0S' });
    await turns(id, 12);
    expect(await readExecution(app, id)).toMatchObject({ phase: 'RUNNING', endedAt: null });
    expect(givenUp).not.toHaveBeenCalled();
    expect(await hands.stopCancelled()).toEqual([run?.id]);
    await turns(id, 1);
    const execution = await readExecution(app, id);
    expect(execution).toMatchObject({ phase: 'FAILED', error: { code: 'EngineFailure' } });
    expect(execution.nodes.a.phase).toBe('ABORTED');
    expect(givenUp.mock.calls.map(([fields]) => fields)).toEqual([{ executionId: id }]);
  });

  it('is forgotten when the next turn succeeds', async () => {
    await registerWorkflow(app, project, 'mended', { a: [] });
    const id = await launch(app, project, 'mended');
    const { rows } = await pool.query(`select closure from workflows where name = 'mended'`);
    await pool.query(`update workflows set closure = '{}' where name = 'mended'`);
    await expect(advanceExecution(id)).rejects.toThrow();
    await pool.query(`update workflows set closure = $1 where name = 'mended'`, [rows[0].closure]);
    await turns(id, 1);
    expect(await stateOf(id)).toMatchObject({ failedTurns: 0 });
    expect((await readExecution(app, id)).nodes.a.phase).toBe('QUEUED');
  });

  it('does not count when the database was unreachable', async () => {
    await registerWorkflow(app, project, 'away', { a: [] });
    const id = await launch(app, project, 'away');
    const holder = await pool.connect();
    const hidden = pool.connect;
    pool.connect = (() => Promise.reject(new UnavailableError())) as never;
    try {
      await expect(advanceExecution(id)).rejects.toThrow();
    } finally {
      pool.connect = hidden;
      holder.release();
    }
    expect((await stateOf(id)).failedTurns).toBe(0);
  });
});

describe('an execution that another engine runs', () => {
  it('is not due, takes no turns, and is never given up', async () => {
    await registerWorkflow(app, project, 'elsewhere', { a: [] });
    const id = await launch(app, project, 'elsewhere');
    expect(await listDueExecutions()).toContain(id);
    await db.execution.update({ where: { id }, data: { engine: 'EXTERNAL' } });
    expect(await listDueExecutions()).not.toContain(id);
    const givenUp = spyOnErrors();
    await turns(id, 1);
    expect((await readExecution(app, id)).nodes).toEqual({});
    for (let turn = 0; turn < 10; turn += 1) await recordFailedTurn(id);
    expect((await readExecution(app, id)).phase).toBe('QUEUED');
    expect(givenUp).not.toHaveBeenCalled();
  });
});

describe('an execution whose turns succeed', () => {
  it('takes a turn at every news, whenever the next one is due', async () => {
    await registerWorkflow(app, project, 'eager', { a: [] });
    const id = await launch(app, project, 'eager');
    await pool.query(`update executions set advance_at = now() + interval '1 hour' where id = $1`, [id]);
    await advanceExecution(id);
    expect((await readExecution(app, id)).nodes.a.phase).toBe('QUEUED');
  });
});

describe('a task that no runtime can run', () => {
  it('fails its node and execution, and does not count as a failed turn', async () => {
    const input = taskInput(project, 'query');
    const { container: _container, ...template } = input.template;
    await createTask(app, { ...input, template: { ...template, type: 'sql' } });
    await registerWorkflow(app, project, 'unsupported', { a: [], b: ['a'] }, { task: 'query' });
    const id = await launch(app, project, 'unsupported');
    const scheduler = startScheduler();
    const execution = await eventually(
      () => readExecution(app, id),
      (one) => one.phase === 'FAILED',
    );
    await scheduler.stop();
    const error = { code: 'UnsupportedTask', kind: 'USER' };
    expect(execution).toMatchObject({ error, errorNodeId: 'a' });
    expect(execution.error.message).toContain('sql');
    expect(execution.nodes.a).toMatchObject({ phase: 'FAILED', error });
    expect(execution.nodes.b).toBeUndefined();
    expect((await stateOf(id)).failedTurns).toBe(0);
  });
});

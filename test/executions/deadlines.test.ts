import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  nextDeadlines,
  overdueOf,
  type Timed,
  timedOutError,
} from '../../src/executions/domain/deadlines.ts';
import { assignPool } from '../../src/jobs/commands/assign-jobs.ts';
import { pool } from '../../src/platform/database/client.ts';
import { advanceExecution } from '../../src/scheduler/advance-executions.ts';
import { type App, startApp } from '../support/app.ts';
import { Hands, type Run } from '../support/hands.ts';
import { mutate } from '../support/mutate.ts';
import {
  createLaunchPlan,
  createWorkflow,
  keyOf,
  launch,
  readExecution,
  registerProject,
  registerTask,
  registerWorkflow,
  workflowInput,
} from '../support/seed.ts';

/** The tests give the time of each turn. */

const project = 'deadlines';
const DEADLINE = new Date('2100-01-01T00:00:00Z');
const BEFORE = new Date(DEADLINE.getTime() - 1);
const AFTER = new Date(DEADLINE.getTime() + 1);
let app: App;
let hands: Hands;

beforeAll(async () => {
  app = await startApp({ scheduler: false });
  hands = new Hands(app);
  await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerWorkflow(app, project, 'chain', { a: [], b: ['a'] });
  const input = workflowInput(project, 'handled', { a: [] });
  const failureNode = { ...(input.template.nodes[0] as object), id: 'handler' };
  const template = { ...input.template, failureNode };
  expect(await createWorkflow(app, { ...input, template })).toMatchObject({
    __typename: 'CreateWorkflowPayload',
  });
  const key = keyOf(project, 'handled');
  await createLaunchPlan(app, { key, workflow: { key }, defaultInputs: { x: 1 } });
});
afterAll(() => app.stop());

async function launched(plan: string, columns: { deadlineAt?: Date; queueDeadlineAt?: Date }) {
  const id = await launch(app, project, plan);
  await pool.query('update executions set deadline_at = $2, queue_deadline_at = $3 where id = $1', [
    id,
    columns.deadlineAt ?? null,
    columns.queueDeadlineAt ?? null,
  ]);
  return id;
}

async function turns(id: string, now: Date): Promise<void> {
  for (let count = 0; await advanceExecution(id, now); count += 1) expect(count).toBeLessThan(20);
}

async function runOf(id: string): Promise<Run> {
  const { rows } = await pool.query('select tenant_id from executions where id = $1', [id]);
  const before = await hands.lease({ wait: 'PT0S' });
  await assignPool({ tenantId: rows[0].tenant_id, name: 'default' }, 30);
  const runs = [...before.runs, ...(await hands.lease({ wait: 'PT0S' })).runs];
  const run = runs.find((one) => one.environment['SLIPWAY_EXECUTION_ID'] === id);
  if (!run) throw new Error('the execution has no run');
  return run;
}

const stateOf = async (id: string) => {
  const { phase, error, nodes } = await readExecution(app, id);
  const phases = Object.entries(nodes as Record<string, { phase: string }>).map(
    ([node, { phase: one }]) => `${node} ${one}`,
  );
  return { phase, code: error?.code ?? null, nodes: phases.sort() };
};

const wakesAt = async (id: string) =>
  (await pool.query('select advance_at from executions where id = $1', [id])).rows[0].advance_at;

describe('the deadline of an execution', () => {
  it('stops its work, and then it is TIMED_OUT', async () => {
    const id = await launched('chain', { deadlineAt: DEADLINE });
    await turns(id, BEFORE);
    const run = await runOf(id);
    await hands.start(run);
    await turns(id, BEFORE);
    expect(await stateOf(id)).toEqual({ phase: 'RUNNING', code: null, nodes: ['a RUNNING'] });
    expect(await wakesAt(id)).toEqual(DEADLINE);

    await turns(id, DEADLINE);
    expect(await stateOf(id)).toMatchObject({ phase: 'FAILING', code: 'ExecutionTimedOut' });
    await hands.stopCancelled();
    await turns(id, DEADLINE);
    expect(await stateOf(id)).toEqual({
      phase: 'TIMED_OUT',
      code: 'ExecutionTimedOut',
      nodes: ['a ABORTED'],
    });
    expect(await wakesAt(id)).toBeNull();
  });

  it('does not start the failure node', async () => {
    const id = await launched('handled', { deadlineAt: DEADLINE });
    await turns(id, BEFORE);
    const run = await runOf(id);
    await hands.start(run);
    await turns(id, DEADLINE);
    await hands.stopCancelled();
    await turns(id, DEADLINE);
    expect(await stateOf(id)).toEqual({
      phase: 'TIMED_OUT',
      code: 'ExecutionTimedOut',
      nodes: ['a ABORTED'],
    });
  });

  it('stops the failure node of an execution that failed before, which is FAILED with its own error', async () => {
    const id = await launched('handled', { deadlineAt: DEADLINE });
    await turns(id, BEFORE);
    const run = await runOf(id);
    await hands.start(run);
    await hands.fail(run);
    await turns(id, BEFORE);
    await hands.start(await runOf(id));
    await turns(id, BEFORE);
    expect(await stateOf(id)).toMatchObject({ phase: 'FAILING', nodes: ['a FAILED', 'handler RUNNING'] });
    await turns(id, DEADLINE);
    await hands.stopCancelled();
    await turns(id, DEADLINE);
    expect(await stateOf(id)).toEqual({
      phase: 'FAILED',
      code: 'NonZeroExit',
      nodes: ['a FAILED', 'handler ABORTED'],
    });
  });

  it('starts nothing any more, and ends an execution without open nodes at once', async () => {
    const id = await launched('chain', { deadlineAt: DEADLINE });
    await turns(id, DEADLINE);
    expect(await stateOf(id)).toEqual({ phase: 'TIMED_OUT', code: 'ExecutionTimedOut', nodes: [] });
  });

  it('does not change an execution whose work has ended', async () => {
    const id = await launched('handled', { deadlineAt: DEADLINE });
    await turns(id, BEFORE);
    const run = await runOf(id);
    await hands.start(run);
    await hands.succeed(run, { y: 2 });
    await turns(id, DEADLINE);
    expect(await stateOf(id)).toEqual({ phase: 'SUCCEEDED', code: null, nodes: ['a SUCCEEDED'] });
  });

  it('counts although the work ends before it could be stopped', async () => {
    const id = await launched('handled', { deadlineAt: DEADLINE });
    await turns(id, BEFORE);
    const run = await runOf(id);
    await hands.start(run);
    await turns(id, DEADLINE);
    await hands.succeed(run, { y: 2 });
    await turns(id, DEADLINE);
    expect(await stateOf(id)).toEqual({
      phase: 'TIMED_OUT',
      code: 'ExecutionTimedOut',
      nodes: ['a SUCCEEDED'],
    });
  });

  it('does not replace an abort', async () => {
    const id = await launched('chain', { deadlineAt: DEADLINE });
    await turns(id, BEFORE);
    await hands.start(await runOf(id));
    await mutate(app, 'terminateExecution', { by: { id }, cause: 'no' }, 'execution { id }');
    await turns(id, DEADLINE);
    await hands.stopCancelled();
    await turns(id, DEADLINE);
    expect(await stateOf(id)).toMatchObject({ phase: 'ABORTED', code: null });
  });
});

describe('the time that an execution may wait', () => {
  it('ends it as TIMED_OUT if no task has begun', async () => {
    const id = await launched('chain', { queueDeadlineAt: DEADLINE });
    await turns(id, BEFORE);
    expect(await wakesAt(id)).toEqual(DEADLINE);
    expect(await stateOf(id)).toMatchObject({ phase: 'RUNNING', nodes: ['a QUEUED'] });
    await turns(id, DEADLINE);
    expect(await stateOf(id)).toEqual({
      phase: 'TIMED_OUT',
      code: 'ExecutionTimedOut',
      nodes: ['a ABORTED'],
    });
  });

  it('does not count once a task has begun', async () => {
    const id = await launched('chain', { queueDeadlineAt: DEADLINE });
    await turns(id, BEFORE);
    const run = await runOf(id);
    await hands.start(run);
    await turns(id, DEADLINE);
    expect(await stateOf(id)).toMatchObject({ phase: 'RUNNING', nodes: ['a RUNNING'] });
    await hands.fail(run);
    await turns(id, DEADLINE);
  });
});

describe('whether the time is over', () => {
  const timed: Timed = { phase: 'RUNNING', deadlineAt: null, queueDeadlineAt: null, errorCode: null };
  it.each<[string, Partial<Timed>, boolean, string | null]>([
    ['without limits', {}, false, null],
    ['before the deadline', { deadlineAt: AFTER }, false, null],
    ['at the deadline', { deadlineAt: DEADLINE }, true, 'TIMES_OUT'],
    [
      'of one that fails',
      { phase: 'FAILING', deadlineAt: DEADLINE, errorCode: 'NonZeroExit' },
      true,
      'FAILS',
    ],
    ['of one that fails and waited', { phase: 'FAILING', queueDeadlineAt: DEADLINE }, false, null],
    ['of one that times out', { phase: 'FAILING', errorCode: 'ExecutionTimedOut' }, true, 'TIMES_OUT'],
    [
      'of one that is aborted while it times out',
      { phase: 'ABORTING', errorCode: 'ExecutionTimedOut' },
      true,
      null,
    ],
    ['of one that waits', { queueDeadlineAt: DEADLINE }, false, 'TIMES_OUT'],
    ['of one that may wait for longer', { queueDeadlineAt: AFTER }, false, null],
    ['of one that has waited', { queueDeadlineAt: DEADLINE }, true, null],
  ])('%s', async (_what, changes, hasBegun, overdue) => {
    expect(await overdueOf({ ...timed, ...changes }, DEADLINE, async () => hasBegun)).toBe(overdue);
  });

  it.each<[string, Date | null, Date | null, Date[]]>([
    ['without limits', null, null, []],
    ['before both', DEADLINE, AFTER, [DEADLINE, AFTER]],
    ['of the work', DEADLINE, null, [DEADLINE]],
    ['of waiting', null, DEADLINE, [DEADLINE]],
    ['at the deadline', BEFORE, DEADLINE, [DEADLINE]],
    ['after both', BEFORE, BEFORE, []],
  ])(
    'may be found out at the limits that are still to come: %s',
    (_what, deadlineAt, queueDeadlineAt, deadlines) => {
      expect(nextDeadlines({ ...timed, deadlineAt, queueDeadlineAt }, BEFORE)).toEqual(deadlines);
    },
  );

  it('is told by the error, with the limit that is over', () => {
    const messageAt = (deadlineAt: Date | null) => timedOutError({ ...timed, deadlineAt }, DEADLINE).message;
    expect(messageAt(DEADLINE)).toBe('the execution took longer than it may');
    const waited = 'no task of the execution has begun in the time that it may wait';
    expect([messageAt(AFTER), messageAt(null)]).toEqual([waited, waited]);
  });
});

describe('createExecution with limits of time', () => {
  const hour = 3_600_000;
  const timesOf = async (id: string) => {
    const { rows } = await pool.query(
      `select created_at as "createdAt", deadline_at - created_at = interval '1 hour' as "hasHour",
              queue_deadline_at - created_at = interval '1 minute' as "hasMinute"
         from executions where id = $1`,
      [id],
    );
    return rows[0];
  };

  it('times an execution out after its timeout, and not before', async () => {
    const id = await launch(app, project, 'chain', { timeout: 'PT1H' });
    const { createdAt, hasHour, hasMinute } = await timesOf(id);
    expect({ hasHour, hasMinute }).toEqual({ hasHour: true, hasMinute: null });
    const { data } = await app.ask('query ($id: ID!) { execution(by: { id: $id }) { timeout } }', { id });
    expect(data.execution.timeout).toBe('PT1H');
    await turns(id, new Date(createdAt.getTime() + hour - 1));
    expect((await readExecution(app, id)).phase).toBe('RUNNING');
    await turns(id, new Date(createdAt.getTime() + hour + 1));
    expect((await readExecution(app, id)).error).toMatchObject({ code: 'ExecutionTimedOut' });
  });

  it('times an execution out that waits longer than its queueing budget', async () => {
    const id = await launch(app, project, 'chain', { qualityOfService: { queueingBudget: 'PT1M' } });
    const { createdAt, hasHour, hasMinute } = await timesOf(id);
    expect({ hasHour, hasMinute }).toEqual({ hasHour: null, hasMinute: true });
    await turns(id, new Date(createdAt.getTime() + 60_001));
    expect((await readExecution(app, id)).error).toMatchObject({ code: 'ExecutionTimedOut' });
  });

  it.each([
    ['PT0S', 'must be longer than zero'],
    ['-PT1S', 'must be longer than zero'],
    ['P366DT0.001S', 'must be at most 366 days'],
  ])('refuses the timeout %s', async (timeout, message) => {
    const key = keyOf(project, 'chain');
    const asked = { project, domain: 'development', launchPlan: { key }, timeout };
    expect(await mutate(app, 'createExecution', asked)).toMatchObject({
      code: 'INVALID_ARGUMENT',
      problems: [{ path: ['input', 'timeout'], message }],
    });
  });

  it('takes a timeout of 366 days', async () => {
    await launch(app, project, 'chain', { timeout: 'P366D' });
  });
});

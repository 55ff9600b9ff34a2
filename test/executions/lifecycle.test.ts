import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { pool } from '../../src/platform/database/client.ts';
import { type App, startApp } from '../support/app.ts';
import { Hands } from '../support/hands.ts';
import {
  eventually,
  launch,
  readExecution,
  registerProject,
  registerTask,
  registerWorkflow,
  untilEnded,
} from '../support/seed.ts';

const project = 'life';
let app: App;
let hands: Hands;
beforeAll(async () => {
  app = await startApp();
  await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerTask(app, project, 'stubborn', { retries: 2 });
  await registerWorkflow(app, project, 'chain', { a: [], b: ['a'], c: ['b'] });
  await registerWorkflow(app, project, 'diamond', {
    a: [],
    left: ['a'],
    right: ['a'],
    join: ['left', 'right'],
  });
  await registerWorkflow(app, project, 'retried', { a: [] }, { task: 'stubborn' });
  await registerWorkflow(app, project, 'wide', { a: [], b: [], c: ['a'] });
  await registerWorkflow(
    app,
    project,
    'patient',
    { a: [], b: [], c: ['b'] },
    { onFailure: 'FAIL_AFTER_EXECUTABLE_NODES_COMPLETE' },
  );
});
afterAll(() => app.stop());

let name = 0;
beforeEach(() => {
  hands = new Hands(app, `hands-${++name}`);
});
/** Leaves no jobs for the next test's executor. */
const retire = () => hands.lease({ maxJobs: 0, wait: 'PT0S' });

/** Waits until the engine has applied all events, and needs no further turn. */
const untilIdle = (id: string) =>
  eventually(
    async () =>
      await pool.query(
        `select from executions join job_sets on owner_id = executions.id
          where executions.id = $1 and advance_at is null and job_sets.last_sequence = owner_sequence`,
        [id],
      ),
    ({ rowCount }) => rowCount === 1,
  );

describe('an execution', () => {
  it('runs its nodes in the order of the graph and ends SUCCEEDED with its outputs', async () => {
    const id = await launch(app, project, 'chain', { inputs: { x: 5 } });
    await hands.work(async () => (await readExecution(app, id)).phase === 'SUCCEEDED');
    const execution = await readExecution(app, id);
    expect(execution.data).toEqual({ inputs: { x: 5 }, outputs: { z: 40 } });
    const { data } = await app.ask(
      'query ($id: ID!) { execution(by: { id: $id }) { data { inputLiterals outputLiterals } } }',
      { id },
    );
    expect(data.execution.data).toEqual({
      inputLiterals: { x: { scalar: { primitive: { integer: '5' } } } },
      outputLiterals: { z: { scalar: { primitive: { integer: '40' } } } },
    });
    expect(execution.nodes.b.data).toEqual({ inputs: { x: 10 }, outputs: { y: 20 } });
    expect(execution.nodeCounts).toEqual([{ phase: 'SUCCEEDED', count: 3 }]);
    expect(execution.startedAt).toBeTruthy();
    expect(execution.duration).toMatch(/^PT/);
    await retire();
  });

  it('runs nodes in parallel, and starts a join only when all upstream nodes are done', async () => {
    const id = await launch(app, project, 'diamond');
    const a = await hands.leaseNode('a');
    await hands.succeed(a, { y: 2 });
    const left = await hands.leaseNode('left');
    const right = await hands.leaseNode('right');
    await hands.succeed(left, { y: 4 });
    expect((await readExecution(app, id)).nodes.join).toBeUndefined();
    await hands.succeed(right, { y: 4 });
    const join = await hands.leaseNode('join');
    await hands.succeed(join, { y: 8 });
    expect((await untilEnded(app, id)).phase).toBe('SUCCEEDED');
    await retire();
  });

  it('has no more nodes running than maxParallelism allows', async () => {
    const id = await launch(app, project, 'diamond', { maxParallelism: 1 });
    await hands.succeed(await hands.leaseNode('a'), { y: 2 });
    const left = await hands.leaseNode('left');
    await hands.start(left);
    await untilIdle(id);
    expect(Object.keys((await readExecution(app, id)).nodes).sort()).toEqual(['a', 'left']);
    await hands.succeed(left, { y: 4 });
    await hands.succeed(await hands.leaseNode('right'), { y: 4 });
    await hands.succeed(await hands.leaseNode('join'), { y: 8 });
    expect((await untilEnded(app, id)).phase).toBe('SUCCEEDED');
    await retire();
  });

  it('retries a failed task while it has retries, and records each attempt', async () => {
    const id = await launch(app, project, 'retried', { inputs: { x: 3 } });
    await hands.fail(await hands.leaseNode('a'));
    await hands.fail(await hands.leaseNode('a'));
    const last = await hands.leaseNode('a');
    expect(last.environment['SLIPWAY_ATTEMPT']).toBe('2');
    expect(last.inputs).toEqual({ x: 3 });
    await hands.succeed(last, { y: 6 });
    const execution = await untilEnded(app, id);
    expect(execution.phase).toBe('SUCCEEDED');
    const attempts = execution.nodes.a.taskExecutions.edges.map((edge: { node: object }) => edge.node);
    expect(attempts).toMatchObject([
      { retryAttempt: 2, phase: 'SUCCEEDED', error: null },
      { retryAttempt: 1, phase: 'RETRYABLE_FAILED', error: { code: 'NonZeroExit', kind: 'USER' } },
      { retryAttempt: 0, phase: 'RETRYABLE_FAILED', error: { code: 'NonZeroExit', kind: 'USER' } },
    ]);
    expect(execution.nodes.a).toMatchObject({ latestAttempt: 2, latestTaskPhase: 'SUCCEEDED' });
    await retire();
  });

  it('fails with the error of the node when its retries are used up', async () => {
    const id = await launch(app, project, 'retried');
    for (let attempt = 0; attempt < 3; attempt += 1) await hands.fail(await hands.leaseNode('a'));
    const execution = await untilEnded(app, id);
    expect(execution).toMatchObject({
      phase: 'FAILED',
      error: { code: 'NonZeroExit', message: 'it broke', kind: 'USER' },
      errorNodeId: 'a',
    });
    expect(execution.nodes.a.taskExecutions.edges).toHaveLength(3);
    await retire();
  });

  it('does not retry after a failure of kind SYSTEM', async () => {
    const id = await launch(app, project, 'retried');
    await hands.fail(await hands.leaseNode('a'), 'SYSTEM', 'InputUnavailable');
    const execution = await untilEnded(app, id);
    expect(execution).toMatchObject({ phase: 'FAILED', error: { code: 'InputUnavailable', kind: 'SYSTEM' } });
    expect(execution.nodes.a.latestAttempt).toBe(0);
    await retire();
  });

  it.each([
    ['missing', {}],
    ['of another type', { y: 'many' }],
    ['not promised', { y: 2, extra: 1 }],
  ])('fails the task when its outputs are %s', async (_name, outputs) => {
    const id = await launch(app, project, 'wide');
    await hands.succeed(await hands.leaseNode('a'), outputs);
    const execution = await eventually(
      () => readExecution(app, id),
      (one) => one.nodes.a?.phase === 'FAILED',
    );
    expect(execution.nodes.a.error).toMatchObject({ code: 'OutputsInvalid', kind: 'USER' });
    await untilEnded(app, id);
    await retire();
  });

  it('cancels running nodes when a node fails, under FAIL_IMMEDIATELY', async () => {
    const id = await launch(app, project, 'wide');
    const a = await hands.leaseNode('a');
    const b = await hands.leaseNode('b');
    await hands.start(b);
    await hands.fail(a);
    const { cancelRuns } = await eventually(
      () => hands.lease({ wait: 'PT1S' }),
      (answer) => answer.cancelRuns.length > 0,
    );
    expect(cancelRuns).toEqual([b.id]);
    const error = { code: 'NonZeroExit' };
    const failing = { phase: 'FAILING', endedAt: null, error, errorNodeId: 'a' };
    expect(await readExecution(app, id)).toMatchObject(failing);
    expect(await hands.confirm(b.id)).toEqual(['APPLIED']);
    const execution = await untilEnded(app, id);
    expect(execution).toMatchObject({ phase: 'FAILED', errorNodeId: 'a' });
    expect(execution.nodes.b.phase).toBe('ABORTED');
    const [{ node: attempt }] = execution.nodes.b.taskExecutions.edges;
    expect(attempt.reason).toBe('another node of the execution failed');
    expect(execution.nodes.c).toBeUndefined();
    expect(await hands.succeed(b, { y: 2 })).toEqual(['FENCED']);
    await retire();
  });

  it('runs nodes that do not depend on a failed node, under FAIL_AFTER_EXECUTABLE_NODES_COMPLETE', async () => {
    const id = await launch(app, project, 'patient');
    await hands.fail(await hands.leaseNode('a'));
    await hands.succeed(await hands.leaseNode('b'), { y: 2 });
    await hands.succeed(await hands.leaseNode('c'), { y: 4 });
    const execution = await untilEnded(app, id);
    expect(execution).toMatchObject({ phase: 'FAILED', errorNodeId: 'a' });
    expect(execution.nodes.c.phase).toBe('SUCCEEDED');
    await retire();
  });

  it('runs on another executor when a lease is given back, still in the first attempt', async () => {
    const id = await launch(app, project, 'retried');
    const first = await hands.leaseNode('a');
    await hands.start(first);
    expect(await hands.giveBack(first, true)).toBe(true);
    expect(await hands.giveBack(first, true)).toBe(false);
    const second = await hands.leaseNode('a');
    expect(second.id).not.toBe(first.id);
    expect(second.environment['SLIPWAY_ATTEMPT']).toBe('0');
    expect(await hands.succeed(first, { y: 99 })).toEqual(['FENCED']);
    await hands.succeed(second, { y: 2 });
    const execution = await untilEnded(app, id);
    expect(execution.data.outputs).toEqual({ z: 2 });
    expect(execution.nodes.a.taskExecutions.edges).toHaveLength(1);
    expect(execution.nodes.a.taskExecutions.edges[0].node.job.attemptedRuns).toBe(1);
    await retire();
  });

  it('fails with the kind SYSTEM when the leases of a node are lost too often', async () => {
    const id = await launch(app, project, 'retried');
    for (let lost = 0; lost < 3; lost += 1) await hands.giveBack(await hands.leaseNode('a'), true);
    const execution = await untilEnded(app, id);
    expect(execution).toMatchObject({
      phase: 'FAILED',
      error: { code: 'LeaseLost', kind: 'SYSTEM' },
      errorNodeId: 'a',
    });
    await retire();
  });
});

describe('terminateExecution', () => {
  const terminate = async (id: string, cause = 'no longer wanted') => {
    const { data } = await app.ask(
      `mutation ($input: TerminateExecutionInput!) {
         terminateExecution(input: $input) {
           __typename
           ... on TerminateExecutionPayload { execution { phase abort { cause principal { username } } } }
           ... on Error { code message }
           ... on FailedPreconditionError { current }
         }
       }`,
      { input: { by: { id }, cause } },
    );
    return data.terminateExecution;
  };

  it('sets ABORTING at once, and ABORTED when the work has stopped', async () => {
    const id = await launch(app, project, 'wide');
    const a = await hands.leaseNode('a');
    await hands.start(a);
    const answer = await terminate(id);
    expect(answer.execution).toEqual({
      phase: 'ABORTING',
      abort: { cause: 'no longer wanted', principal: { username: 'admin' } },
    });
    const { cancelRuns } = await hands.lease({ maxJobs: 0, wait: 'PT5S' });
    expect(cancelRuns).toContain(a.id);
    // The executor knows it, but has not reported that the work has stopped.
    const stopping = await readExecution(app, id);
    expect(stopping).toMatchObject({ phase: 'ABORTING', endedAt: null, nodes: { a: { phase: 'RUNNING' } } });
    expect(await hands.confirm(a.id)).toEqual(['APPLIED']);
    for (const run of cancelRuns) await hands.confirm(run);
    const execution = await untilEnded(app, id);
    expect(execution.endedAt).toBeTruthy();
    expect(execution.phase).toBe('ABORTED');
    expect(execution.abort.cause).toBe('no longer wanted');
    expect(execution.nodes.a.phase).toBe('ABORTED');
    expect(execution.nodes.a.taskExecutions.edges[0].node.reason).toBe('no longer wanted');
    expect(await hands.succeed(a, { y: 2 })).toEqual(['FENCED']);
    await retire();
  });

  it('accepts a cause of 500 characters, and refuses a longer one', async () => {
    const id = await launch(app, project, 'wide');
    expect(await terminate(id, 'x'.repeat(501))).toMatchObject({
      __typename: 'InvalidArgumentError',
      code: 'INVALID_ARGUMENT',
    });
    expect((await readExecution(app, id)).phase).not.toMatch(/^ABORT/);
    expect((await terminate(id, 'x'.repeat(500))).execution.abort.cause).toHaveLength(500);
    await untilEnded(app, id);
    await retire();
  });

  it('answers FailedPreconditionError with the phase when the execution has ended', async () => {
    const id = await launch(app, project, 'wide');
    await terminate(id);
    await untilEnded(app, id);
    expect(await terminate(id)).toMatchObject({ code: 'FAILED_PRECONDITION', current: 'ABORTED' });
    await retire();
  });
});

/** The jobs of deleted executions go after them, a few rows at a time, and never before they have ended. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listDueRemains } from '../../src/executions/store/remains.ts';
import { sweepJobSet } from '../../src/jobs/commands/sweep-job-set.ts';
import { listOwnersWithNews } from '../../src/jobs/store/job-sets.ts';
import { lockToSweep } from '../../src/jobs/store/sweep.ts';
import { systemCaller } from '../../src/platform/caller.ts';
import { db, pool } from '../../src/platform/database/client.ts';
import { inTransaction } from '../../src/platform/database/transaction.ts';
import { newId } from '../../src/platform/ids.ts';
import { advanceExecution } from '../../src/scheduler/advance-executions.ts';
import { startScheduler } from '../../src/scheduler/start.ts';
import { startJobSetSweep, sweepRemains } from '../../src/scheduler/sweep-job-sets.ts';
import { type LocalApp, startApp } from '../support/app.ts';
import { endExecution, runToEnd } from '../support/ended.ts';
import { Hands } from '../support/hands.ts';
import { mutate } from '../support/mutate.ts';
import { eventually, launch, registerProject, registerTask, registerWorkflow } from '../support/seed.ts';
import { countStatements } from '../support/statements.ts';
import { homeTenant } from '../support/users.ts';

const project = 'sweeping';
let app: LocalApp;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerWorkflow(app, project, 'one', { a: [] });
});
afterAll(() => app.stop());

async function remove(id: string): Promise<void> {
  const answer = await mutate(
    app,
    'deleteExecutions',
    { executions: [{ id }] },
    'results { error { code } }',
  );
  expect(answer.results).toEqual([{ error: null }]);
}
const jobSetOf = (ownerId: string) => db.jobSet.findUnique({ where: { ownerId } });
const remainsOf = (executionId: string) => db.executionRemains.findUnique({ where: { executionId } });

/** An execution that was deleted, with a job set of so many ended jobs, each with a run, and with events. */
async function deletedWith(jobs: number, events: number): Promise<string> {
  const id = await launch(app, project, 'one');
  const { tenantId, projectId } = await db.execution.findUniqueOrThrow({ where: { id } });
  const queueId = newId();
  await db.queue.create({ data: { id: queueId, tenantId, projectId, name: `q-${queueId}` } });
  const executor = await db.executor.create({
    data: { id: newId(), tenantId, userId: newId(), name: `e-${queueId.slice(-12)}` },
  });
  const set = await db.jobSet.create({ data: { id: newId(), tenantId, queueId, name: id, ownerId: id } });
  await pool.query(
    `with job as (
       insert into jobs (id, tenant_id, queue_id, job_set_id, state, spec, owner_id, ended_at)
       select gen_random_uuid(), $1, $2, $3, 'SUCCEEDED', '{}', $4, now() from generate_series(1, $6::int)
       returning id
     ),
     run as (
       insert into job_runs (id, tenant_id, job_id, job_set_id, queue_id, shape, executor_id, state,
                             lease_expires_at, ended_at)
       select gen_random_uuid(), $1, id, $3, $2, '', $5, 'SUCCEEDED', now(), now() from job returning id
     ),
     log as (
       insert into job_run_logs (run_id, sequence, tenant_id, stream, text, created_at)
       select id, 0, $1, 'STDOUT', 'said', now() from run
     )
     insert into job_events (job_set_id, sequence, tenant_id, job_id, kind)
     select $3, number, $1, $4, 'QUEUED' from generate_series(1, $7::int) as number`,
    [tenantId, queueId, set.id, newId(), executor.id, jobs, events],
  );
  await endExecution(id);
  await remove(id);
  return id;
}

describe('what is left of an execution', () => {
  /** The columns of all tables that name one of these objects, and how often they do. */
  async function mentions(ids: readonly string[]): Promise<Record<string, number>> {
    const { rows } = await pool.query(
      `select table_name, column_name from information_schema.columns
        where table_schema = 'public' and data_type = 'uuid' order by 1, 2`,
    );
    const found: Record<string, number> = {};
    for (const { table_name: table, column_name: column } of rows) {
      const text = `select count(*)::int as count from ${table} where ${column} = any($1::uuid[])`;
      const count = (await pool.query(text, [ids])).rows[0].count;
      if (count > 0) found[`${table}.${column}`] = count;
    }
    return found;
  }

  /** The ids of everything that belongs to an execution. */
  async function everythingOf(id: string): Promise<string[]> {
    const { rows } = await pool.query(
      `select id from executions where id = $1
       union select id from node_executions where execution_id = $1
       union select id from task_executions where execution_id = $1
       union select id from signals where execution_id = $1
       union select id from job_sets where owner_id = $1
       union select job.id from job_sets as set join jobs as job on job.job_set_id = set.id where set.owner_id = $1
       union select run.id from job_sets as set join jobs as job on job.job_set_id = set.id
                join job_runs as run on run.job_id = job.id where set.owner_id = $1`,
      [id],
    );
    return rows.map((row) => row.id);
  }

  it('is nothing in any table, once its job set is swept', async () => {
    const id = await runToEnd(app, project, 'one', {
      labels: [{ key: 'a', value: 'b' }],
      tags: ['whole'],
    });
    await mutate(app, 'createSignal', { execution: { id }, signalId: 'go', type: { simple: 'BOOLEAN' } });
    const { tenantId, projectId } = await db.execution.findUniqueOrThrow({ where: { id } });
    await db.notificationDelivery.create({
      data: {
        ...{ tenantId, projectId, executionId: id, position: 0, phase: 'SUCCEEDED', sink: 'EMAIL' },
        content: {},
      },
    });
    const ids = await everythingOf(id);
    const before = Object.keys(await mentions(ids));
    expect(before).toEqual(
      expect.arrayContaining([
        ...['execution_events.execution_id', 'execution_labels.execution_id', 'execution_tags.execution_id'],
        ...['executions.id', 'job_events.job_id', 'job_runs.id', 'job_sets.owner_id', 'jobs.job_set_id'],
        ...[
          'job_run_logs.run_id',
          'node_executions.id',
          'node_phase_counts.execution_id',
          'signals.execution_id',
        ],
        ...['notification_deliveries.execution_id', 'task_executions.id'],
      ]),
    );
    await remove(id);
    expect(await mentions([id])).toEqual({ 'execution_remains.execution_id': 1, 'job_sets.owner_id': 1 });
    while (await sweepRemains(id));
    expect(await mentions(ids)).toEqual({});
  });
});

describe('the job set of a deleted execution', () => {
  it('goes in steps of at most 2,000 rows of a table, and a step that never happened is made up for', async () => {
    const id = await deletedWith(2500, 4100);
    const left = async () => {
      const set = await jobSetOf(id);
      const of = { where: { jobSetId: set?.id ?? newId() } };
      return [await db.jobRun.count(), await db.job.count(of), await db.jobEvent.count(of)];
    };
    const before = (await left())[0] ?? 0;
    let steps = 0;
    let last = await left();
    for (let more = true; more; steps += 1) {
      const { result, statements } = await countStatements(() => sweepRemains(id));
      expect(statements.filter((text) => /delete from job/.test(text)).length).toBeLessThanOrEqual(5);
      const now = await left();
      for (const [at, count] of now.entries()) expect((last[at] ?? 0) - count).toBeLessThanOrEqual(2000);
      last = now;
      more = result;
    }
    expect(last).toEqual([before - 2500, 0, 0]);
    // Logs, runs, jobs and events each have at least one full step, and the events have two.
    expect(steps).toBe(6);
    expect(await jobSetOf(id)).toBeNull();
    expect(await remainsOf(id)).toBeNull();
  });

  it('is swept by one scheduler at a time', async () => {
    const id = await deletedWith(3, 3);
    await inTransaction(async (tx) => {
      expect(await lockToSweep(tx, id)).not.toBeNull();
      expect(await sweepRemains(id)).toBe(false);
    });
    expect(await jobSetOf(id)).not.toBeNull();
    expect(await remainsOf(id)).not.toBeNull();
    await Promise.all(Array.from({ length: 4 }, () => sweepRemains(id)));
    await sweepRemains(id);
    expect([await jobSetOf(id), await remainsOf(id)]).toEqual([null, null]);
  });

  it('is forgotten also if the scheduler died just before', async () => {
    const id = await deletedWith(1, 1);
    expect(await sweepJobSet(systemCaller(await homeTenant(), newId()), id)).toBe('GONE');
    expect(await remainsOf(id)).not.toBeNull();
    expect(await listDueRemains(10)).toContain(id);
    await sweepRemains(id);
    expect(await remainsOf(id)).toBeNull();
  });

  it('stays as it is if a transaction ends before its commit', async () => {
    const id = await deletedWith(2, 2);
    const set = await jobSetOf(id);
    const event = await db.jobEvent.findFirstOrThrow({ where: { jobSetId: set?.id ?? '' } });
    // A reference that the deletion of the job set does not know.
    await pool.query('create table obstacle (id uuid references job_sets (id))');
    await pool.query('insert into obstacle select $1::uuid', [set?.id]);
    await expect(sweepRemains(id)).rejects.toThrow();
    expect(await db.jobEvent.count({ where: { jobSetId: event.jobSetId } })).toBe(2);
    await pool.query('drop table obstacle');
    await sweepRemains(id);
    expect(await jobSetOf(id)).toBeNull();
  });

  it('keeps a row that another transaction uses, with all that is above it, until the next time', async () => {
    const id = await deletedWith(2, 1);
    const job = await db.job.findFirstOrThrow({ where: { jobSet: { ownerId: id } } });
    const run = await db.jobRun.findFirstOrThrow({ where: { jobId: job.id } });
    await inTransaction(async (tx) => {
      await tx.$queryRaw`select from job_runs where id = ${run.id}::uuid for update`;
      expect(await sweepRemains(id)).toBe(false);
    });
    expect(await db.job.count({ where: { jobSet: { ownerId: id } } })).toBe(1);
    expect(await remainsOf(id)).not.toBeNull();
    await sweepRemains(id);
    expect([await jobSetOf(id), await remainsOf(id)]).toEqual([null, null]);
  });

  it('stays until its jobs have ended: the executor is told to stop, and its reports are fenced afterwards', async () => {
    const id = await launch(app, project, 'one');
    const scheduler = startScheduler();
    const hands = new Hands(app, 'stopped');
    const run = await hands.leaseNode('a');
    await hands.start(run);
    await mutate(app, 'terminateExecution', { by: { id }, cause: 'now', force: true });
    await eventually(
      () => db.execution.findUniqueOrThrow({ where: { id } }),
      ({ phase }) => phase === 'ABORTED',
    );
    await scheduler.stop();
    await remove(id);
    expect(await sweepRemains(id)).toBe(false);
    expect(await jobSetOf(id)).not.toBeNull();
    // Nobody waits for its events any more, and the loop looks later again.
    await hands.report({ run: run.id, kind: 'RUNNING' });
    expect(await listOwnersWithNews(200)).not.toContain(id);
    expect(await advanceExecution(id)).toBe(false);
    expect(await listDueRemains(10)).not.toContain(id);
    expect((await hands.lease({ maxJobs: 0 })).cancelRuns).toEqual([run.id]);
    expect(await hands.report({ run: run.id, kind: 'CANCELLED' })).toEqual(['APPLIED']);
    expect(await listOwnersWithNews(200)).not.toContain(id);
    await sweepRemains(id);
    expect([await jobSetOf(id), await remainsOf(id)]).toEqual([null, null]);
    expect(await hands.report({ run: run.id, kind: 'SUCCEEDED', exitCode: 0, outputs: {} })).toEqual([
      'FENCED',
    ]);
  });

  it('has its open jobs cancelled if nobody has done that', async () => {
    const id = await deletedWith(1, 0);
    const set = await jobSetOf(id);
    await pool.query(
      `insert into jobs (id, tenant_id, queue_id, job_set_id, spec, owner_id)
       select gen_random_uuid(), tenant_id, queue_id, id, '{}', gen_random_uuid() from job_sets where id = $1`,
      [set?.id],
    );
    await sweepRemains(id);
    // Without a run it ends at once, so the same step deletes it.
    expect([await jobSetOf(id), await remainsOf(id)]).toEqual([null, null]);
  });

  it('is swept by the loop, as soon as the execution is deleted', async () => {
    const loop = startJobSetSweep();
    try {
      const id = await deletedWith(2, 2);
      await eventually(
        () => remainsOf(id),
        (row) => row === null,
      );
      expect(await jobSetOf(id)).toBeNull();
    } finally {
      await loop.stop();
    }
  });
});

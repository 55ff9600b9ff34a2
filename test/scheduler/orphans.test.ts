/** What becomes of nodes whose jobs are gone. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assignPool } from '../../src/jobs/commands/assign-jobs.ts';
import { db, pool } from '../../src/platform/database/client.ts';
import { advanceExecution } from '../../src/scheduler/advance-executions.ts';
import { failOrphans } from '../../src/scheduler/orphans.ts';
import { listOrphaned } from '../../src/scheduler/store.ts';
import { type App, startApp } from '../support/app.ts';
import { Hands } from '../support/hands.ts';
import { mutate } from '../support/mutate.ts';
import { launch, readExecution, registerProject, registerTask, registerWorkflow } from '../support/seed.ts';

const project = 'orphans';
let app: App;
let hands: Hands;
let tenantId: string;

beforeAll(async () => {
  app = await startApp({ scheduler: false });
  tenantId = (await db.tenant.findFirstOrThrow()).id;
  hands = new Hands(app);
  await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerWorkflow(app, project, 'flow', { a: [] });
});
afterAll(() => app.stop());

/** Takes turns until there is nothing to do. */
async function advance(id: string): Promise<void> {
  while (await advanceExecution(id));
}

/** An execution whose node runs. */
async function running(): Promise<{ id: string; runId: string }> {
  const id = await launch(app, project, 'flow');
  await advance(id);
  await hands.lease({ wait: 'PT0S' });
  await assignPool({ tenantId, name: 'default' }, 30);
  const [run] = (await hands.lease({ wait: 'PT0S' })).runs;
  if (!run) throw new Error('no run came');
  await hands.start(run);
  await advance(id);
  return { id, runId: run.id };
}

const age = (id: string, seconds: number) =>
  pool.query(
    `update node_executions set updated_at = now() - $2 * interval '1 second' where execution_id = $1`,
    [id, seconds],
  );

async function deleteJobs(id: string): Promise<void> {
  const { id: setId } = await db.jobSet.findFirstOrThrow({ where: { ownerId: id } });
  await pool.query('delete from job_events where job_set_id = $1', [setId]);
  await pool.query(
    'delete from job_runs using jobs where jobs.id = job_runs.job_id and jobs.job_set_id = $1',
    [setId],
  );
  await pool.query('delete from jobs where job_set_id = $1', [setId]);
}

describe('a node whose job is gone', () => {
  it('fails, so that its execution ends', async () => {
    const { id } = await running();
    await deleteJobs(id);
    // The column is rounded to milliseconds, so exactly a minute can be a little less.
    await age(id, 60.1);
    expect(await listOrphaned()).toEqual([id]);
    expect(await failOrphans(id)).toBe(true);
    await advance(id);
    expect(await readExecution(app, id)).toMatchObject({
      phase: 'FAILED',
      error: { code: 'JobLost', kind: 'SYSTEM' },
    });
    expect(await listOrphaned()).toEqual([]);
  });

  it('is left alone for a minute, and as long as its job is open', async () => {
    const { id, runId } = await running();
    await age(id, 61);
    expect(await listOrphaned()).toEqual([]);
    expect(await failOrphans(id)).toBe(false);
    await deleteJobs(id);
    await age(id, 50);
    expect(await listOrphaned()).toEqual([]);
    hands.known.delete(runId);
    await failOrphans(id);
  });

  it('is aborted at once when its execution is aborted', async () => {
    const { id, runId } = await running();
    await deleteJobs(id);
    hands.known.delete(runId);
    await mutate(app, 'terminateExecution', { by: { id }, cause: 'enough' });
    await advance(id);
    expect(await readExecution(app, id)).toMatchObject({
      phase: 'ABORTED',
      nodes: { a: { phase: 'ABORTED' } },
    });
    expect((await readExecution(app, id)).abort).toMatchObject({ cause: 'enough' });
  });
});

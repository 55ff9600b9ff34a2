/** What becomes of nodes whose jobs are gone. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { db, pool } from '../../src/platform/database/client.ts';
import { failOrphans, listOrphaned } from '../../src/scheduler/orphans.ts';
import { type App, startApp } from '../support/app.ts';
import { Hands } from '../support/hands.ts';
import { mutate } from '../support/mutate.ts';
import {
  launch,
  readExecution,
  registerProject,
  registerTask,
  registerWorkflow,
  untilEnded,
} from '../support/seed.ts';

const project = 'orphans';
let app: App;
let hands: Hands;

beforeAll(async () => {
  app = await startApp();
  hands = new Hands(app);
  await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerWorkflow(app, project, 'flow', { a: [] });
});
afterAll(() => app.stop());

/** An execution whose node runs. */
async function running(): Promise<{ id: string; runId: string }> {
  const id = await launch(app, project, 'flow');
  const run = await hands.leaseNode('a');
  await hands.start(run);
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
    await age(id, 61);
    expect(await listOrphaned()).toEqual([id]);
    expect(await failOrphans(id)).toBe(true);
    expect(await untilEnded(app, id)).toMatchObject({
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
    expect(await untilEnded(app, id)).toMatchObject({ phase: 'ABORTED', nodes: { a: { phase: 'ABORTED' } } });
    expect((await readExecution(app, id)).abort).toMatchObject({ cause: 'enough' });
  });
});

/** What a look at the tables finds, if all news about it was lost. The tests change the tables by hand. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { db, pool } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { advanceExecution } from '../../src/scheduler/advance-executions.ts';
import { failOrphans } from '../../src/scheduler/orphans.ts';
import { listDueExecutions, listOrphaned, listWaitingPools } from '../../src/scheduler/store.ts';
import { type App, startApp } from '../support/app.ts';
import { Hands } from '../support/hands.ts';
import {
  createLaunchPlan,
  createWorkflow,
  keyOf,
  launch,
  readExecution,
  registerProject,
  registerTask,
  registerWorkflow,
} from '../support/seed.ts';

const project = 'due';
let app: App;

beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerWorkflow(app, project, 'flow', { a: [], b: [] });
  const key = keyOf(project, 'parent');
  const nodes = [{ id: 'start', workflowNode: { launchplanRef: keyOf(project, 'flow') } }];
  const workflow = await createWorkflow(app, { key, template: { interface: {}, nodes } });
  expect(workflow, JSON.stringify(workflow)).toMatchObject({ __typename: 'CreateWorkflowPayload' });
  await createLaunchPlan(app, { key, workflow: { key } });
});
afterAll(() => app.stop());

/** An execution that has nothing to do, because its nodes wait. */
async function waiting(name = 'flow'): Promise<string> {
  const id = await launch(app, project, name);
  while (await advanceExecution(id));
  // One more turn takes the news that its jobs are queued.
  await advanceExecution(id);
  return id;
}

const change = (table: string, id: string, values: string) =>
  pool.query(`update ${table} set ${values} where id = $1`, [id]);
const ended = `phase = 'ABORTED', ended_at = now()`;
const nodeOf = (executionId: string, nodeId: string) =>
  db.nodeExecution.findUniqueOrThrow({ where: { executionId_nodeId: { executionId, nodeId } } });
const isDue = async (id: string) => (await listDueExecutions()).includes(id);

describe('an execution that has started another one', () => {
  it('is due when the other one has ended, as long as its own node has not', async () => {
    const id = await waiting('parent');
    const node = await nodeOf(id, 'start');
    const child = await db.execution.findFirstOrThrow({ where: { parentNodeId: node.id } });
    expect(await isDue(id)).toBe(false);
    await change('executions', child.id, ended);
    expect(await isDue(id)).toBe(true);
    await change('executions', id, `engine = 'EXTERNAL'`);
    expect(await isDue(id)).toBe(false);
    await change('executions', id, `engine = 'SLIPWAY'`);
    await change('node_executions', node.id, `kind = 'TASK'`);
    expect(await isDue(id)).toBe(false);
    await change('node_executions', node.id, `kind = 'LAUNCH_PLAN', ${ended}`);
    expect(await isDue(id)).toBe(false);
  });
});

describe('a node that waits for the outputs of another one', () => {
  it('makes its execution due when no open node has reserved the same key in the same project', async () => {
    const [owner, id] = [await waiting(), await waiting()];
    const { tenantId, projectId } = await db.execution.findUniqueOrThrow({ where: { id } });
    const [computes, waits] = [await nodeOf(owner, 'a'), await nodeOf(id, 'a')];
    const at = { tenantId, projectId, key: 'wanted' };
    await db.cacheWaiter.create({ data: { ...at, nodeExecutionId: waits.id, executionId: id } });
    expect(await isDue(id)).toBe(true);
    for (const other of [
      { ...at, key: 'other' },
      { ...at, projectId: newId() },
    ])
      await db.cacheReservation.create({ data: { ...other, ownerId: computes.id, executionId: owner } });
    expect(await isDue(id)).toBe(true);
    await db.cacheReservation.create({ data: { ...at, ownerId: computes.id, executionId: owner } });
    expect(await isDue(id)).toBe(false);
    await change('node_executions', computes.id, ended);
    expect(await isDue(id)).toBe(true);
    await change('node_executions', waits.id, ended);
    expect(await isDue(id)).toBe(false);
  });
});

describe('a node whose job is gone', () => {
  const isOrphaned = async (id: string) => (await listOrphaned()).includes(id);
  const age = (id: string, seconds: number) =>
    pool.query(
      `update node_executions set updated_at = now() - $2 * interval '1 second' where execution_id = $1`,
      [id, seconds],
    );
  const loseJob = (nodeId: string) => pool.query('delete from jobs where client_id like $1', [`${nodeId}/%`]);

  it('is found after a minute, unless another engine or its inner nodes decide about it', async () => {
    const id = await waiting();
    const { id: nodeId } = await nodeOf(id, 'a');
    await age(id, 60.1);
    expect(await isOrphaned(id)).toBe(false);
    await loseJob(nodeId);
    // The column is rounded to milliseconds, so exactly a minute can be a little less.
    await age(id, 60.1);
    expect(await isOrphaned(id)).toBe(true);
    await change('node_executions', nodeId, 'is_dynamic = true');
    expect(await isOrphaned(id)).toBe(false);
    await change('node_executions', nodeId, `is_dynamic = false, kind = 'ARRAY'`);
    expect(await isOrphaned(id)).toBe(false);
    await change('node_executions', nodeId, `kind = 'TASK'`);
    await change('executions', id, `engine = 'EXTERNAL'`);
    expect(await isOrphaned(id)).toBe(false);
    await change('executions', id, `engine = 'SLIPWAY'`);
    expect(await isOrphaned(id)).toBe(true);
    await change('node_executions', nodeId, ended);
    expect(await isOrphaned(id)).toBe(false);
  });

  it('is found if the job has ended and its last event was applied', async () => {
    const id = await waiting();
    await pool.query(
      `update jobs set state = 'CANCELLED', ended_at = now()
        where job_set_id = (select id from job_sets where owner_id = $1)`,
      [id],
    );
    await pool.query('update job_sets set last_sequence = owner_sequence + 1 where owner_id = $1', [id]);
    await age(id, 60.1);
    expect(await isOrphaned(id)).toBe(false);
    await pool.query('update job_sets set owner_sequence = last_sequence where owner_id = $1', [id]);
    expect(await isOrphaned(id)).toBe(true);
  });

  it('fails alone, and its execution gets a turn', async () => {
    const id = await waiting();
    await loseJob((await nodeOf(id, 'a')).id);
    expect(await isDue(id)).toBe(false);
    expect(await failOrphans(id)).toBe(true);
    expect((await readExecution(app, id)).nodes).toMatchObject({
      a: { phase: 'FAILED', error: { code: 'JobLost' } },
      b: { phase: 'QUEUED' },
    });
    expect(await isDue(id)).toBe(true);
  });

  it('is not looked for in a node that starts another execution, nor in an execution that is gone', async () => {
    const id = await waiting('parent');
    expect(await failOrphans(id)).toBe(false);
    expect((await nodeOf(id, 'start')).endedAt).toBeNull();
    expect(await failOrphans(newId())).toBe(false);
  });
});

describe('a pool', () => {
  it('waits only if one of its own jobs is queued', async () => {
    const { id: tenantId } = await db.tenant.findFirstOrThrow();
    await pool.query(`update jobs set state = 'CANCELLED', ended_at = now() where ended_at is null`);
    const hands = new Hands(app, 'due');
    await hands.lease({ maxJobs: 0, wait: 'PT0S' });
    expect(await listWaitingPools()).toEqual([]);
    await waiting();
    expect(await listWaitingPools()).toEqual([`${tenantId}/default`]);
    await pool.query(`update executors set pool = 'gpu'`);
    expect(await listWaitingPools()).toEqual([]);
  });
});

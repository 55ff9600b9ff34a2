/** How much work one turn of the engine does. The test runs the turns itself. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assignPool } from '../../src/jobs/commands/assign-jobs.ts';
import { db, pool } from '../../src/platform/database/client.ts';
import { advanceExecution } from '../../src/scheduler/advance-executions.ts';
import { type App, startApp } from '../support/app.ts';
import { Hands, type Run } from '../support/hands.ts';
import {
  createLaunchPlan,
  createWorkflow,
  integer,
  launch,
  registerProject,
  registerTask,
  workflowInput,
} from '../support/seed.ts';

const project = 'turns';
const lists = { collectionType: integer };
/** The literals take 7.8 MB, so one turn handles two of these values. */
const large = Array.from({ length: 190_000 }, () => 1);
const nodeIds = ['n0', 'n1', 'n2'];

let app: App;
let tenantId: string;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  tenantId = (await db.tenant.findFirstOrThrow()).id;
  await registerProject(app, project);
  await registerTask(app, project, 'gives-lists', { outputs: { y: lists } });
  await registerTask(app, project, 'takes-lists', { inputs: { x: lists } });
  for (const [name, inputs] of [
    ['gives-lists', { x: integer }],
    ['takes-lists', { x: lists }],
  ] as const) {
    const shape = Object.fromEntries(nodeIds.map((id) => [id, []]));
    const { key, template } = workflowInput(project, name, shape, { task: name });
    const signature = {
      inputs: Object.entries(inputs).map(([input, type]) => ({ name: input, type })),
      outputs: [],
    };
    const workflow = await createWorkflow(app, {
      key,
      template: { ...template, interface: signature, outputs: [] },
    });
    expect(workflow).toMatchObject({ __typename: 'CreateWorkflowPayload' });
    await createLaunchPlan(app, { key, workflow: { key } });
  }
});
afterAll(() => app.stop());

/** Leases all queued jobs. */
async function leaseAll(): Promise<{ hands: Hands; runs: Run[] }> {
  const hands = new Hands(app);
  await hands.lease({ wait: 'PT0S' });
  await assignPool({ tenantId, name: 'default' }, 30);
  return { hands, runs: (await hands.lease({ wait: 'PT0S' })).runs };
}

const countNodes = (executionId: string, phase?: 'SUCCEEDED') =>
  db.nodeExecution.count({ where: { executionId, phase } });

describe('a turn', () => {
  it('applies results until their literals exceed 16 MiB', async () => {
    const id = await launch(app, project, 'gives-lists', { inputs: { x: 1 } });
    expect(await advanceExecution(id)).toBe(false);
    const { hands, runs } = await leaseAll();
    for (const run of runs) expect(await hands.succeed(run, { y: large })).toEqual(['APPLIED']);
    const done: number[] = [];
    for (let turn = 1; turn <= 2; turn += 1) {
      await advanceExecution(id);
      done.push(await countNodes(id, 'SUCCEEDED'));
    }
    expect(done).toEqual([2, 3]);
  });

  it('starts nodes until their inputs exceed 16 MiB as literals', async () => {
    const id = await launch(app, project, 'takes-lists', { inputs: { x: large } });
    const begun: number[] = [];
    for (let turn = 1; turn <= 2; turn += 1) {
      await advanceExecution(id);
      begun.push(await countNodes(id));
    }
    expect(begun).toEqual([2, 3]);
    await leaseAll();
  });

  it('applies 500 job events', async () => {
    const id = await launch(app, project, 'gives-lists', { inputs: { x: 1 } });
    await advanceExecution(id);
    await pool.query(
      `with stream as (
         update job_sets set last_sequence = last_sequence + 600 where owner_id = $1
         returning id, tenant_id, last_sequence - 600 as base
       )
       insert into job_events (job_set_id, sequence, tenant_id, job_id, kind, detail)
       select stream.id, base + n, stream.tenant_id, job.id, 'QUEUED', '{}'
         from stream, generate_series(1, 600) as n,
              lateral (select id from jobs where job_set_id = stream.id limit 1) as job`,
      [id],
    );
    const { ownerSequence: before } = await db.jobSet.findFirstOrThrow({ where: { ownerId: id } });
    expect(await advanceExecution(id)).toBe(true);
    const { ownerSequence: after } = await db.jobSet.findFirstOrThrow({ where: { ownerId: id } });
    expect(after - before).toBe(500n);
    expect(await advanceExecution(id)).toBe(false);
  });
});

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

const text = { simple: 'STRING' };
/** One node that takes a text, and two nodes whose texts are the outputs of the workflow. */
beforeAll(async () => {
  await registerTask(app, project, 'takes-text', { inputs: { x: text } });
  await registerTask(app, project, 'gives-texts', { outputs: { y: text } });
  const variable = (name: string, type: object) => ({ name, type });
  const one = workflowInput(project, 'takes-text', { n0: [] }, { task: 'takes-text' });
  const two = workflowInput(project, 'gives-texts', { a: [], b: [] }, { task: 'gives-texts' });
  const promise = (name: string, nodeId: string) => ({
    var: name,
    binding: { promise: { nodeId, var: 'y' } },
  });
  for (const { key, template } of [
    {
      ...one,
      template: { ...one.template, interface: { inputs: [variable('x', text)], outputs: [] }, outputs: [] },
    },
    {
      ...two,
      template: {
        ...two.template,
        interface: { inputs: [variable('x', integer)], outputs: [variable('x', text), variable('z', text)] },
        outputs: [promise('x', 'a'), promise('z', 'b')],
      },
    },
  ]) {
    expect(await createWorkflow(app, { key, template })).toMatchObject({
      __typename: 'CreateWorkflowPayload',
    });
    await createLaunchPlan(app, { key, workflow: { key } });
  }
});

const textLiteral = (stringValue: string, name = 'x') => ({
  [name]: { scalar: { primitive: { stringValue } } },
});

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

  it.each([
    ['starts a node whose inputs take 16 MiB as literals', 0, { phase: 'QUEUED', errorCode: null }],
    ['fails a node whose inputs take more', 1, { phase: 'FAILED', errorCode: 'InputsTooLarge' }],
  ])('%s', async (_what, more, node) => {
    const id = await launch(app, project, 'takes-text', { inputs: { x: 'x' } });
    const empty = JSON.stringify(textLiteral('')).length;
    const text = textLiteral('x'.repeat(16 * 1024 * 1024 - empty + more));
    await pool.query('update executions set inputs = $2 where id = $1', [id, JSON.stringify(text)]);
    await advanceExecution(id);
    const where = { executionId_nodeId: { executionId: id, nodeId: 'n0' } };
    const select = { phase: true, errorCode: true };
    expect(await db.nodeExecution.findUniqueOrThrow({ where, select })).toEqual(node);
    await pool.query(`update jobs set state = 'CANCELLED', ended_at = now() where ended_at is null`);
  });

  it.each([
    ['succeeds with outputs of 16 MiB', 0, { phase: 'SUCCEEDED', errorCode: null }],
    ['fails with larger outputs', 1, { phase: 'FAILED', errorCode: 'OutputsTooLarge' }],
  ])('in which an execution %s', async (_what, more, execution) => {
    const id = await launch(app, project, 'gives-texts', { inputs: { x: 1 } });
    await advanceExecution(id);
    const empty = JSON.stringify({ ...textLiteral(''), ...textLiteral('', 'z') }).length;
    const half = 8 * 1024 * 1024;
    const lengths = { a: half, b: half - empty + more };
    const { hands, runs } = await leaseAll();
    for (const run of runs) await hands.succeed(run, { y: 'y' });
    for (const [nodeId, length] of Object.entries(lengths))
      await pool.query(
        `update node_executions set phase = 'SUCCEEDED', ended_at = now(), outputs = $3
          where execution_id = $1 and node_id = $2`,
        [id, nodeId, JSON.stringify(textLiteral('y'.repeat(length), 'y'))],
      );
    await advanceExecution(id);
    const select = { phase: true, errorCode: true };
    expect(await db.execution.findUniqueOrThrow({ where: { id }, select })).toEqual(execution);
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

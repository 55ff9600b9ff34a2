/** What the tests of cached outputs share. They take the turns by hand, so that each test says what happens when. */
import { expect } from 'vitest';
import { assignPool } from '../../src/jobs/commands/assign-jobs.ts';
import { pool } from '../../src/platform/database/client.ts';
import { advanceExecution } from '../../src/scheduler/advance-executions.ts';
import { type App, startApp } from '../support/app.ts';
import { Hands, type Run } from '../support/hands.ts';
import {
  createLaunchPlan,
  createWorkflow,
  integer,
  keyOf,
  launch,
  registerProject,
  registerTask,
  type TaskOptions,
} from '../support/seed.ts';

export const project = 'output-cache';
let app: App;
let hands: Hands;
let tenantId: string;

/** Starts a server whose turns the test takes by hand, and an executor that the test plays by hand. */
export async function startCacheStage(): Promise<{ app: App; hands: Hands; tenantId: string }> {
  app = await startApp({ scheduler: false });
  hands = new Hands(app);
  await registerProject(app, project);
  const { rows } = await pool.query('select id from tenants');
  tenantId = rows[0].id;
  return { app, hands, tenantId };
}

interface NodeOptions {
  readonly task?: TaskOptions;
  readonly metadata?: object;
  readonly onFailure?: string;
}

/** A launch plan whose nodes run the same task with the input `x`; the task is cached unless the options say otherwise. */
export async function registerPlan(name: string, nodeIds: readonly string[], options: NodeOptions = {}) {
  const metadata = { discoverable: true, discoveryVersion: '1', ...options.task?.metadata };
  await registerTask(app, project, name, { ...options.task, metadata });
  const template = {
    onFailure: options.onFailure ?? 'FAIL_IMMEDIATELY',
    interface: { inputs: [{ name: 'x', type: integer }], outputs: [] },
    nodes: nodeIds.map((id) => ({
      id,
      inputs: [{ var: 'x', binding: { promise: { nodeId: '', var: 'x' } } }],
      taskNode: { referenceId: keyOf(project, name) },
      ...(options.metadata && { metadata: options.metadata }),
    })),
    outputs: [],
  };
  const key = keyOf(project, name);
  expect(await createWorkflow(app, { key, template })).toMatchObject({ __typename: 'CreateWorkflowPayload' });
  expect(await createLaunchPlan(app, { key, workflow: { key }, defaultInputs: { x: 1 } })).toMatchObject({
    __typename: 'CreateLaunchPlanPayload',
  });
}

export const serializable = { task: { metadata: { cacheSerializable: true } } };

/** Fewer than there are connections, because turns that wait for each other keep theirs. */
const AT_ONCE = 8;

/** Takes turns until these executions have nothing to do, several at the same time. */
export async function settle(...ids: readonly string[]): Promise<void> {
  const waiting = [...ids];
  const work = async () => {
    for (let id = waiting.shift(); id !== undefined; id = waiting.shift())
      for (let turns = 0; await advanceExecution(id); turns += 1) expect(turns).toBeLessThan(50);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

/** The runs that wait for an executor. */
export async function lease(): Promise<Run[]> {
  // The first call says how many runs the executor can take.
  const before = await hands.lease({ maxJobs: 100, wait: 'PT0S' });
  await assignPool({ tenantId, name: 'default' }, 30);
  return [...before.runs, ...(await hands.lease({ maxJobs: 100, wait: 'PT0S' })).runs];
}

export async function onlyRun(): Promise<Run> {
  const runs = await lease();
  expect(runs).toHaveLength(1);
  return runs[0] as Run;
}

export const executionOf = (run: Run) => run.environment['SLIPWAY_EXECUTION_ID'] as string;

export async function finish(run: Run, outputs: object = { y: 2 }): Promise<void> {
  await hands.start(run);
  await hands.succeed(run, outputs);
  await settle(executionOf(run));
}

export async function nodesOf(id: string) {
  const { rows } = await pool.query(
    `select node_id, phase::text, cache_status::text as cache, outputs, details, latest_attempt from node_executions
      where execution_id = $1 order by node_id`,
    [id],
  );
  return rows;
}
export const phasesOf = async (id: string) =>
  (await nodesOf(id)).map(({ phase, cache }) => `${phase} ${cache}`);

export const overwrite = (id: string) =>
  pool.query('update executions set overwrite_cache = true where id = $1', [id]);

export async function started(name: string, more: object = {}): Promise<string> {
  const id = await launch(app, project, name, more);
  await settle(id);
  return id;
}

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { acquireReservations, releaseReservations } from '../../src/executions/store/output-cache.ts';
import { assignPool } from '../../src/jobs/commands/assign-jobs.ts';
import { pool } from '../../src/platform/database/client.ts';
import { notifications } from '../../src/platform/database/notify.ts';
import { inTransaction } from '../../src/platform/database/transaction.ts';
import { newId } from '../../src/platform/ids.ts';
import { advanceExecution } from '../../src/scheduler/advance-executions.ts';
import { failOrphans } from '../../src/scheduler/orphans.ts';
import { listDueExecutions, listOrphaned } from '../../src/scheduler/store.ts';
import { type App, startApp } from '../support/app.ts';
import { Hands, type Run } from '../support/hands.ts';
import { mutate } from '../support/mutate.ts';
import {
  createLaunchPlan,
  createWorkflow,
  eventually,
  integer,
  keyOf,
  launch,
  readExecution,
  registerProject,
  registerTask,
  type TaskOptions,
} from '../support/seed.ts';
import { countStatements } from '../support/statements.ts';

/** Turns are taken by hand, so that each test says what happens when. */

const project = 'output-cache';
let app: App;
let hands: Hands;
let tenantId: string;

beforeAll(async () => {
  app = await startApp({ scheduler: false });
  hands = new Hands(app);
  await registerProject(app, project);
  const { rows } = await pool.query('select id from tenants');
  tenantId = rows[0].id;
});
afterAll(() => app.stop());

interface NodeOptions {
  readonly task?: TaskOptions;
  readonly metadata?: object;
  readonly onFailure?: string;
}

/** A launch plan whose nodes run the same task with the input `x`; the task is cached unless the options say otherwise. */
async function registerPlan(name: string, nodeIds: readonly string[], options: NodeOptions = {}) {
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

const serializable = { task: { metadata: { cacheSerializable: true } } };

/** Fewer than there are connections, because turns that wait for each other keep theirs. */
const AT_ONCE = 8;

/** Takes turns until these executions have nothing to do, several at the same time. */
async function settle(...ids: readonly string[]): Promise<void> {
  const waiting = [...ids];
  const work = async () => {
    for (let id = waiting.shift(); id !== undefined; id = waiting.shift())
      for (let turns = 0; await advanceExecution(id); turns += 1) expect(turns).toBeLessThan(50);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

/** The runs that wait for an executor. */
async function lease(): Promise<Run[]> {
  // The first call says how many runs the executor can take.
  const before = await hands.lease({ maxJobs: 100, wait: 'PT0S' });
  await assignPool({ tenantId, name: 'default' }, 30);
  return [...before.runs, ...(await hands.lease({ maxJobs: 100, wait: 'PT0S' })).runs];
}

async function onlyRun(): Promise<Run> {
  const runs = await lease();
  expect(runs).toHaveLength(1);
  return runs[0] as Run;
}

const executionOf = (run: Run) => run.environment['SLIPWAY_EXECUTION_ID'] as string;

async function finish(run: Run, outputs: object = { y: 2 }): Promise<void> {
  await hands.start(run);
  await hands.succeed(run, outputs);
  await settle(executionOf(run));
}

async function nodesOf(id: string) {
  const { rows } = await pool.query(
    `select node_id, phase::text, cache_status::text as cache, outputs, details, latest_attempt from node_executions
      where execution_id = $1 order by node_id`,
    [id],
  );
  return rows;
}
const phasesOf = async (id: string) => (await nodesOf(id)).map(({ phase, cache }) => `${phase} ${cache}`);

const overwrite = (id: string) =>
  pool.query('update executions set overwrite_cache = true where id = $1', [id]);

async function started(name: string, more: object = {}): Promise<string> {
  const id = await launch(app, project, name, more);
  await settle(id);
  return id;
}

describe('cached outputs', () => {
  it('are stored by the first run, and taken by the next execution without a job', async () => {
    await registerPlan('once', ['a']);
    const first = await started('once');
    expect(await phasesOf(first)).toEqual(['QUEUED MISS']);
    await finish(await onlyRun());
    const [populated] = await nodesOf(first);
    expect(populated).toMatchObject({ phase: 'SUCCEEDED', cache: 'POPULATED' });

    const second = await started('once');
    const [hit] = await nodesOf(second);
    expect(hit).toMatchObject({ phase: 'SUCCEEDED', cache: 'HIT', latest_attempt: null });
    expect(hit.outputs).toEqual(populated.outputs);
    const { name } = (
      await app.ask('query ($id: ID!) { execution(by: { id: $id }) { name } }', { id: first })
    ).data.execution;
    expect(hit.details.catalogKey).toMatchObject({
      datasetId: { project, name: 'once', version: '1' },
      sourceTaskExecution: { retryAttempt: 0, nodeExecutionId: { nodeId: 'a', executionId: { name } } },
    });
    expect(populated.details).toEqual(hit.details);
    expect(await lease()).toEqual([]);
    const execution = await readExecution(app, second);
    expect(execution).toMatchObject({ phase: 'SUCCEEDED', nodeCounts: [{ phase: 'SUCCEEDED', count: 1 }] });
    expect(execution.nodes.a.data).toEqual({ inputs: { x: 1 }, outputs: { y: 2 } });
  });

  it('count for the same inputs only, without those that are ignored', async () => {
    const inputs = { x: integer, seed: integer };
    await registerTask(app, project, 'seeded', {
      inputs,
      metadata: { discoverable: true, discoveryVersion: '1', cacheIgnoreInputVars: ['seed'] },
    });
    const key = keyOf(project, 'seeded');
    const variables = Object.entries(inputs).map(([name, type]) => ({ name, type }));
    const bindings = Object.keys(inputs).map((name) => ({
      var: name,
      binding: { promise: { nodeId: '', var: name } },
    }));
    const template = {
      interface: { inputs: variables, outputs: [] },
      nodes: [{ id: 'a', inputs: bindings, taskNode: { referenceId: key } }],
      outputs: [],
    };
    await createWorkflow(app, { key, template });
    await createLaunchPlan(app, { key, workflow: { key }, defaultInputs: { x: 1, seed: 1 } });
    await started('seeded');
    await finish(await onlyRun());
    expect(await phasesOf(await started('seeded', { inputs: { seed: 2 } }))).toEqual(['SUCCEEDED HIT']);
    expect(await phasesOf(await started('seeded', { inputs: { x: 2 } }))).toEqual(['QUEUED MISS']);
    await finish(await onlyRun());
  });

  it('are not stored by a run that fails, and tried again they are', async () => {
    await registerPlan('failing', ['a'], { task: { retries: 1 } });
    const id = await started('failing');
    const run = await onlyRun();
    await hands.start(run);
    await hands.fail(run);
    await settle(id);
    expect(await phasesOf(await started('failing'))).toEqual(['QUEUED MISS']);
    for (const again of await lease()) await finish(again);
    expect(await phasesOf(id)).toEqual(['SUCCEEDED POPULATED']);
    expect(await phasesOf(await started('failing'))).toEqual(['SUCCEEDED HIT']);
  });

  it('are computed anew and replaced by an execution that overwrites the cache', async () => {
    await registerPlan('overwriting', ['a']);
    await started('overwriting');
    await finish(await onlyRun(), { y: 2 });
    const id = await launch(app, project, 'overwriting');
    await overwrite(id);
    await settle(id);
    expect(await phasesOf(id)).toEqual(['QUEUED SKIPPED']);
    await finish(await onlyRun(), { y: 3 });
    expect(await phasesOf(id)).toEqual(['SUCCEEDED POPULATED']);
    const third = await started('overwriting');
    expect((await readExecution(app, third)).nodes.a.data.outputs).toEqual({ y: 3 });
  });

  it('follow the node where it says something else than the task', async () => {
    await registerPlan('never', ['a'], { metadata: { cacheable: false } });
    await started('never');
    await finish(await onlyRun());
    expect(await phasesOf(await started('never'))).toEqual(['QUEUED DISABLED']);
    await finish(await onlyRun());

    await registerPlan('version', ['a'], { metadata: { cacheVersion: '7' } });
    await started('version');
    await finish(await onlyRun());
    const { rows } = await pool.query("select cache_version from cache_entries where task_name = 'version'");
    expect(rows).toEqual([{ cache_version: '7' }]);

    await registerPlan('always', ['a'], {
      task: { metadata: { discoverable: false } },
      metadata: { cacheable: true },
    });
    await started('always');
    await finish(await onlyRun());
    expect(await phasesOf(await started('always'))).toEqual(['SUCCEEDED HIT']);
  });

  it('do not count when a file in them is gone', async () => {
    const file = { blob: { format: '', dimensionality: 'SINGLE' } };
    await registerPlan('files', ['a'], { task: { outputs: { y: file } } });
    await started('files');
    const { rows } = await pool.query(
      `insert into blobs (id, tenant_id, project_id, sha256, size_bytes, uploaded_at)
       select uuidv7(), tenant_id, id, decode(repeat('00', 32), 'hex'), 1, now() from projects where identifier = $1 returning id`,
      [project],
    );
    await finish(await onlyRun(), { y: `slipway://blobs/${rows[0].id}` });
    expect(await phasesOf(await started('files'))).toEqual(['SUCCEEDED HIT']);
    await pool.query('delete from blobs where id = $1', [rows[0].id]);
    expect(await phasesOf(await started('files'))).toEqual(['QUEUED MISS']);
    await hands.fail(await onlyRun());
  });

  it('are not shared between projects', async () => {
    await registerPlan('private', ['a']);
    await started('private');
    await finish(await onlyRun());
    const other = 'output-cache-other';
    await registerProject(app, other);
    const id = await launch(app, other, 'private', { launchPlan: { key: keyOf(project, 'private') } });
    await settle(id);
    expect(await phasesOf(id)).toEqual(['QUEUED MISS']);
    await finish(await onlyRun());
  });

  it('are looked up with the same number of statements for many nodes as for few', async () => {
    const counted = async (name: string, count: number) => {
      await registerPlan(
        name,
        Array.from({ length: count }, (_, index) => `n${index}`),
      );
      const id = await launch(app, project, name, { maxParallelism: 0 });
      const { statements } = await countStatements(() => advanceExecution(id));
      await mutate(app, 'terminateExecution', { by: { id }, cause: 'done' }, 'execution { id }');
      return statements.filter((text) => text.includes('cache_')).length;
    };
    const few = await counted('few', 2);
    expect(few).toBeGreaterThan(0);
    expect(await counted('many', 40)).toBe(few);
    for (const run of await lease()) await hands.fail(run);
  });
});

describe('cached items of an array', () => {
  it('take the outputs of each other', async () => {
    await registerTask(app, project, 'mapped', { metadata: { discoverable: true, discoveryVersion: '1' } });
    const key = keyOf(project, 'array');
    const list = { collectionType: integer };
    const template = {
      interface: { inputs: [{ name: 'xs', type: list }], outputs: [{ name: 'ys', type: list }] },
      nodes: [
        {
          id: 'fan',
          inputs: [{ var: 'x', binding: { promise: { nodeId: '', var: 'xs' } } }],
          arrayNode: {
            node: { id: 'item', taskNode: { referenceId: keyOf(project, 'mapped') } },
            parallelism: 1,
          },
        },
      ],
      outputs: [{ var: 'ys', binding: { promise: { nodeId: 'fan', var: 'y' } } }],
    };
    const workflow = await createWorkflow(app, { key, template });
    expect(workflow, JSON.stringify(workflow)).toMatchObject({ __typename: 'CreateWorkflowPayload' });
    await createLaunchPlan(app, { key, workflow: { key }, defaultInputs: { xs: [1, 2, 1, 1] } });
    const id = await started('array');
    for (const y of [10, 20]) await finish(await onlyRun(), { y });
    expect(await readExecution(app, id)).toMatchObject({
      phase: 'SUCCEEDED',
      data: { outputs: { ys: [10, 20, 10, 10] } },
    });
    const again = await started('array');
    expect(await readExecution(app, again)).toMatchObject({ phase: 'SUCCEEDED' });
    expect(await lease()).toEqual([]);
  });
});

describe('serializable cached outputs', () => {
  it('are computed once by 20 executions that start at the same time', async () => {
    await registerPlan('crowd', ['a'], serializable);
    const ids = await Promise.all(Array.from({ length: 20 }, () => launch(app, project, 'crowd')));
    await settle(...ids);
    const run = await onlyRun();
    const owner = executionOf(run);
    for (const id of ids) expect(await phasesOf(id)).toEqual(['QUEUED MISS']);

    const woken = new Set<string>();
    const stop = notifications.on('advance', null, (id) => woken.add(id));
    await finish(run);
    const others = ids.filter((id) => id !== owner);
    await eventually(
      async () => others.filter((id) => !woken.has(id)),
      (missing) => missing.length === 0,
    );
    stop();
    await settle(...others);
    expect(await phasesOf(owner)).toEqual(['SUCCEEDED POPULATED']);
    for (const id of others) {
      expect(await phasesOf(id)).toEqual(['SUCCEEDED HIT']);
      expect((await readExecution(app, id)).phase).toBe('SUCCEEDED');
    }
    expect(await lease()).toEqual([]);
    expect(await leftOver()).toEqual([]);
  });

  it('wake the executions that began to wait while the first one ended', async () => {
    await registerPlan('late', ['a'], serializable);
    const owner = await started('late');
    const run = await onlyRun();
    await hands.start(run);
    await hands.succeed(run, { y: 2 });
    const woken = new Set<string>();
    const stop = notifications.on('advance', null, (id) => woken.add(id));
    const ids = await Promise.all(Array.from({ length: 12 }, () => launch(app, project, 'late')));
    // The news of their creation does not count.
    await eventually(
      async () => woken.size,
      (size) => size === ids.length,
    );
    woken.clear();
    await settle(...ids.slice(0, 6), owner, ...ids.slice(6));
    const waiting = await eventually(
      async () => {
        const { rows } = await pool.query(
          "select execution_id as id from node_executions where phase = 'QUEUED' and execution_id = any($1)",
          [ids],
        );
        return rows.map(({ id }) => id).filter((id) => !woken.has(id));
      },
      (missed) => missed.length === 0,
    );
    expect(waiting).toEqual([]);
    stop();
    await settle(...ids);
    for (const id of ids) expect(await phasesOf(id)).toEqual(['SUCCEEDED HIT']);
    expect(await lease()).toEqual([]);
  });

  it('are not released while another turn begins to wait for them', async () => {
    await registerPlan('held', ['a'], serializable);
    const id = await started('held');
    const { rows } = await pool.query('select * from cache_reservations where execution_id = $1', [id]);
    const [{ key, project_id: projectId }] = rows;
    const owner = { tenantId, projectId, id };
    const other = await started('held');
    const order: string[] = [];
    const { release } = await inTransaction(async (tx) => {
      await acquireReservations(tx, { ...owner, id: other }, [{ key, nodeExecutionId: newId() }]);
      await pool.query(
        "update node_executions set phase = 'FAILED', ended_at = now() where execution_id = $1",
        [id],
      );
      const released = inTransaction((inner) => releaseReservations(inner, owner)).then(() =>
        order.push('released'),
      );
      await eventually(
        async () =>
          (await pool.query("select from pg_stat_activity where wait_event_type = 'Lock'")).rowCount ?? 0,
        (waiting) => waiting > 0 || order.length > 0,
      );
      order.push('waited');
      return { release: released };
    });
    await release;
    expect(order).toEqual(['waited', 'released']);
    for (const one of await lease()) await hands.fail(one);
  });

  it('are computed by the next one if the first one fails', async () => {
    await registerPlan('relay', ['a'], serializable);
    const ids = await Promise.all(Array.from({ length: 3 }, () => launch(app, project, 'relay')));
    await settle(...ids);
    const first = await onlyRun();
    await hands.fail(first);
    await settle(executionOf(first));
    await settle(...ids);
    expect((await readExecution(app, executionOf(first))).phase).toBe('FAILED');
    const second = await onlyRun();
    expect(executionOf(second)).not.toBe(executionOf(first));
    await finish(second);
    await settle(...ids);
    const phases = (await Promise.all(ids.map(phasesOf))).flat().sort();
    expect(phases).toEqual(['FAILED MISS', 'SUCCEEDED HIT', 'SUCCEEDED POPULATED']);
  });

  it('are computed by the next one if the first one is aborted or deleted', async () => {
    await registerPlan('leaving', ['a'], serializable);
    const ids = await Promise.all(Array.from({ length: 3 }, () => launch(app, project, 'leaving')));
    await settle(...ids);
    const first = await onlyRun();
    await hands.start(first);
    await mutate(
      app,
      'terminateExecution',
      { by: { id: executionOf(first) }, cause: 'no' },
      'execution { id }',
    );
    await settle(...ids);
    // It may still be running, so nobody takes over yet.
    expect(await lease()).toEqual([]);
    await hands.stopCancelled();
    await settle(executionOf(first));
    await settle(...ids);
    const second = await onlyRun();
    const last = ids.find((id) => id !== executionOf(first) && id !== executionOf(second)) as string;
    expect(await listDueExecutions()).not.toContain(last);
    await pool.query('delete from executions where id = $1', [executionOf(second)]);
    expect(await listDueExecutions()).toContain(last);
    await settle(last);
    const runs = await lease();
    await finish(runs.find((run) => executionOf(run) === last) as Run);
    expect(await phasesOf(last)).toEqual(['SUCCEEDED POPULATED']);
  });

  it('are computed by another one if the node of a reservation has ended without releasing it', async () => {
    await registerPlan('lost', ['a'], serializable);
    const [first, second] = [await started('lost'), await started('lost')];
    await hands.fail(await onlyRun());
    await pool.query(
      "update node_executions set phase = 'FAILED', ended_at = now() where execution_id = $1",
      [first],
    );
    expect(await listDueExecutions()).toContain(second);
    await settle(second);
    await finish(await onlyRun());
    expect(await phasesOf(second)).toEqual(['SUCCEEDED POPULATED']);
  });

  it('do not block nodes of the same execution, however few may run at the same time', async () => {
    await registerPlan('narrow', ['a', 'b', 'c'], serializable);
    for (const maxParallelism of [1, 2, 0]) {
      const x = 10 + maxParallelism;
      const id = await started('narrow', { maxParallelism, inputs: { x } });
      await finish(await onlyRun());
      expect((await phasesOf(id)).sort()).toEqual(['SUCCEEDED HIT', 'SUCCEEDED HIT', 'SUCCEEDED POPULATED']);
      expect((await readExecution(app, id)).phase).toBe('SUCCEEDED');
    }
    expect(await leftOver()).toEqual([]);
  });

  it('are computed one after the other by executions that overwrite the cache', async () => {
    await registerPlan('overwriters', ['a'], serializable);
    const ids = await Promise.all([1, 2].map(() => launch(app, project, 'overwriters')));
    for (const id of ids) await overwrite(id);
    await settle(...ids);
    await finish(await onlyRun());
    await settle(...ids);
    await finish(await onlyRun());
    expect((await Promise.all(ids.map(phasesOf))).flat()).toEqual([
      'SUCCEEDED POPULATED',
      'SUCCEEDED POPULATED',
    ]);
  });

  it('do not take nodes that wait for lost ones, and stop waiting with their execution', async () => {
    await registerPlan('patient', ['a'], serializable);
    const [, waiting] = [await started('patient'), await started('patient')];
    await pool.query(
      "update node_executions set updated_at = now() - interval '1 hour' where execution_id = $1",
      [waiting],
    );
    expect(await listOrphaned()).not.toContain(waiting);
    expect(await failOrphans(waiting)).toBe(false);
    await mutate(app, 'terminateExecution', { by: { id: waiting }, cause: 'no' }, 'execution { id }');
    await settle(waiting);
    expect((await readExecution(app, waiting)).phase).toBe('ABORTED');
    await finish(await onlyRun());
    expect(await lease()).toEqual([]);
  });
});

/** Reservations that nobody needs. */
async function leftOver() {
  const { rows } = await pool.query(
    `select key from cache_reservations where not exists (
       select from node_executions where id = owner_id and ended_at is null)`,
  );
  return rows;
}

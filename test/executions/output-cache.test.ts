import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pool } from '../../src/platform/database/client.ts';
import { advanceExecution } from '../../src/scheduler/advance-executions.ts';
import type { App } from '../support/app.ts';
import type { Hands } from '../support/hands.ts';
import { mutate } from '../support/mutate.ts';
import {
  createLaunchPlan,
  createWorkflow,
  integer,
  keyOf,
  launch,
  readExecution,
  registerProject,
  registerTask,
} from '../support/seed.ts';
import { countStatements } from '../support/statements.ts';
import {
  finish,
  lease,
  nodesOf,
  onlyRun,
  overwrite,
  phasesOf,
  project,
  registerPlan,
  settle,
  startCacheStage,
  started,
} from './cache-stage.ts';

let app: App;
let hands: Hands;
beforeAll(async () => {
  ({ app, hands } = await startCacheStage());
});
afterAll(() => app.stop());

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

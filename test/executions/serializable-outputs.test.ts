import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { acquireReservations, releaseReservations } from '../../src/executions/store/output-cache.ts';
import { pool } from '../../src/platform/database/client.ts';
import { notifications } from '../../src/platform/database/notify.ts';
import { inTransaction } from '../../src/platform/database/transaction.ts';
import { newId } from '../../src/platform/ids.ts';
import { failOrphans } from '../../src/scheduler/orphans.ts';
import { listDueExecutions, listOrphaned } from '../../src/scheduler/store.ts';
import type { App } from '../support/app.ts';
import type { Hands, Run } from '../support/hands.ts';
import { mutate } from '../support/mutate.ts';
import { eventually, launch, readExecution } from '../support/seed.ts';
import {
  executionOf,
  finish,
  lease,
  onlyRun,
  overwrite,
  phasesOf,
  project,
  registerPlan,
  serializable,
  settle,
  startCacheStage,
  started,
} from './cache-stage.ts';

let app: App;
let hands: Hands;
let tenantId: string;
beforeAll(async () => {
  ({ app, hands, tenantId } = await startCacheStage());
});
afterAll(() => app.stop());

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

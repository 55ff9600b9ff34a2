/** Sweeps that cannot delete an execution: they go on with all others. */
import { describe, expect, it } from 'vitest';
import { lockExecution } from '../../src/executions/store/locked-execution.ts';
import { db, pool } from '../../src/platform/database/client.ts';
import { inTransaction } from '../../src/platform/database/transaction.ts';
import { newId } from '../../src/platform/ids.ts';
import { deleteEnded } from '../../src/retention/commands/delete-ended.ts';
import { sweepExecutions } from '../../src/retention/commands/sweep-executions.ts';
import { listDuePolicies } from '../../src/retention/store/sweeps.ts';
import { launch } from '../support/seed.ts';
import { eventually } from '../support/waiting.ts';
import {
  ago,
  app,
  ended,
  exists,
  plan,
  policyId,
  project,
  read,
  setStage,
  sweep,
  update,
} from './fixture.ts';

setStage();

/** Keeps executions from being deleted, as a fault of the server would. @returns what ends that. */
async function hold(...ids: readonly string[]): Promise<() => Promise<unknown>> {
  await pool.query('create table holds (execution_id uuid references executions (id))');
  await pool.query('insert into holds select unnest($1::uuid[])', [ids]);
  return () => pool.query('drop table holds');
}

/** A session that can lock all rows of a table, which stops whoever comes to them. */
async function stop(table: string) {
  const client = await pool.connect();
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  const pid = rows[0]?.pid;
  const until = (sql: string) =>
    eventually(
      async () => (await pool.query(sql, [pid])).rowCount,
      (count) => count !== 0,
    );
  return {
    query: client.query.bind(client) as typeof client.query,
    lock: async () => {
      await client.query('begin');
      await client.query(`select from ${table} for update`);
    },
    unlock: () => client.query('commit'),
    untilItStopsOne: () => until('select from pg_stat_activity where $1 = any (pg_blocking_pids(pid))'),
    untilItWaits: () => until('select where cardinality(pg_blocking_pids($1)) > 0'),
    end: () => client.release(true),
  };
}

describe('an execution that cannot be deleted', () => {
  it('does not keep the sweep from all others, and is tried again by the next sweep', async () => {
    const ids = [await ended(55), await ended(54), await ended(53), await ended(52), await ended(51)];
    const stuck = [ids[1], ids[3]] as string[];
    await update([{ keepFor: 'P1D' }]);
    const release = await hold(...stuck);
    try {
      await sweep();
    } finally {
      await release();
    }
    expect(await Promise.all(ids.map(exists))).toEqual([false, true, false, true, false]);
    expect(await read()).toMatchObject({ deletedCount: '3', lastSweptAt: expect.any(String) });
    await sweep();
    expect(await Promise.all(ids.map(exists))).toEqual([false, false, false, false, false]);
    expect((await read()).deletedCount).toBe('5');
  });

  it('does not keep other schedulers from going on, if eight come to it at once', async () => {
    const ids = [await ended(55), await ended(54), await ended(53), await ended(52)];
    await update([{ keepFor: 'P1D' }]);
    const id = await policyId();
    const release = await hold(ids[1] ?? '');
    try {
      await Promise.all(Array.from({ length: 8 }, () => sweepExecutions(id)));
      await sweep();
    } finally {
      await release();
    }
    expect(await Promise.all(ids.map(exists))).toEqual([false, true, false, false]);
    expect((await read()).deletedCount).toBe('3');
  });

  it('is passed once, if another scheduler has passed it in the meantime', async () => {
    const ids = [await ended(55), await ended(54), await ended(53)] as const;
    await update([{ keepFor: 'P1D' }]);
    const id = await policyId();
    const { endedAt } = await db.execution.findUniqueOrThrow({ where: { id: ids[0] } });
    const release = await hold(ids[0]);
    const [deletion, policy] = [await stop('holds'), await stop('retention_policies')];
    try {
      await deletion.lock();
      const swept = sweepExecutions(id);
      await deletion.untilItStopsOne();
      const between = policy.lock();
      await policy.untilItWaits();
      await deletion.unlock();
      await between;
      // The turn has failed. From here on, the sweep goes one by one.
      await deletion.lock();
      await policy.untilItStopsOne();
      await policy.unlock();
      await deletion.untilItStopsOne();
      const passed = policy.lock();
      await policy.untilItWaits();
      await deletion.unlock();
      await passed;
      await policy.query('update retention_policies set swept_ended_at = $1, swept_id = $2', [
        endedAt,
        ids[0],
      ]);
      await policy.unlock();
      await swept;
      await sweep();
    } finally {
      for (const each of [deletion, policy]) each.end();
      await release();
    }
    expect(await Promise.all(ids.map(exists))).toEqual([true, false, false]);
  });

  it('is one that an open execution in work names: the sweep does not wait for the end of that work', async () => {
    const [named, free] = [await ended(50), await ended(49)];
    const open = await launch(app, project, 'one', plan());
    await db.execution.update({ where: { id: open }, data: { sourceId: named } });
    await update([{ keepFor: 'P1D' }]);
    await inTransaction(async (tx) => {
      await lockExecution(tx, open);
      await sweep();
      expect(await Promise.all([named, free].map(exists))).toEqual([true, false]);
    });
    await sweep();
    expect(await exists(named)).toBe(false);
    expect(await db.execution.findUniqueOrThrow({ where: { id: open } })).toMatchObject({ sourceId: null });
  });
});

describe('a policy that cannot go on at all', () => {
  it('waits as long as after a sweep, and then goes on', async () => {
    const id = await ended(50);
    await update([{ keepFor: 'P1D' }]);
    const policy = await policyId();
    const { rules } = await db.retentionPolicy.findUniqueOrThrow({ where: { id: policy } });
    const store = (value: object) =>
      db.retentionPolicy.update({ where: { id: policy }, data: { rules: value } });
    await store([{ keepSeconds: 3600, labels: {}, phases: 'none', archivedOnly: false }]);
    await expect(sweepExecutions(policy)).rejects.toThrow();
    expect(await listDuePolicies(1000)).not.toContain(policy);
    const { sweepAt } = await db.retentionPolicy.findUniqueOrThrow({ where: { id: policy } });
    expect(sweepAt.getTime()).toBeGreaterThan(ago(0).getTime() + 500_000);
    await store(rules as object);
    await sweep();
    expect(await exists(id)).toBe(false);
  });
});

describe('the rows of a large execution', () => {
  it('are each visited a few times, however many there are', async () => {
    const rows = 20_000;
    const id = await ended(50);
    await pool.query(
      `with node as (
         insert into node_executions (id, tenant_id, execution_id, node_id, spec_node_id, phase)
         select gen_random_uuid(), tenant_id, id, 'fan:' || n, 'fan', 'QUEUED'
           from executions, generate_series(1, $2::int) as n where id = $1 returning *
       ),
       task as (
         insert into task_executions (id, tenant_id, execution_id, node_execution_id, task_project, task_domain,
                                      task_name, task_version, retry_attempt)
         select gen_random_uuid(), tenant_id, execution_id, id, 'p', 'd', 't', 'v', 0 from node
       )
       insert into execution_events (execution_id, sequence, tenant_id, kind, phase, occurred_at)
       select id, last_sequence + n, tenant_id, 'NODE', 'QUEUED', now()
         from executions, generate_series(1, $2::int) as n where id = $1`,
      [id, rows],
    );
    await pool.query('analyze execution_events, task_executions, node_executions');
    const visits = await inTransaction(async (tx) => {
      // As on a large database, where nothing reads whole tables.
      for (const form of ['seqscan', 'mergejoin', 'hashjoin'])
        await tx.$executeRawUnsafe(`set local enable_${form} = off`);
      await deleteEnded(tx, [id], { deletedById: newId(), skipsLocked: true });
      return await tx.$queryRaw<{ table: string; count: bigint }[]>`
        select index.indrelid::regclass::text as table,
               sum(pg_stat_get_xact_tuples_returned(index.indexrelid)) as count
          from pg_index as index
         where index.indrelid in ('execution_events'::regclass, 'task_executions'::regclass, 'node_executions'::regclass)
         group by 1`;
    });
    expect(visits).toHaveLength(3);
    for (const { table, count } of visits) expect([table, Number(count) / rows <= 4]).toEqual([table, true]);
  });
});

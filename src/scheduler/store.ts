import pg from 'pg';
import { listOwnersWithNews } from '../jobs/store/job-sets.ts';
import type { Pool } from '../jobs/store/leases.ts';
import { run, statement } from '../platform/database/statement.ts';
import { inTransaction } from '../platform/database/transaction.ts';

const BATCH = 200;

const dueExecutions = statement<{ id: string }>(
  `select id from executions
    where advance_at <= now() and (engine = 'SLIPWAY' or (abort_is_forced and phase = 'ABORTING'))
    order by advance_at limit $1`,
);

const withEndedChildren = statement<{ id: string }>(
  `select distinct node.execution_id as id
     from node_executions as node
     join executions as execution on execution.id = node.execution_id and execution.engine = 'SLIPWAY'
     join executions as child on child.parent_node_id = node.id and child.ended_at is not null
    where node.ended_at is null and node.kind = 'LAUNCH_PLAN' limit $1`,
);

const withFreeKeys = statement<{ id: string }>(
  `select distinct waiter.execution_id as id
     from cache_waiters as waiter
     join node_executions as node on node.id = waiter.node_execution_id and node.ended_at is null
    where not exists (
      select from cache_reservations as reservation
        join node_executions as owner on owner.id = reservation.owner_id and owner.ended_at is null
       where reservation.tenant_id = waiter.tenant_id and reservation.project_id = waiter.project_id
         and reservation.key = waiter.key)
    limit $1`,
);

/**
 * Executions that wait for a turn, whose jobs have events that were not applied yet, or which have started another
 * execution that has ended, or with nodes that wait for outputs which no other node computes any more.
 */
export async function listDueExecutions(): Promise<string[]> {
  const [asked, withNews, withChildren, withKeys] = await Promise.all([
    run(dueExecutions, [BATCH]),
    listOwnersWithNews(BATCH),
    run(withEndedChildren, [BATCH]),
    run(withFreeKeys, [BATCH]),
  ]);
  return [...[...asked, ...withChildren, ...withKeys].map((row) => row.id), ...withNews];
}

/** How long a node must have been without a change, so that nothing is on its way. */
const SETTLED_SECONDS = 60;

const orphansStatement = statement<{ id: string }>(
  `select distinct node.execution_id as id
     from node_executions as node
     join executions as execution on execution.id = node.execution_id and execution.engine = 'SLIPWAY'
    where node.ended_at is null and node.kind = 'TASK' and not node.is_dynamic
      and not exists (select from cache_waiters as waiter where waiter.node_execution_id = node.id)
      and node.updated_at < now() - $2 * interval '1 second'
      and not exists (
        select from job_sets as set
          join jobs as job on job.job_set_id = set.id
                          and job.client_id = node.id || '/' || coalesce(node.latest_attempt, 0)
         where set.owner_id = node.execution_id
           and (job.ended_at is null or set.last_sequence > set.owner_sequence))
    limit $1`,
);

/** Executions with nodes that wait for a job which does not exist, or whose end they have missed. */
export async function listOrphaned(): Promise<string[]> {
  return (await run(orphansStatement, [BATCH, SETTLED_SECONDS])).map((row) => row.id);
}

/**
 * Whether the pool of an executor has a job that waits. The order is that of an index: without it, PostgreSQL expects to
 * find such a job soon in the whole table, and reads all of it for each pool that has none.
 */
const hasWaiting = (which: string, order: string) =>
  `coalesce((select true from jobs where jobs.tenant_id = executors.tenant_id and jobs.pool = executors.pool
                                     and jobs.state = 'QUEUED' and ${which} order by ${order} limit 1), false)`;

const waitingPools = statement<{ pool: string }>(
  `select tenant_id || '/' || pool as pool from executors group by tenant_id, pool
   having ${hasWaiting('gang_id is null', 'queue_id, shape')}
       or ${hasWaiting('gang_id is not null', 'queue_id, gang_id')}`,
);

/** Pools with executors and queued jobs, each as `tenant/name`. */
export async function listWaitingPools(): Promise<string[]> {
  return (await run(waitingPools, [])).map((row) => row.pool);
}

/** The pool with this id. */
export function poolOf(text: string): Pool {
  const slash = text.indexOf('/');
  return { tenantId: text.slice(0, slash), name: text.slice(slash + 1) };
}

/** A table with fewer rows counts as having so many. */
const FEW_ROWS = 500;

/** The sample has 300 times as many rows. */
const SAMPLE = 10;

const smallSample = statement(`set local default_statistics_target = ${SAMPLE}`);

const grownStatement = statement<{ name: string }>(
  `select counted.relname as name from pg_stat_user_tables as counted join pg_class as known on known.oid = counted.relid
    where counted.schemaname = current_schema() and pg_has_role(known.relowner, 'USAGE')
      and counted.n_live_tup > 2 * greatest(known.reltuples, ${FEW_ROWS})`,
);

/** The tables with more than twice as many rows as PostgreSQL assumes when it plans statements. */
export async function listGrownTables(): Promise<string[]> {
  return (await run(grownStatement, [])).map(({ name }) => name);
}

/**
 * Has PostgreSQL count the rows of a table again from a small sample, and plan all statements that use it anew. Does
 * nothing if another transaction is doing so, or has locked the table. PostgreSQL itself takes a larger sample later.
 */
export async function analyzeTable(name: string): Promise<void> {
  await inTransaction(async (tx) => {
    await run(smallSample, [], tx);
    await run(statement(`analyze (skip_locked) ${pg.escapeIdentifier(name)}`), [], tx);
  });
}

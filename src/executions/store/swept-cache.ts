import { run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';

/**
 * The statements that keep the cache of outputs small. They leave out entries that executions take at the moment, so
 * that they never wait for a turn of the engine.
 */

const lockStatement = statement<{ mine: boolean }>(
  `select pg_try_advisory_xact_lock(hashtextextended('slipway:sweep-cached-outputs', 0)) as mine`,
);

/** Whether this transaction is the only one that sweeps the cache. */
export async function tryLockSweep(tx: Tx): Promise<boolean> {
  const [row] = await run(lockStatement, [], tx);
  return row?.mine === true;
}

const unusedStatement = statement<{ id: string }>(
  `delete from cache_entries where id in (
     select id from cache_entries where last_used_at < $1::timestamptz
      order by last_used_at, id limit $2 for update skip locked)
   returning id`,
);

/** Deletes entries that no execution has taken since `before`, those that were used least recently first. */
export async function deleteUnusedEntries(tx: Tx, before: Date, limit: number): Promise<number> {
  return (await run(unusedStatement, [before, limit], tx)).length;
}

/** The most recently used entry that is one too many, in a project and a domain of tasks. */
export interface SurplusEdge {
  readonly projectId: string;
  readonly taskDomain: string;
  readonly lastUsedAt: Date;
  readonly id: string;
}

// Each step of the recursion jumps to the next pair in the index. In a pair it reads no more entries than are allowed.
const edgesStatement = statement<SurplusEdge>(
  `with recursive pairs as (
     (select project_id, task_domain from cache_entries order by project_id, task_domain limit 1)
     union all
     select next.project_id, next.task_domain from pairs cross join lateral (
       select entry.project_id, entry.task_domain from cache_entries as entry
        where (entry.project_id, entry.task_domain) > (pairs.project_id, pairs.task_domain)
        order by entry.project_id, entry.task_domain limit 1) as next
   )
   select pairs.project_id as "projectId", pairs.task_domain as "taskDomain",
          edge.last_used_at as "lastUsedAt", edge.id
     from pairs cross join lateral (
       select entry.last_used_at, entry.id from cache_entries as entry
        where entry.project_id = pairs.project_id and entry.task_domain = pairs.task_domain
        order by entry.last_used_at desc, entry.id desc offset $1 limit 1) as edge
    limit $2`,
);

/** Where the surplus begins in each project and domain of tasks that has more than `most` entries, for up to `limit`. */
export const findSurplusEdges = (tx: Tx, most: number, limit: number): Promise<SurplusEdge[]> =>
  run(edgesStatement, [most, limit], tx);

const surplusStatement = statement<{ id: string }>(
  `delete from cache_entries where id in (
     select least_used.id
       from unnest($1::uuid[], $2::text[], $3::text[]::timestamptz[], $4::uuid[])
            as edge(project_id, task_domain, last_used_at, id)
      cross join lateral (
       select entry.id from cache_entries as entry
        where entry.project_id = edge.project_id and entry.task_domain = edge.task_domain
          and (entry.last_used_at, entry.id) <= (edge.last_used_at, edge.id)
        order by entry.last_used_at, entry.id limit $5 for update skip locked) as least_used
      limit $5)
   returning id`,
);

/**
 * Deletes the entries at these edges and those that were used before them, least recently used first. An entry
 * that somebody uses in the meantime comes after the edge then, so it stays.
 */
export async function deleteSurplusEntries(
  tx: Tx,
  edges: readonly SurplusEdge[],
  limit: number,
): Promise<number> {
  const columns = [
    edges.map(({ projectId }) => projectId),
    edges.map(({ taskDomain }) => taskDomain),
    edges.map(({ lastUsedAt }) => lastUsedAt.toISOString()),
    edges.map(({ id }) => id),
  ];
  return (await run(surplusStatement, [...columns, limit], tx)).length;
}

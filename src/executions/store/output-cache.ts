import { run, statement } from '../../platform/database/statement.ts';
import { notifySql } from '../../platform/database/topics.ts';
import type { Tx } from '../../platform/database/transaction.ts';

/**
 * The statements of the cache of outputs. They lock in this order: the execution, entries that are written, reservations
 * by their keys, entries that are read. A turn either releases reservations or acquires them, so that no two turns wait
 * for each other.
 */

/** Whose cache it is. */
export interface CacheOwner {
  readonly tenantId: string;
  readonly projectId: string;
}

/** A node that wants to compute a missing entry. */
export interface Applicant {
  readonly key: string;
  readonly nodeExecutionId: string;
}

const acquireStatement = statement<{ key: string; ownerId: string }>(
  `insert into cache_reservations as reservation (tenant_id, project_id, key, owner_id, execution_id)
   select $1::uuid, $2::uuid, asked.key, asked."nodeExecutionId", $3::uuid
     from json_to_recordset($4::json) as asked(key text, "nodeExecutionId" uuid)
    order by asked.key
   on conflict (tenant_id, project_id, key) do update set owner_id = reservation.owner_id
   returning key, owner_id as "ownerId"`,
);

const dropDeadStatement = statement<{ key: string }>(
  `delete from cache_reservations as reservation
    using (select tenant_id, project_id, key from cache_reservations
            where (tenant_id, project_id) = ($1::uuid, $2::uuid) and key = any($3::text[])
              and not exists (select from node_executions as node where node.id = owner_id and node.ended_at is null)
            order by key for update) as dead
    where (reservation.tenant_id, reservation.project_id, reservation.key) = (dead.tenant_id, dead.project_id, dead.key)
   returning reservation.key`,
);

/**
 * Reserves keys, each for one node. If another node has reserved a key, its reservation stays locked until the end of
 * the transaction, so that it cannot be released without its owner seeing who waits. A reservation whose node has ended,
 * or was deleted, does not count.
 *
 * @param applicants  at most one for each key.
 * @returns the node that has reserved each key.
 */
export async function acquireReservations(
  tx: Tx,
  { tenantId, projectId, id }: CacheOwner & { readonly id: string },
  applicants: readonly Applicant[],
): Promise<ReadonlyMap<string, string>> {
  if (applicants.length === 0) return new Map();
  const acquire = async (asked: readonly Applicant[]) => {
    const rows = await run(acquireStatement, [tenantId, projectId, id, JSON.stringify(asked)], tx);
    return rows.map((row) => [row.key, row.ownerId] as const);
  };
  const owners = new Map(await acquire(applicants));
  const refused = applicants.filter(({ key, nodeExecutionId }) => owners.get(key) !== nodeExecutionId);
  if (refused.length === 0) return owners;
  const keys = refused.map(({ key }) => key);
  const dropped = await run(dropDeadStatement, [tenantId, projectId, keys], tx);
  return dropped.length === 0 ? owners : new Map([...owners, ...(await acquire(refused))]);
}

const releaseStatement = statement<{ key: string }>(
  `delete from cache_reservations as reservation
    using (select held.tenant_id, held.project_id, held.key
             from cache_reservations as held join node_executions as node on node.id = held.owner_id
            where held.execution_id = $1::uuid and node.ended_at is not null
            order by held.key for update of held) as over
    where (reservation.tenant_id, reservation.project_id, reservation.key) = (over.tenant_id, over.project_id, over.key)
   returning reservation.key`,
);

const withdrawStatement = statement<{ key: string }>(
  `delete from cache_reservations
    where (tenant_id, project_id, execution_id) = ($1::uuid, $2::uuid, $4::uuid) and key = any($3::text[])
   returning key`,
);

const wakeStatement = statement<{ executionId: string }>(
  `select waiter.execution_id as "executionId", ${notifySql('advance', 'waiter.execution_id')}
     from cache_waiters as waiter
    where (waiter.tenant_id, waiter.project_id) = ($1::uuid, $2::uuid) and waiter.key = any($3::text[])
    group by waiter.execution_id`,
);

/**
 * Releases the reservations of the nodes of an execution that have ended, however they ended, and wakes the executions
 * with nodes that wait for them.
 *
 * @returns whether there were any.
 */
export async function releaseReservations(
  tx: Tx,
  execution: CacheOwner & { readonly id: string },
): Promise<boolean> {
  const released = await run(releaseStatement, [execution.id], tx);
  await wake(
    tx,
    execution,
    released.map(({ key }) => key),
  );
  return released.length > 0;
}

/** Releases keys that this transaction has acquired and does not need. */
export async function withdrawReservations(
  tx: Tx,
  execution: CacheOwner & { readonly id: string },
  keys: readonly string[],
): Promise<void> {
  if (keys.length === 0) return;
  await run(withdrawStatement, [execution.tenantId, execution.projectId, keys, execution.id], tx);
  await wake(tx, execution, keys);
}

/** A new statement: it sees waiters whose transactions ended while this one waited for the reservation. */
async function wake(tx: Tx, { tenantId, projectId }: CacheOwner, keys: readonly string[]): Promise<void> {
  if (keys.length === 0) return;
  await run(wakeStatement, [tenantId, projectId, keys], tx);
}

/** A stored entry, without its outputs. */
export interface FoundEntry {
  readonly id: string;
  readonly key: string;
  readonly blobIds: readonly string[];
}

const findStatement = statement<FoundEntry>(
  `with found as materialized (
     select id, key, blob_ids, last_used_at from cache_entries
      where tenant_id = $1::uuid and project_id = $2::uuid and key = any($3::text[])
      order by id for key share
   ),
   touched as (
     update cache_entries set last_used_at = now()
      where id in (select entry.id from cache_entries as entry join found using (id)
                    where found.last_used_at < now() - interval '1 minute' for no key update of entry skip locked)
   )
   select id, key, blob_ids as "blobIds" from found`,
);

/** The entries with these keys. They cannot be deleted before the end of the transaction. */
export async function findEntries(
  tx: Tx,
  { tenantId, projectId }: CacheOwner,
  keys: readonly string[],
): Promise<FoundEntry[]> {
  return keys.length === 0 ? [] : await run(findStatement, [tenantId, projectId, [...new Set(keys)]], tx);
}

/** What became of a lookup, for a node that has a row. */
export interface Lookup {
  readonly nodeExecutionId: string;
  readonly status: 'HIT' | 'MISS' | 'SKIPPED';
  readonly key: string;
  /** The entry whose outputs it takes; only of a HIT. */
  readonly entryId: string | null;
}

const storeLookupsStatement = statement<{ id: string }>(
  `update node_executions as node
      set cache_status = asked.status, cache_key = asked.key, outputs = coalesce(entry.outputs, node.outputs),
          details = case when entry.id is null then node.details
                         else (coalesce(node.details::jsonb, '{}') || jsonb_build_object('catalogKey', entry.catalog_key))::json
                    end
     from json_to_recordset($2::json) as asked("nodeExecutionId" uuid, status cache_status, key text, "entryId" uuid)
     left join cache_entries as entry on entry.id = asked."entryId"
    where node.execution_id = $1::uuid and node.id = asked."nodeExecutionId"
   returning node.id`,
);

/** Stores the results of lookups, and copies the outputs of entries, which never leave the database. */
export async function storeLookups(tx: Tx, executionId: string, lookups: readonly Lookup[]): Promise<void> {
  if (lookups.length === 0) return;
  await run(storeLookupsStatement, [executionId, JSON.stringify(lookups)], tx);
}

/** The outputs of a node that has succeeded, to be used again. */
export interface NewEntry {
  readonly id: string;
  readonly nodeExecutionId: string;
  readonly cacheVersion: string;
  readonly blobIds: readonly string[];
}

const storeEntriesStatement = statement<{ id: string }>(
  `with asked as materialized (
     select * from json_to_recordset($2::json) as asked(
       id uuid, "nodeExecutionId" uuid, "cacheVersion" text, "blobIds" uuid[])
   ),
   computed as materialized (
     -- If several nodes have computed the same, one of them counts.
     select distinct on (node.cache_key)
            asked.id, execution.tenant_id, execution.project_id, node.cache_key as key, attempt.task_project,
            attempt.task_domain, attempt.task_name, asked."cacheVersion" as cache_version, node.outputs,
            coalesce(asked."blobIds", '{}') as blob_ids,
            json_build_object(
              'datasetId', json_build_object('resourceType', 'DATASET', 'project', attempt.task_project,
                'domain', attempt.task_domain, 'name', attempt.task_name, 'version', asked."cacheVersion"),
              'artifactTag', json_build_object('artifactId', node.cache_key, 'name', 'slipway-' || node.cache_key),
              'sourceTaskExecution', json_build_object(
                'taskId', json_build_object('resourceType', 'TASK', 'project', attempt.task_project,
                  'domain', attempt.task_domain, 'name', attempt.task_name, 'version', attempt.task_version),
                'nodeExecutionId', json_build_object('nodeId', node.node_id, 'executionId', json_build_object(
                  'project', project.identifier, 'domain', execution.domain, 'name', execution.name)),
                'retryAttempt', attempt.retry_attempt)) as catalog_key
       from asked
       join node_executions as node on (node.id, node.execution_id) = (asked."nodeExecutionId", $1::uuid)
       join task_executions as attempt on attempt.id = node.latest_task_execution_id
       join executions as execution on execution.id = node.execution_id
       join projects as project on project.id = execution.project_id
      where node.cache_key is not null
      order by node.cache_key, node.id
   ),
   stored as (
     insert into cache_entries as entry (id, tenant_id, project_id, key, task_project, task_domain, task_name,
                                         cache_version, outputs, blob_ids, catalog_key)
     select * from computed order by key
     on conflict (tenant_id, project_id, key) do update
        set outputs = excluded.outputs, blob_ids = excluded.blob_ids, catalog_key = excluded.catalog_key,
            created_at = now(), last_used_at = now()
     returning key, catalog_key
   )
   update node_executions as node
      set cache_status = 'POPULATED',
          details = (coalesce(node.details::jsonb, '{}') || jsonb_build_object('catalogKey', stored.catalog_key))::json
     from asked, stored
    where node.id = asked."nodeExecutionId" and (node.execution_id, node.cache_key) = ($1::uuid, stored.key)
   returning node.id`,
);

/** Stores the outputs of nodes that have succeeded, in place of older entries with the same key. */
export async function storeEntries(tx: Tx, executionId: string, entries: readonly NewEntry[]): Promise<void> {
  if (entries.length === 0) return;
  await run(storeEntriesStatement, [executionId, JSON.stringify(entries)], tx);
}

/** A node that waits until another one has computed the entry. */
export interface Waiter {
  readonly nodeExecutionId: string;
  readonly nodeId: string;
  readonly key: string;
}

const listWaitersStatement = statement<Waiter>(
  `with over as (
     delete from cache_waiters as waiter using node_executions as node
      where waiter.execution_id = $1::uuid and node.id = waiter.node_execution_id and node.ended_at is not null
   )
   select node.id as "nodeExecutionId", node.node_id as "nodeId", waiter.key
     from cache_waiters as waiter join node_executions as node on node.id = waiter.node_execution_id
    where waiter.execution_id = $1::uuid and node.ended_at is null
    order by exists (select from cache_reservations as reservation
                      where reservation.tenant_id = waiter.tenant_id and reservation.project_id = waiter.project_id
                        and reservation.key = waiter.key), node.id
    limit $2`,
);

/** The open nodes of an execution that wait: first those whose key is free, then the oldest ones. */
export function listWaiters(tx: Tx, executionId: string, limit: number): Promise<Waiter[]> {
  return run(listWaitersStatement, [executionId, limit], tx);
}

const addWaitersStatement = statement<{ id: string }>(
  `insert into cache_waiters (node_execution_id, tenant_id, project_id, key, execution_id)
   select asked."nodeExecutionId", $1::uuid, $2::uuid, asked.key, $3::uuid
     from json_to_recordset($4::json) as asked("nodeExecutionId" uuid, key text)
   on conflict (node_execution_id) do nothing
   returning node_execution_id as id`,
);

/** The transaction must have asked for the reservations before. */
export async function addWaiters(
  tx: Tx,
  { tenantId, projectId, id }: CacheOwner & { readonly id: string },
  waiters: readonly Applicant[],
): Promise<void> {
  if (waiters.length === 0) return;
  await run(addWaitersStatement, [tenantId, projectId, id, JSON.stringify(waiters)], tx);
}

const removeWaitersStatement = statement<{ id: string }>(
  `delete from cache_waiters where execution_id = $1::uuid and node_execution_id = any($2::uuid[])
   returning node_execution_id as id`,
);

export async function removeWaiters(tx: Tx, executionId: string, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await run(removeWaitersStatement, [executionId, ids], tx);
}

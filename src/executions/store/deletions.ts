import { run, type Statement, statement } from '../../platform/database/statement.ts';
import { notifySql } from '../../platform/database/topics.ts';
import type { Tx } from '../../platform/database/transaction.ts';

/** How executions are deleted, with everything inside of them. */

const sizesStatement = statement<{ id: string; events: bigint }>(
  'select id, last_sequence as events from executions where id = any($1::uuid[]) order by id',
);

/** How many events each of these executions has. An execution with more events also has more nodes and attempts. */
export const readSizes = (ids: readonly string[]) => run(sizesStatement, [ids]);

const lockText = 'select id from executions where id = any($1::uuid[]) order by id for update';
const lockStatement = statement<{ id: string }>(lockText);
const lockFreeStatement = statement<{ id: string }>(`${lockText} skip locked`);

/**
 * Locks executions until the transaction ends, against turns, against new executions that refer to them, and against
 * others that delete them.
 *
 * @param skipsLocked  whether to leave out what another transaction has locked, and not wait for it.
 * @returns the ids of those that exist.
 */
export async function lockToDelete(tx: Tx, ids: readonly string[], skipsLocked: boolean): Promise<string[]> {
  return (await run(skipsLocked ? lockFreeStatement : lockStatement, [ids], tx)).map((row) => row.id);
}

/** How many rows one statement deletes or changes. */
const BATCH = 2000;

const deletion = (table: string, key: readonly string[], order = ''): Statement<{ count: number }> =>
  statement(
    `with batch as materialized (
       select ${key.join(', ')} from ${table} where execution_id = any($1::uuid[]) ${order} limit ${BATCH}
     ),
     gone as (
       delete from ${table} as part using batch
        where ${key.map((column) => `part.${column} = batch.${column}`).join(' and ')} returning 1
     )
     select count(*)::int as count from gone`,
  );

/** The other executions that name one of these lose it. They stay. */
const detachStatement = statement<{ count: number }>(
  `with batch as materialized (
     select other.id from unnest($1::uuid[]) as gone(id) join executions as other on other.source_id = gone.id
     union
     select other.id from unnest($1::uuid[]) as gone(id) join executions as other on other.reference_id = gone.id
     limit ${BATCH}
   ),
   changed as (
     update executions as other
        set source_id = case when source_id = any($1::uuid[]) then null else source_id end,
            reference_id = case when reference_id = any($1::uuid[]) then null else reference_id end
       from batch where other.id = batch.id returning 1
   )
   select count(*)::int as count from changed`,
);

/**
 * The tables with many rows for one execution. The last nodes go first, because a node goes after what is inside of it.
 * The foreign keys delete the few rows of all other tables.
 */
const batches: readonly Statement<{ count: number }>[] = [
  detachStatement,
  deletion('execution_events', ['execution_id', 'sequence']),
  deletion('task_executions', ['id']),
  deletion('node_executions', ['id'], 'order by id desc'),
];

const deleteStatement = statement<{ id: string }>(
  `with gone as (
     delete from executions where id = any($1::uuid[]) returning id, tenant_id
   ),
   remains as (
     insert into execution_remains (execution_id, tenant_id, deleted_by_id)
     select id, tenant_id, $2::uuid from gone
     returning execution_id as id
   )
   select id, ${notifySql('execution', 'id')}, ${notifySql('remains', 'id')} from remains`,
);

/**
 * Deletes executions with everything inside of them, and notes that their job sets remain. No statement deletes more than
 * 2,000 events, attempts or nodes.
 *
 * @param ids  of executions that this transaction has locked, and that nothing needs any more.
 */
export async function removeExecutions(tx: Tx, ids: readonly string[], deletedById: string): Promise<void> {
  for (const batch of batches) {
    let count = BATCH;
    while (count === BATCH) count = (await run(batch, [ids], tx))[0]?.count ?? 0;
  }
  await run(deleteStatement, [ids, deletedById], tx);
}

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

/** How long a deletion that skips what is locked waits for the other executions that name a deleted one. */
const LOCK_TIMEOUT = '2s';
const waitShortlyStatement = statement(`select set_config('lock_timeout', '${LOCK_TIMEOUT}', true)`);

/**
 * Locks executions until the transaction ends, against turns, against new executions that refer to them, and against
 * others that delete them.
 *
 * @param skipsLocked  whether to leave out what another transaction has locked, and not wait for it. Then the transaction
 * fails if it must wait for longer than two seconds for an execution that names one of these.
 * @returns the ids of those that exist.
 */
export async function lockToDelete(tx: Tx, ids: readonly string[], skipsLocked: boolean): Promise<string[]> {
  if (skipsLocked) await run(waitShortlyStatement, [], tx);
  return (await run(skipsLocked ? lockFreeStatement : lockStatement, [ids], tx)).map((row) => row.id);
}

/** How many rows one statement deletes or changes. */
const BATCH = 2000;

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

/** How the rows of executions in one table are deleted, with a cursor that finds their keys. */
interface Part {
  readonly open: Statement<unknown>;
  readonly fetch: Statement<Readonly<Record<string, string>>>;
  readonly close: Statement<unknown>;
  readonly remove: Statement<unknown>;
}

/**
 * A statement that looks for the next rows anew finds all those again that this transaction has deleted. Then an execution
 * with ten times as many rows takes a hundred times as long. A cursor comes to each row once.
 *
 * @param keys  the columns of the primary key, each with its type.
 * @param order  in which the rows go. The keys are read before they are sorted: otherwise PostgreSQL may look for the rows
 * of an execution among those of all others.
 */
function part(table: string, keys: Readonly<Record<string, string>>, order = ''): Part {
  const columns = Object.keys(keys);
  const cursor = `gone_${table}`;
  const arrays = Object.values(keys).map((type, at) => `$${at + 1}::text[]::${type}[]`);
  return {
    open: statement(
      `declare ${cursor} no scroll cursor for
         with mine as ${order ? 'materialized' : 'not materialized'} (
           select ${columns.join(', ')} from ${table} where execution_id = any($1::uuid[])
         )
         select ${columns.map((column) => `${column}::text as ${column}`).join(', ')} from mine ${order}`,
    ),
    fetch: statement(`fetch ${BATCH} from ${cursor}`),
    close: statement(`close ${cursor}`),
    remove: statement(
      `delete from ${table} as part using unnest(${arrays.join(', ')}) as batch(${columns.join(', ')})
        where ${columns.map((column) => `part.${column} = batch.${column}`).join(' and ')}`,
    ),
  };
}

/**
 * The tables with many rows for one execution. The last nodes go first, because a node goes after what is inside of it.
 * The foreign keys delete the few rows of all other tables.
 */
const parts: readonly Part[] = [
  part('execution_events', { execution_id: 'uuid', sequence: 'bigint' }),
  part('task_executions', { id: 'uuid' }),
  part('node_executions', { id: 'uuid' }, 'order by mine.id desc'),
];

async function removePart(tx: Tx, { open, fetch, close, remove }: Part, ids: readonly string[]) {
  await run(open, [ids], tx);
  let count = BATCH;
  while (count === BATCH) {
    const rows = await run(fetch, [], tx);
    const [first] = rows;
    count = rows.length;
    if (first)
      await run(
        remove,
        Object.keys(first).map((column) => rows.map((row) => row[column] ?? '')),
        tx,
      );
  }
  await run(close, [], tx);
}

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
  let count = BATCH;
  while (count === BATCH) count = (await run(detachStatement, [ids], tx))[0]?.count ?? 0;
  for (const one of parts) await removePart(tx, one, ids);
  await run(deleteStatement, [ids, deletedById], tx);
}

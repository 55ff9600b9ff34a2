import { run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { tablesThatNameFiles } from '../domain/file-tables.ts';

const rowsOf = (table: string) =>
  `select part::text as text from ${table} as part
    where tenant_id = $1::uuid and part::text like '%slipway://blobs/%'`;

const namedStatement = statement<{ id: string }>(
  `with named as materialized (
     select distinct lower(found[1]) as id
       from (${tablesThatNameFiles.map(rowsOf).join(' union all ')}) as rows,
            regexp_matches(rows.text, 'slipway://blobs/([0-9a-fA-F-]{36})', 'g') as found
   )
   select asked.id from unnest($2::text[]) as asked(id) join named using (id)`,
);

/** The statement reads whole tables, for which an index is only a detour. See client.ts. */
const readTables = statement('set local enable_seqscan = on');

/**
 * Which of these files some row of the tenant names. It reads all values of the tenant in one statement, so at one
 * moment: a value that moves from one table to another is not missed.
 */
export async function namedFiles(tx: Tx, tenantId: string, ids: readonly string[]): Promise<Set<string>> {
  await run(readTables, [], tx);
  const rows = await run(namedStatement, [tenantId, ids], tx);
  return new Set(rows.map(({ id }) => id));
}

import pg from 'pg';
import { run, statement } from './statement.ts';
import { inTransaction } from './transaction.ts';

/** A table with fewer rows counts as having so many. */
const FEW_ROWS = 500;

/** The sample has 300 times as many rows. */
const SAMPLE = 10;

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
    await tx.$executeRawUnsafe(`set local default_statistics_target = ${SAMPLE}`);
    await tx.$executeRawUnsafe(`analyze (skip_locked) ${pg.escapeIdentifier(name)}`);
  });
}

/** How PostgreSQL learns that a table has grown. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { pool } from '../../src/platform/database/client.ts';
import { analyzeTable, listGrownTables } from '../../src/scheduler/store.ts';
import { eventually } from '../support/waiting.ts';

const NAME = 'a "grown" table';
const QUOTED = '"a ""grown"" table"';

beforeAll(async () => {
  await pool.query(`create table ${QUOTED} (id int) with (autovacuum_enabled = off)`);
  await pool.query(`vacuum analyze ${QUOTED}`);
});
afterAll(() => pool.query(`drop table ${QUOTED}`));

/** Adds rows, and waits until PostgreSQL has noticed how many there are. */
async function addUntil(total: number): Promise<void> {
  await pool.query(
    `insert into ${QUOTED} select generate_series(1, $1::int - (select count(*)::int from ${QUOTED}))`,
    [total],
  );
  const noticed = 'select n_live_tup::int as rows from pg_stat_user_tables where relname = $1';
  await eventually(
    async () => (await pool.query(noticed, [NAME])).rows[0].rows,
    (rows) => rows === total,
  );
}

it('a table is listed when it has more than 1,000 rows and more than twice the known ones, until it is counted', async () => {
  await addUntil(1000);
  expect(await listGrownTables()).not.toContain(NAME);
  await addUntil(1001);
  expect(await listGrownTables()).toContain(NAME);
  await analyzeTable(NAME);
  expect(await listGrownTables()).not.toContain(NAME);
  const known = await pool.query('select reltuples::int as rows from pg_class where relname = $1', [NAME]);
  expect(known.rows).toEqual([{ rows: 1001 }]);
  await addUntil(2002);
  expect(await listGrownTables()).not.toContain(NAME);
  await addUntil(2003);
  expect(await listGrownTables()).toContain(NAME);
});

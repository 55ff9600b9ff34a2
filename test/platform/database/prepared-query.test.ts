/** Our own statements, beside the queries of `pg`. */
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pool } from '../../../src/platform/database/client.ts';
import { PreparedQuery } from '../../../src/platform/database/prepared-query.ts';
import { run, statement } from '../../../src/platform/database/statement.ts';

let client: pg.PoolClient;
beforeEach(async () => {
  client = await pool.connect();
});
afterEach(() => client.release(true));

const ask = <Row>(text: string, values: readonly unknown[] = [], on: pg.PoolClient = client) =>
  new PreparedQuery<Row>(statement(text), values).runOn(on);

/** How often PostgreSQL describes the columns of a statement to this connection. */
function descriptions(): () => number {
  let count = 0;
  const { connection } = client as unknown as { connection: pg.Connection };
  connection.on('rowDescription', () => {
    count += 1;
  });
  return () => count;
}

describe('values', () => {
  const instant = new Date('2026-11-22T08:30:00.123Z');
  const rows: readonly [type: string, value: unknown, read?: unknown][] = [
    ['text', 'Zürich "\\\u{1F600}'],
    ['text', ''],
    ['int', 7],
    ['int8', 9_007_199_254_740_993n],
    ['bool', false],
    ['timestamptz', instant],
    ['bytea', Buffer.from([0, 255])],
    ['text[]', ['a', 'b,"c', '']],
    ['int[]', [1, 2]],
    ['jsonb', JSON.stringify({ a: [1, null] }), { a: [1, null] }],
    ['uuid', '01a0b1c2-d3e4-7f00-8000-000000000001'],
    ['float8', 0.25],
    ['text', null],
  ];

  it.each(rows)('%s: %o comes back', async (type, value, read = value) => {
    const text = `select $1::${type} as value, null::${type} as nothing`;
    // The second time, PostgreSQL does not say again which columns there are.
    for (const _time of ['first', 'second'])
      expect(await ask(text, [value])).toEqual([{ value: read, nothing: null }]);
  });
});

it('PostgreSQL describes the columns of a statement once for each connection', async () => {
  const described = descriptions();
  for (const value of [1, 2, 3]) expect(await ask('select $1::int as value', [value])).toEqual([{ value }]);
  expect(described()).toBe(1);
});

it('a statement without rows, and one that is used once, can run again', async () => {
  await ask('create temp table things (id int primary key)');
  for (const id of [1, 2]) expect(await ask('insert into things values ($1::int)', [id])).toEqual([]);
  const askOnce = (text: string) => new PreparedQuery({ name: '', text }, []).runOn(client);
  expect(await askOnce('select id from things order by id')).toEqual([{ id: 1 }, { id: 2 }]);
  expect(await askOnce('select count(*) as count from things')).toEqual([{ count: 2n }]);
});

it('another connection may see other columns', async () => {
  await pool.query('create table if not exists changing_things (value int)');
  try {
    const read = 'select value from changing_things';
    await pool.query('insert into changing_things values (1)');
    expect(await ask(read)).toEqual([{ value: 1 }]);
    await pool.query('alter table changing_things alter column value type int8');
    const later = await pool.connect();
    expect(await ask(read, [], later)).toEqual([{ value: 1n }]);
    later.release();
    await expect(ask(read)).rejects.toThrow('cached plan must not change result type');
  } finally {
    await pool.query('drop table changing_things');
  }
});

/** The type `point`. `pg` has no name for it. */
const POINT = 600 as (typeof pg.types.builtins)['INT8'];

describe('after an error', () => {
  const isUsable = async () => expect(await ask('select 1 as one')).toEqual([{ one: 1 }]);

  it('of PostgreSQL, the statement and its connection can be used again', async () => {
    const half = 'select 10 / $1::int as half';
    await expect(ask(half, [0])).rejects.toMatchObject({ code: '22012' });
    expect(await ask(half, [2])).toEqual([{ half: 5 }]);
    await expect(ask(half, [0])).rejects.toMatchObject({ code: '22012' });
    await expect(ask('select nonsense')).rejects.toMatchObject({ code: '42703' });
    await isUsable();
  });

  it('in a value that cannot be sent, nothing was sent', async () => {
    const circular: Record<string, unknown> = {};
    circular['itself'] = circular;
    expect(() => ask('select $1::jsonb as value', [circular])).toThrow('circular');
    await isUsable();
  });

  it('in a value that cannot be read, the rest of the answer is left out', async () => {
    const usual = pg.types.getTypeParser(POINT, 'text');
    pg.types.setTypeParser(POINT, 'text', () => {
      throw new Error('unreadable');
    });
    try {
      await expect(ask('select point(1, 2) as place from generate_series(1, 3)')).rejects.toThrow(
        'unreadable',
      );
    } finally {
      pg.types.setTypeParser(POINT, 'text', usual as (text: string) => unknown);
    }
    await isUsable();
  });

  it('of the connection, the query fails', async () => {
    client.on('error', () => {});
    await expect(ask('select pg_terminate_backend(pg_backend_pid())')).rejects.toThrow(
      /terminat|connection/i,
    );
  });

  it('the stack says who asked', async () => {
    const asker = async () => await run(statement('select nonsense'), []);
    await expect(asker()).rejects.toMatchObject({ stack: expect.stringContaining('asker') });
  });
});

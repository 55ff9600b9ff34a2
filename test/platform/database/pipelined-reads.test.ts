/** Reads of the same moment share connections, and nothing else does. */
import { describe, expect, it } from 'vitest';
import { pool } from '../../../src/platform/database/client.ts';
import { isDatabaseLost } from '../../../src/platform/database/failures.ts';
import { run, statement, type Value } from '../../../src/platform/database/statement.ts';
import { inTransaction } from '../../../src/platform/database/transaction.ts';
import { eventually } from '../../support/waiting.ts';

interface Answer {
  readonly value: number;
  /** The process of PostgreSQL that answered. Each connection has its own. */
  readonly pid: number;
}
const ask = (text: string, ...values: Value[]) => run(statement<Answer>(text), values).then(([row]) => row);

let made = 0;
/** A new text, so that it has never run. */
const newText = (value = '$1::int') => {
  made += 1;
  return `select ${value} as value, pg_backend_pid() as pid, ${made} as made`;
};
/** A text that has run, and was quick. On a busy machine, it takes several runs until one was quick. */
async function quickText(value?: string): Promise<string> {
  const text = newText(value);
  await becomeQuick(text);
  return text;
}
const becomeQuick = (text: string) =>
  eventually(
    async () => new Set((await manyOf(text, 4, WARM)).map((answer) => answer?.pid)).size,
    (connections) => connections === 1,
  );
const manyOf = (text: string, count: number, first = 0) =>
  Promise.all(Array.from({ length: count }, (_, at) => ask(text, first + at)));
/** Values that no test asks for itself. */
const WARM = 1000;

/** How many reads each connection answered. */
function sharesOf(answers: readonly (Answer | undefined)[]): number[] {
  const shares = new Map<number, number>();
  for (const answer of answers) shares.set(answer?.pid ?? 0, (shares.get(answer?.pid ?? 0) ?? 0) + 1);
  return [...shares.values()].sort((a, b) => a - b);
}

describe('reads that begin in the same turn', () => {
  it('share connections, at most eight of them one', async () => {
    const text = await quickText();
    expect(sharesOf(await manyOf(text, 8))).toEqual([8]);
    expect(sharesOf(await manyOf(text, 20))).toEqual([6, 7, 7]);
  });

  it('get their own answers, also when each connection meets the statement for the first time', async () => {
    const texts = await Promise.all(Array.from({ length: 5 }, () => quickText()));
    for (let round = 0; round < 20; round += 1) {
      const asked = Array.from({ length: 60 }, (_, at) => ({
        text: texts[at % 5] ?? '',
        value: round * 100 + at,
      }));
      const answers = await Promise.all(asked.map(({ text, value }) => ask(text, value)));
      expect(answers.map((answer) => answer?.value)).toEqual(asked.map(({ value }) => value));
    }
  });

  it('fail alone, and their connection is not used again', async () => {
    const text = await quickText('10 / ($1::int - 2)');
    const results = await Promise.allSettled(Array.from({ length: 5 }, (_, at) => ask(text, at)));
    expect(
      results.map((result) => (result.status === 'fulfilled' ? result.value?.value : result.reason.code)),
    ).toEqual([...[-5, -10, '22012', 10, 5]]);
    const [first] = results;
    const pid = first?.status === 'fulfilled' ? first.value?.pid : undefined;
    const later = await Promise.all(Array.from({ length: 30 }, () => ask(text, 3)));
    expect(later.map((answer) => answer?.pid)).not.toContain(pid);
  });

  it('all fail if their connection is lost, and the next ones have another', async () => {
    const text = await quickText(
      '(select case when $1::int = 1 then pg_terminate_backend(pg_backend_pid()) else true end)::int',
    );
    const lost = await Promise.allSettled(['0', '1', '2', '3'].map((value) => ask(text, value)));
    expect(lost.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'rejected']);
    for (const one of lost.slice(1))
      expect(isDatabaseLost(one.status === 'rejected' && one.reason)).toBe(true);
    expect((await ask(text, 0))?.value).toBe(1);
    await eventually(
      () => pool.totalCount - pool.idleCount,
      (used) => used === 0,
    );
  });
});

describe('a statement runs alone', () => {
  it('before it is known how long it takes', async () => {
    expect(sharesOf(await manyOf(newText(), 3))).toEqual([1, 1, 1]);
  });

  it('after a run that was long, until it has been quick for some time', async () => {
    const text = await quickText('(select $1::int from pg_sleep(case when $1::int = 7 then 0.1 else 0 end))');
    expect(sharesOf(await manyOf(text, 3))).toEqual([3]);
    await ask(text, 7);
    expect(sharesOf(await manyOf(text, 3))).toEqual([1, 1, 1]);
    await becomeQuick(text);
  });

  it('if it waits for a lock, and holds up no other', async () => {
    const text = await quickText();
    await pool.query('create table if not exists locked_things (id int primary key)');
    await pool.query('insert into locked_things values (1) on conflict do nothing');
    const take = statement('select id from locked_things for update');
    await run(take, []);
    const locking = inTransaction(async (tx) => {
      await run(take, [], tx);
      let isTaken = false;
      const waits = run(take, []).then(() => {
        isTaken = true;
      });
      // If they shared a connection, this would wait for the end of this transaction, and so for itself.
      expect(await ask(text, 5)).toMatchObject({ value: 5 });
      expect(isTaken).toBe(false);
      return { waits };
    });
    await (await locking).waits;
    await pool.query('drop table locked_things');
  });
});

it.each([
  ['select 1', true],
  ['\n  with some as (select 1) select * from some', true],
  ['select updated_at, deleted from users', true],
  ['select id from users for update', false],
  ['select id from users for no key update', false],
  ['select id from users for share', false],
  ['select id from users FOR KEY SHARE', false],
  ['with gone as (delete from users returning id) select id from gone', false],
  ['with made as (insert into users select) select id from made', false],
  ['update users set version = 1', false],
  ['insert into users select', false],
  ['delete from users', false],
  ["select pg_advisory_xact_lock(hashtextextended('x', 0))", false],
  ['select pg_try_advisory_xact_lock(1)', false],
  ["select set_config('lock_timeout', '1s', true)", false],
  ["select pg_notify('x', '')", false],
  ["select nextval('numbers')", false],
  ['show transaction_isolation', false],
  ['begin', false],
])('%s: shares a connection: %s', (text, shares) => {
  expect(statement(text).isRead).toBe(shares);
});

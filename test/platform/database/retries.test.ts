import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { pool } from '../../../src/platform/database/client.ts';
import { isWriteConflict } from '../../../src/platform/database/failures.ts';
import { run, statement } from '../../../src/platform/database/statement.ts';
import { afterCommit, inTransaction, type Tx } from '../../../src/platform/database/transaction.ts';
import { UnavailableError } from '../../../src/platform/errors.ts';

beforeAll(async () => {
  await pool.query('create sequence tries');
  // A sequence does not roll back, so it counts all tries.
  await pool.query(`create function conflicts(times int) returns int language plpgsql as $$
    begin
      if nextval('tries') <= times then raise exception 'conflict' using errcode = 'serialization_failure'; end if;
      return 1;
    end $$`);
});
beforeEach(() => pool.query('alter sequence tries restart'));

const conflicts = statement<{ one: number }>('select conflicts($1) as one');
const triesSoFar = async () => Number((await pool.query('select last_value from tries')).rows[0].last_value);

describe.each([
  ['a statement', (times: number) => run(conflicts, [times])],
  ['a transaction', (times: number) => inTransaction((tx) => run(conflicts, [times], tx))],
])('%s that conflicts with another transaction', (_what, work) => {
  it('is repeated', async () => {
    expect(await work(4)).toEqual([{ one: 1 }]);
  });

  it('fails with the conflict after five tries', async () => {
    expect(await work(1000).catch(isWriteConflict)).toBe(true);
    expect(await triesSoFar()).toBe(5);
  });
});

it('a statement that fails for another reason is not repeated', async () => {
  const failing = statement("select nextval('tries') / 0");
  await expect(run(failing, [])).rejects.toThrow('division by zero');
  await expect(inTransaction((tx) => run(failing, [], tx))).rejects.toThrow('division by zero');
  expect(await triesSoFar()).toBe(2);
});

it('a transaction whose connection is lost fails with UNAVAILABLE', async () => {
  const lost = Object.assign(new Error('gone'), { code: 'ECONNRESET' });
  await expect(inTransaction(() => Promise.reject(lost))).rejects.toBeInstanceOf(UnavailableError);
});

describe('afterCommit', () => {
  it('runs once after the commit, although the transaction was repeated', async () => {
    const done: number[] = [];
    const next = async () => {
      done.push(await triesSoFar());
    };
    await inTransaction(async (tx) => {
      afterCommit(tx, next);
      afterCommit(tx, next);
      await run(conflicts, [2], tx);
      expect(done).toEqual([]);
    });
    expect(done).toEqual([3]);
  });

  it('does not run after a rollback, nor outside of a transaction', async () => {
    let isDone = false;
    const next = async () => {
      isDone = true;
    };
    const failing = inTransaction(async (tx) => {
      afterCommit(tx, next);
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(() => afterCommit({} as Tx, next)).toThrow('there is no such transaction');
    expect(isDone).toBe(false);
  });
});

/** The bounds of triggers hold also when the executions before are deleted, and their counts are forgotten in the end. */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { countInChain, findTriggerChain } from '../../src/executions/store/trigger-firings.ts';
import { db, pool } from '../../src/platform/database/client.ts';
import { inTransaction } from '../../src/platform/database/transaction.ts';
import { newId } from '../../src/platform/ids.ts';
import { sweepTriggerChains } from '../../src/scheduler/sweep-trigger-chains.ts';
import type { LocalApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { executionsOf } from './activated-plans.ts';
import { end, fireAll, firings, heldFiring, theFiring, triggerStage } from './trigger-stage.ts';

const stage = triggerStage('cut-chains');
const { plan, on, pair, run, failureOf } = stage;
let app: LocalApp;
beforeAll(() => {
  app = stage.app();
});
beforeEach(async () => {
  await db.triggerChain.deleteMany();
});

/** Deletes executions, which nothing may need any more. */
async function remove(ids: readonly string[]): Promise<void> {
  const executions = ids.map((id) => ({ id }));
  const answer = await mutate(app, 'deleteExecutions', { executions }, 'results { error { message } }');
  expect(answer.results).toEqual(ids.map(() => ({ error: null })));
}

describe('launch plans that trigger each other, whose executions are deleted on the way', () => {
  it('stop after 32 executions', async () => {
    const a = await plan('ring-a', { triggers: [on('ring-b')] });
    const b = await plan('ring-b', { triggers: [on('ring-a')] });
    const first = await run('ring-a');
    let ended = [first];
    let started = 0;
    while ((await firings()).length > 0) {
      expect(started).toBeLessThanOrEqual(32);
      await fireAll();
      await remove(ended);
      ended = (await executionsOf(a)).concat(await executionsOf(b)).map((one) => one.id);
      started += ended.length;
      await end(ended);
    }
    expect(started).toBe(32);
    expect(await failureOf(b)).toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringContaining('32 triggers have followed each other'),
    });
    expect(await db.triggerChain.findMany()).toMatchObject([{ executionId: first, started: 32 }]);
  });

  it('lead to at most 1000 executions', async () => {
    const a = await plan('wide-a', { triggers: [on('wide-b')] });
    const b = await plan('wide-b', { triggers: [on('wide-a')] });
    const first = await run('wide-a');
    await fireAll();
    await remove([first]);
    await db.triggerChain.updateMany({ data: { started: 1000 } });
    await end((await executionsOf(b)).map((one) => one.id));
    await fireAll();
    expect(await executionsOf(a)).toEqual([]);
    expect(await failureOf(a)).toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
  });
});

describe('the execution that began a chain', () => {
  it('may be deleted while the next one is started, which is not lost', async () => {
    const a = await plan('late-a', { triggers: [on('late-b')] });
    const b = await plan('late-b', { triggers: [on('late-a')] });
    const first = await run('late-a');
    await fireAll();
    await end((await executionsOf(b)).map((one) => one.id));
    const firing = await theFiring();
    const { fired: late, held } = await heldFiring(firing);
    await remove([first]);
    held.release();
    await late;
    expect(await failureOf(a)).toBeNull();
    const [started, ...others] = await executionsOf(a);
    expect(others).toEqual([]);
    expect(await findTriggerChain(started.id)).toEqual({ depth: 2, firstId: first });
    expect(await db.triggerChain.findMany()).toMatchObject([{ executionId: first, started: 2 }]);
  });

  it('is counted for, also after its count was forgotten', async () => {
    const first = { id: newId(), tenantId: newId() };
    const count = () => inTransaction((tx) => countInChain(tx, first, 2));
    expect([await count(), await count(), await count()]).toEqual([true, true, false]);
    await db.triggerChain.deleteMany();
    expect(await count()).toBe(true);
    expect(await db.triggerChain.findMany()).toMatchObject([{ executionId: first.id, started: 1 }]);
  });
});

describe('the sweep of counts', () => {
  const age = (id: string, days: number) =>
    pool.query(
      `insert into trigger_chains (execution_id, tenant_id, started, last_started_at)
       values ($1, $1, 1, now() - $2::float8 * interval '1 day')`,
      [id, days],
    );

  it('deletes those to which nothing was added for 30 days, the oldest first', async () => {
    const [young, old, older] = [newId(), newId(), newId()];
    await age(young, 29.99);
    await age(old, 30.01);
    await age(older, 40);
    const left = async () => (await db.triggerChain.findMany()).map((row) => row.executionId);
    expect(await sweepTriggerChains(1)).toBe(true);
    expect((await left()).sort()).toEqual([young, old].sort());
    expect(await sweepTriggerChains()).toBe(false);
    expect(await left()).toEqual([young]);
  });

  it('keeps one to which something is added', async () => {
    const { source } = await pair();
    const id = await run(source);
    await age(id, 40);
    await fireAll();
    await sweepTriggerChains();
    expect(await db.triggerChain.findMany()).toMatchObject([{ executionId: id, started: 2 }]);
  });

  it('leaves alone what a transaction is adding to', async () => {
    const first = { id: newId(), tenantId: newId() };
    await age(first.id, 40);
    await inTransaction(async (tx) => {
      await countInChain(tx, first, 1000);
      expect(await sweepTriggerChains()).toBe(false);
    });
    expect(await db.triggerChain.findMany()).toMatchObject([{ executionId: first.id, started: 2 }]);
  });
});

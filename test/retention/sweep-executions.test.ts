/** What sweeps delete as the policies say: once, in turns of a limited size, whatever dies. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ExecutionPhase } from '../../src/generated/prisma/enums.ts';
import { db, pool } from '../../src/platform/database/client.ts';
import { inTransaction } from '../../src/platform/database/transaction.ts';
import { newId } from '../../src/platform/ids.ts';
import { sweepExecutions } from '../../src/retention/commands/sweep-executions.ts';
import { listDuePolicies, lockPolicy } from '../../src/retention/store/sweeps.ts';
import { startExecutionSweep } from '../../src/scheduler/sweep-executions.ts';
import type { Answer } from '../support/app.ts';
import { copies } from '../support/ended.ts';
import { make, mutate } from '../support/mutate.ts';
import { eventually, launch } from '../support/seed.ts';
import { countStatements } from '../support/statements.ts';
import { overtaken } from '../support/waiting.ts';
import {
  app,
  ended,
  exists,
  manager,
  plan,
  policyId,
  project,
  projectId,
  read,
  setStage,
  sweep,
  update,
} from './fixture.ts';

setStage();

describe('a sweep', () => {
  it('deletes what ended longer ago than its policy says, and counts it', async () => {
    const [old, young] = [await ended(25), await ended(23)];
    const open = await launch(app, project, 'one', plan());
    await update([{ keepFor: 'P1D' }]);
    expect(await sweep()).toBe(1);
    expect(await Promise.all([old, young, open].map(exists))).toEqual([false, true, true]);
    expect(await read()).toMatchObject({
      deletedCount: '1',
      lastDeletedAt: expect.any(String),
      lastSweptAt: expect.any(String),
    });
    expect(await db.executionRemains.findUniqueOrThrow({ where: { executionId: old } })).toMatchObject({
      deletedById: manager.id,
    });
    await sweep();
    expect((await read()).deletedCount).toBe('1');
  });

  it('lets the first rule that fits decide', async () => {
    const gold = { labels: { tier: 'gold', team: 'a' } };
    const ids = {
      gold: await ended(99, gold),
      silver: await ended(99, { labels: { tier: 'silver' } }),
      failed: await ended(5, { phase: 'FAILED' }),
      succeeded: await ended(5, { phase: 'SUCCEEDED' }),
      archived: await ended(2, { phase: 'SUCCEEDED', archived: true }),
    };
    await update([
      { labels: [{ key: 'tier', value: 'gold' }] },
      { keepFor: 'PT1H', archivedOnly: true },
      { keepFor: 'PT4H', phases: ['FAILED', 'ABORTED'] },
      { keepFor: 'P2D', phases: ['SUCCEEDED'] },
    ]);
    await sweep();
    const left = await Promise.all(
      Object.entries(ids).map(async ([name, id]) => ((await exists(id)) ? name : null)),
    );
    expect(left.filter((name) => name !== null)).toEqual(['gold', 'succeeded']);
  });

  it('decides like a simple model', async () => {
    const phase = fc.constantFrom<ExecutionPhase>('SUCCEEDED', 'FAILED', 'ABORTED');
    const labels = fc.dictionary(fc.constantFrom('a', 'b'), fc.constantFrom('1', '2'));
    const hours = fc.integer({ min: 1, max: 9 });
    const executions = fc.array(fc.record({ phase, labels, hours, archived: fc.boolean() }), {
      minLength: 1,
      maxLength: 6,
    });
    const rules = fc.array(
      fc.record({
        keep: fc.option(hours),
        phases: fc.uniqueArray(phase),
        labels,
        archivedOnly: fc.boolean(),
      }),
      { minLength: 1, maxLength: 4 },
    );
    await fc.assert(
      fc.asyncProperty(executions, rules, async (given, policy) => {
        await db.execution.deleteMany({ where: { projectId } });
        const rows = [];
        for (const one of given) rows.push({ ...one, id: await ended(one.hours + 0.5, one) });
        const stored = policy.map(({ keep, ...rest }) => ({
          keepSeconds: keep === null ? null : keep * 3600,
          ...rest,
        }));
        await update([{ keepFor: 'P9D' }]);
        await db.retentionPolicy.update({ where: { id: await policyId() }, data: { rules: stored } });
        const due = (await read()).due.executions;
        await sweep();
        const isKept = (one: (typeof given)[number]) => {
          const rule = policy.find(
            ({ phases, labels: wanted, archivedOnly }) =>
              (phases.length === 0 || phases.includes(one.phase)) &&
              (!archivedOnly || one.archived) &&
              Object.entries(wanted).every(([key, value]) => one.labels[key] === value),
          );
          return rule === undefined || rule.keep === null || one.hours + 0.5 <= rule.keep;
        };
        expect(await Promise.all(rows.map(({ id }) => exists(id)))).toEqual(rows.map(isKept));
        expect(due).toBe(rows.filter((row) => !isKept(row)).length);
      }),
      { numRuns: 12 },
    );
  });

  it('leaves what something still needs, and deletes it later', async () => {
    const [needed, free] = [await ended(50), await ended(50)];
    await update([{ keepFor: 'P1D' }]);
    await db.execution.update({ where: { id: needed }, data: { notifyAt: new Date() } });
    await sweep();
    expect(await Promise.all([needed, free].map(exists))).toEqual([true, false]);
    await db.execution.update({ where: { id: needed }, data: { notifyAt: null } });
    await sweep();
    expect(await exists(needed)).toBe(false);
  });

  it('goes through many executions in turns of a limited size, and also past those that it keeps', async () => {
    const first = await ended(50, { phase: 'FAILED', labels: { keep: 'yes' } });
    await copies(first, 700);
    const second = await ended(40, { phase: 'FAILED' });
    await copies(second, 700);
    await update([{ labels: [{ key: 'keep', value: 'yes' }] }, { keepFor: 'P1D' }]);
    const { result: turns, statements } = await countStatements(sweep);
    expect(turns).toBe(3);
    expect(statements.length).toBeLessThan(60);
    expect(await db.execution.count({ where: { projectId } })).toBe(701);
    expect((await read()).deletedCount).toBe('701');
  });

  it('takes executions with many events one after the other', async () => {
    const ids = [await ended(50), await ended(49), await ended(48)];
    await pool.query('update executions set last_sequence = 15000 where id = any($1)', [ids]);
    await update([{ keepFor: 'P1D' }]);
    expect(await sweep()).toBe(3);
    expect(await db.execution.count({ where: { projectId } })).toBe(0);
  });

  it('by eight schedulers at once deletes each execution once', async () => {
    await copies(await ended(50), 300);
    await update([{ keepFor: 'P1D' }]);
    const id = await policyId();
    await Promise.all(Array.from({ length: 8 }, () => sweepExecutions(id)));
    await sweep();
    expect((await read()).deletedCount).toBe('301');
    expect(await db.execution.count({ where: { projectId } })).toBe(0);
  });

  it('does nothing while another scheduler works on the policy, and waits for nobody', async () => {
    const id = await ended(50);
    await update([{ keepFor: 'P1D' }]);
    const policy = await policyId();
    await inTransaction(async (tx) => {
      expect(await lockPolicy(tx, policy)).not.toBeNull();
      await sweepExecutions(policy);
    });
    expect(await exists(id)).toBe(true);
  });

  it('has deleted nothing and gone nowhere if the scheduler dies in a turn', async () => {
    const id = await ended(50);
    await update([{ keepFor: 'P1D' }]);
    const policy = await policyId();
    // The turn stores its position last.
    await pool.query(
      `alter table retention_policies add constraint dies check (deleted_count = 0 and swept_id is null and sweep_at <= now()) not valid`,
    );
    await expect(sweepExecutions(policy)).rejects.toThrow();
    await pool.query('alter table retention_policies drop constraint dies');
    expect(await exists(id)).toBe(true);
    expect(await db.executionRemains.count({ where: { executionId: id } })).toBe(0);
    expect(await listDuePolicies(100)).toContain(policy);
    await sweepExecutions(policy);
    expect(await exists(id)).toBe(false);
  });

  it('ends before the policy is removed, and deletes nothing afterwards', async () => {
    const id = await ended(50);
    await update([{ keepFor: 'P1D' }]);
    const policy = await policyId();
    const answer = await overtaken(
      () => update([]),
      (tx) => lockPolicy(tx, policy),
    );
    expect(answer.retention).toBeNull();
    await sweepExecutions(policy);
    expect(await exists(id)).toBe(true);
  });

  it('begins anew if the rules change', async () => {
    await copies(await ended(50, { phase: 'ABORTED' }), 600);
    await update([{ keepFor: 'P1D', phases: ['FAILED'] }]);
    await sweepExecutions(await policyId());
    await update([{ keepFor: 'P1D' }]);
    expect(await sweep()).toBe(2);
    expect(await db.execution.count({ where: { projectId } })).toBe(0);
  });

  it('and a deletion by hand at the same time delete each execution once', async () => {
    const ids: string[] = [];
    for (let at = 0; at < 10; at += 1) ids.push(await ended(50));
    await update([{ keepFor: 'P1D' }]);
    const policy = await policyId();
    const input = { executions: ids.map((id) => ({ id })) };
    const [, answer] = await Promise.all([
      sweepExecutions(policy),
      mutate(app, 'deleteExecutions', input, 'results { id error { code } }'),
    ]);
    await sweep();
    const byHand = answer.results.filter(({ error }: Answer) => error === null).length;
    expect(byHand + Number((await read()).deletedCount)).toBe(10);
  });

  it('is run by the loop of the scheduler', async () => {
    const id = await ended(50);
    await update([{ keepFor: 'P1D' }]);
    const loop = startExecutionSweep();
    try {
      await eventually(
        () => exists(id),
        (there) => !there,
      );
    } finally {
      await loop.stop();
    }
  });

  it('keeps an execution that a version of a registered model comes from', async () => {
    const id = await ended(50);
    const model = await make(app, 'createRegisteredModel', { project, name: newId() }, 'registeredModel');
    const source = 's3://bucket/model';
    await make(
      app,
      'createModelVersion',
      { model: { id: model }, source, execution: { id } },
      'modelVersion',
    );
    await update([{ keepFor: 'P1D' }]);
    await sweep();
    expect(await exists(id)).toBe(true);
  });
});

/** Policies that say how long executions are kept: who sets them, and what they delete. */
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ExecutionPhase } from '../../src/generated/prisma/enums.ts';
import { db, pool } from '../../src/platform/database/client.ts';
import { inTransaction } from '../../src/platform/database/transaction.ts';
import { newId } from '../../src/platform/ids.ts';
import { sweepExecutions } from '../../src/retention/commands/sweep-executions.ts';
import { listDuePolicies, lockPolicy } from '../../src/retention/store/sweeps.ts';
import { startExecutionSweep } from '../../src/scheduler/sweep-executions.ts';
import { type Answer, type LocalApp, startApp } from '../support/app.ts';
import { copies, endExecution } from '../support/ended.ts';
import { endOf, make, mutate } from '../support/mutate.ts';
import {
  domain,
  eventually,
  keyOf,
  launch,
  registerProject,
  registerTask,
  registerWorkflow,
} from '../support/seed.ts';
import { countStatements } from '../support/statements.ts';
import { newUser, type User } from '../support/users.ts';
import { overtaken } from '../support/waiting.ts';

const home = 'keeping';
const HOUR = 3_600_000;
let app: LocalApp;
let manager: User;
let project: string;
let projectId: string;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await registerProject(app, home);
  await registerTask(app, home, 'double');
  await registerWorkflow(app, home, 'one', { a: [] });
  manager = await newUser({ role: 'USER', level: 'MANAGE' });
});
afterAll(() => app.stop());

// Each test has a project of its own, whose executions are those of the workflow at home.
let number = 0;
beforeEach(async () => {
  number += 1;
  project = `kept-${number}`;
  projectId = await registerProject(app, project);
});

const dueFields = 'due { executions events oldestEndedAt isComplete }';
const policyFields = `domain setBy { id } setAt deletedCount lastSweptAt lastDeletedAt
  rules { keepFor phases labels { key value } archivedOnly }`;
const update = (rules: readonly object[], more: object = {}, user: User = manager): Promise<Answer> =>
  mutate(
    app,
    'updateRetention',
    { project, domain, rules, ...more },
    `retention { ${policyFields} } ${dueFields}`,
    user.authorization,
  );
const read = async (user: User = manager, of: string = domain): Promise<Answer> => {
  const answer = await app.ask(
    `query ($project: String!, $domain: String!) {
       retention(project: $project, domain: $domain) { ${policyFields} ${dueFields} } }`,
    { project, domain: of },
    user.authorization,
  );
  return answer.errors?.[0]?.extensions?.code ?? answer.data.retention;
};
const policyId = async () => (await db.retentionPolicy.findFirstOrThrow({ where: { projectId } })).id;
const plan = () => ({ launchPlan: { key: keyOf(home, 'one') } });
const start = new Date();
const ago = (hours: number) => new Date(start.getTime() - hours * HOUR);
const exists = async (id: string) => (await db.execution.count({ where: { id } })) === 1;

interface Ended {
  readonly phase?: ExecutionPhase;
  readonly labels?: Readonly<Record<string, string>>;
  readonly archived?: boolean;
}

/** An execution in the project of the test that ended so many hours ago. */
async function ended(
  hours: number,
  { phase = 'FAILED', labels = {}, archived = false }: Ended = {},
): Promise<string> {
  const entries = Object.entries(labels).map(([key, value]) => ({ key, value }));
  const id = await launch(app, project, 'one', { ...plan(), labels: entries });
  await endExecution(id, { phase, at: ago(hours) });
  if (archived) await db.execution.update({ where: { id }, data: { state: 'ARCHIVED' } });
  return id;
}

/** Takes turns until the sweep has come to its end. @returns how many turns it took. */
async function sweep(): Promise<number> {
  const id = await policyId();
  await db.retentionPolicy.update({ where: { id }, data: { sweepAt: ago(1) } });
  let turns = 0;
  do {
    await sweepExecutions(id);
    turns += 1;
  } while ((await listDuePolicies(100)).includes(id));
  return turns;
}

describe('a retention policy', () => {
  it('is set, shown with who set it and when, replaced and removed, and each change is in the audit log', async () => {
    expect(await read()).toBeNull();
    const first = await update([{ keepFor: 'P30D' }]);
    expect(first.retention).toEqual({
      ...{ domain, deletedCount: '0', lastSweptAt: null, lastDeletedAt: null },
      ...{ setBy: { id: manager.id }, setAt: expect.any(String) },
      rules: [{ keepFor: 'PT720H', phases: [], labels: [], archivedOnly: false }],
    });
    expect(new Date(first.retention.setAt).getTime()).toBeGreaterThan(ago(1).getTime());
    const other = await newUser({ role: 'USER', level: 'MANAGE' });
    const labels = [{ key: 'tier', value: 'gold' }];
    await update([{ labels }, { keepFor: 'PT90M', phases: ['FAILED'] }], {}, other);
    expect(await read()).toMatchObject({
      setBy: { id: other.id },
      rules: [
        { keepFor: null, phases: [], labels, archivedOnly: false },
        { keepFor: 'PT1H30M', phases: ['FAILED'], labels: [], archivedOnly: false },
      ],
    });
    expect((await update([])).retention).toBeNull();
    expect(await read()).toBeNull();
    expect(endOf(await update([]))).toBe('OK');
    const events = await db.auditEvent.findMany({
      where: { targetId: projectId, action: 'retention:update' },
      orderBy: { id: 'asc' },
    });
    expect(events.map(({ before: was, after }) => [was !== null, after !== null])).toEqual([
      [false, true],
      [true, true],
      [true, false],
    ]);
  });

  it('is for one domain', async () => {
    await update([{ keepFor: 'P1D' }]);
    expect(await read(manager, 'production')).toBeNull();
    const id = await launch(app, project, 'one', { ...plan(), domain: 'production' });
    await endExecution(id, { at: ago(100) });
    await sweep();
    expect(await exists(id)).toBe(true);
  });

  it('requires MANAGE on the project to be set, and READ to be seen', async () => {
    await update([{ keepFor: 'P1D' }]);
    const editor = await newUser({ role: 'USER', level: 'EDIT' });
    expect(endOf(await update([], {}, editor))).toBe('PERMISSION_DENIED');
    expect(await read(editor)).toMatchObject({ rules: [{ keepFor: 'PT24H' }] });
    const stranger = await newUser({ role: 'USER', level: 'NO_PERMISSIONS' });
    expect(endOf(await update([], {}, stranger))).toBe('NOT_FOUND');
    expect(await read(stranger)).toBe('NOT_FOUND');
    expect(await read()).not.toBeNull();
  });

  it('is refused with all its problems', async () => {
    const answer = await update([
      { keepFor: 'PT59M' },
      { keepFor: 'P2D', phases: ['RUNNING'], labels: [{ key: 'tier', value: 'x' }] },
    ]);
    expect(answer).toMatchObject({
      code: 'INVALID_ARGUMENT',
      problems: [{ path: ['input', 'rules', '0', 'keepFor'] }, { path: ['input', 'rules', '1', 'phases'] }],
    });
    expect(await update([{ keepFor: 'P1D' }], { domain: 'nowhere' })).toMatchObject({
      code: 'INVALID_ARGUMENT',
      path: ['input', 'domain'],
    });
    expect(endOf(await update([], { domain: 'nowhere' }))).toBe('OK');
    expect(await read()).toBeNull();
  });

  it('may be set for an archived project', async () => {
    await mutate(app, 'updateProject', { by: { id: projectId }, state: 'ARCHIVED' });
    expect(endOf(await update([{ keepFor: 'P1D' }]))).toBe('OK');
  });

  it('is set by eight callers at once, and one of them is stored', async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, at) => update([{ keepFor: `P${at + 1}D` }])),
    );
    expect(answers.map(endOf)).toEqual(Array.from({ length: 8 }, () => 'OK'));
    expect(await db.retentionPolicy.count({ where: { projectId } })).toBe(1);
  });
});

describe('what a policy would delete', () => {
  it('is counted in a dry run, which changes nothing, and in the policy', async () => {
    const old = await ended(50);
    await ended(30);
    await ended(10);
    const blocked = await ended(60);
    await db.execution.update({ where: { id: blocked }, data: { notifyAt: new Date() } });
    const { endedAt, lastSequence } = await db.execution.findUniqueOrThrow({ where: { id: old } });
    const due = {
      ...{ executions: 2, events: String(lastSequence * 2n), isComplete: true },
      oldestEndedAt: endedAt?.toISOString(),
    };
    expect(await update([{ keepFor: 'P1D' }], { dryRun: true })).toMatchObject({ retention: null, due });
    expect(await read()).toBeNull();
    expect(await update([{ keepFor: 'P1D' }])).toMatchObject({ due });
    const none = { executions: 0, events: '0', oldestEndedAt: null, isComplete: true };
    expect(await update([{ keepFor: 'P9D' }], { dryRun: true })).toMatchObject({
      retention: { rules: [{ keepFor: 'PT24H' }] },
      due: none,
    });
    expect(await update([], { dryRun: true })).toMatchObject({ due: none });
    expect((await read()).due).toEqual(due);
    expect(await exists(old)).toBe(true);
  });

  it('leaves out what is hidden from the caller', async () => {
    const id = await ended(50);
    const { workflowEntityId } = await db.execution.findUniqueOrThrow({ where: { id } });
    const blind = await newUser({
      role: 'USER',
      level: 'MANAGE',
      grants: [{ type: 'WORKFLOW', id: workflowEntityId, level: 'NO_PERMISSIONS' }],
    });
    const rules = [{ keepFor: 'P1D' }];
    expect((await update(rules, { dryRun: true }, blind)).due.executions).toBe(0);
    expect((await update(rules, { dryRun: true })).due.executions).toBe(1);
  });
});

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
      `alter table retention_policies add constraint dies check (deleted_count = 0) not valid`,
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

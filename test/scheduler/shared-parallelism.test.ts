/** `maxParallelism` of an execution and of those that its nodes start. The test runs the turns itself. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { givePlaces } from '../../src/executions/commands/give-places.ts';
import { listGroupsThatWait, listGroupsToLookAt } from '../../src/executions/store/budget-shares.ts';
import { moveExecutions } from '../../src/executions/store/moves.ts';
import { assignPool } from '../../src/jobs/commands/assign-jobs.ts';
import { db } from '../../src/platform/database/client.ts';
import { advanceExecution } from '../../src/scheduler/advance-executions.ts';
import { startScheduler } from '../../src/scheduler/start.ts';
import { type App, startApp } from '../support/app.ts';
import { bind, registerFlow } from '../support/flows.ts';
import { Hands, type Run } from '../support/hands.ts';
import { mutate } from '../support/mutate.ts';
import { createLaunchPlan, keyOf, launch, registerProject, registerTask } from '../support/seed.ts';
import { statementsOf } from '../support/statements.ts';

const project = 'families';
let app: App;
let hands: Hands;
let tenantId: string;

const run = (id: string, upstreamNodeIds: string[] = []) => ({
  id,
  upstreamNodeIds,
  inputs: bind({ x: { value: 1 } }),
  taskNode: { referenceId: keyOf(project, 'double') },
});
const call = (id: string, plan: string) => ({
  id,
  workflowNode: { launchplanRef: keyOf(project, plan) },
});

beforeAll(async () => {
  app = await startApp({ scheduler: false });
  hands = new Hands(app);
  await hands.lease({ wait: 'PT0S' });
  tenantId = (await db.tenant.findFirstOrThrow()).id;
  await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerFlow(app, project, 'leaf', { nodes: [run('a'), run('b'), run('c', ['a'])] });
  await createLaunchPlan(app, {
    key: keyOf(project, 'narrow-leaf'),
    workflow: { key: keyOf(project, 'leaf') },
    maxParallelism: 1,
  });
  await registerFlow(app, project, 'middle', {
    nodes: [run('t'), call('one', 'leaf'), call('two', 'narrow-leaf'), run('u', ['one'])],
  });
  await createLaunchPlan(app, {
    key: keyOf(project, 'narrow-middle'),
    workflow: { key: keyOf(project, 'middle') },
    maxParallelism: 2,
  });
  await registerFlow(app, project, 'pair', {
    onFailure: 'FAIL_AFTER_EXECUTABLE_NODES_COMPLETE',
    nodes: [call('one', 'leaf'), call('two', 'leaf')],
  });
  await registerFlow(app, project, 'top', {
    nodes: [run('t'), call('one', 'narrow-middle'), call('two', 'middle'), call('three', 'leaf')],
  });
});
afterAll(() => app.stop());
beforeEach(async () => {
  await db.execution.deleteMany();
});

interface Member {
  readonly id: string;
  readonly maxParallelism: number;
  readonly phase: string;
  readonly parentId: string | null;
  readonly tasks: number;
}

/** All executions, with the number of their tasks that have not ended. */
const members = () =>
  db.$queryRawUnsafe<Member[]>(
    `select execution.id, execution.max_parallelism as "maxParallelism", execution.phase::text as phase,
            parent.execution_id as "parentId",
            (select count(*)::int from node_executions as node
              where node.execution_id = execution.id and node.kind = 'TASK' and node.ended_at is null) as tasks
       from executions as execution left join node_executions as parent on parent.id = execution.parent_node_id`,
  );

function tasksBelow(all: readonly Member[], id: string): number {
  const self = all.find((one) => one.id === id);
  const below = all.filter(({ parentId }) => parentId === id);
  return below.reduce((sum, one) => sum + tasksBelow(all, one.id), self?.tasks ?? 0);
}

/** Every limit holds for the execution and all below it. @returns the most tasks that run in one tree. */
async function expectWithinLimits(): Promise<number> {
  const all = await members();
  for (const { id, maxParallelism } of all)
    if (maxParallelism > 0) expect(tasksBelow(all, id)).toBeLessThanOrEqual(maxParallelism);
  return Math.max(0, ...all.map(({ id }) => tasksBelow(all, id)));
}

const isDue = async (): Promise<string[]> =>
  (
    await db.$queryRawUnsafe<{ id: string }[]>(
      `select execution.id from executions as execution
        where execution.advance_at is not null
           or exists (select from job_sets where owner_id = execution.id and last_sequence > owner_sequence)
           or exists (select from node_executions as node join executions as child on child.parent_node_id = node.id
                       where node.execution_id = execution.id and node.ended_at is null and child.ended_at is not null)`,
    )
  ).map(({ id }) => id);

/** Turns of everything that is due, so many at the same time, until nothing is. */
async function settle(atOnce = 1, check: () => Promise<unknown> = async () => {}): Promise<void> {
  for (let rounds = 0; rounds < 200; rounds += 1) {
    const due = await isDue();
    if (due.length === 0) return;
    for (let first = 0; first < due.length; first += atOnce) {
      await Promise.all(due.slice(first, first + atOnce).map((id) => advanceExecution(id)));
      await check();
    }
  }
  throw new Error('the executions are never settled');
}

/** The runs of all jobs that wait, without those of earlier tests. */
async function lease(wait = 'PT0S'): Promise<Run[]> {
  await assignPool({ tenantId, name: 'default' }, 30);
  const { runs } = await hands.lease({ wait, maxJobs: 100 });
  const ids = new Set((await members()).map(({ id }) => id));
  return runs.filter(({ environment }) => ids.has(environment['SLIPWAY_EXECUTION_ID'] ?? ''));
}

const isOver = async (id: string) =>
  (await db.execution.findUniqueOrThrow({ where: { id } })).endedAt !== null;

/** A sequence of numbers that depends only on the seed. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7f_ff_ff_ff;
    return (state >>> 8) % sides;
  };
}

/** Runs an execution to its end, ending a random number of its tasks at a time. @returns the most tasks at the same time. */
async function runToEnd(id: string, atOnce: number, roll: (sides: number) => number): Promise<number> {
  const waiting: Run[] = [];
  let most = 0;
  const check = async () => {
    most = Math.max(most, await expectWithinLimits());
  };
  for (let rounds = 0; rounds < 200; rounds += 1) {
    await settle(atOnce, check);
    if (await isOver(id)) return most;
    waiting.push(...(await lease()));
    expect(waiting.length, 'nothing runs, but the execution has not ended').toBeGreaterThan(0);
    for (let count = 1 + roll(waiting.length); count > 0; count -= 1) {
      const [one] = waiting.splice(roll(waiting.length), 1);
      if (one) await hands.succeed(one, { y: 2 });
    }
  }
  throw new Error('the execution never ended');
}

describe('a limit of tasks', () => {
  it('covers the executions that nodes start, and does not block them', async () => {
    const id = await launch(app, project, 'pair', { maxParallelism: 1 });
    expect(await runToEnd(id, 1, dice(1))).toBe(1);
    const all = await members();
    expect(all.map(({ phase }) => phase)).toEqual(['SUCCEEDED', 'SUCCEEDED', 'SUCCEEDED']);
  });

  it('is used as far as there are tasks', async () => {
    const id = await launch(app, project, 'top', { maxParallelism: 4 });
    await settle();
    expect(tasksBelow(await members(), id)).toBe(4);
  });

  it.each(
    Array.from({ length: process.env['SOAK'] ? 60 : 4 }, (_, seed) => [
      seed + 1,
      1 + (seed % 5),
      1 + (seed % 4),
    ]),
  )(
    'holds in each tree, and everything ends: seed %i, limit %i, %i turns at the same time',
    async (seed, maxParallelism, atOnce) => {
      const id = await launch(app, project, 'top', { maxParallelism });
      const most = await runToEnd(id, atOnce, dice(seed));
      expect(most).toBe(maxParallelism);
      const all = await members();
      expect(all).toHaveLength(8);
      expect(new Set(all.map(({ phase }) => phase))).toEqual(new Set(['SUCCEEDED']));
      expect(await db.budgetShare.count()).toBe(0);
    },
    60_000,
  );

  it('holds when all executions of a tree take their turns at the same time', async () => {
    const id = await launch(app, project, 'top', { maxParallelism: 2 });
    await settle(16, expectWithinLimits);
    for (let rounds = 0; rounds < 100 && !(await isOver(id)); rounds += 1) {
      for (const one of await lease()) await hands.succeed(one, { y: 2 });
      const groups = await listGroupsThatWait(null, 10);
      await Promise.all([...(await isDue()), id].map((one) => advanceExecution(one)));
      await Promise.all(groups.flatMap((owner) => [givePlaces(owner), givePlaces(owner)]));
      await expectWithinLimits();
      await settle(16, expectWithinLimits);
    }
    expect(await isOver(id)).toBe(true);
  }, 60_000);

  it('leaves executions of other trees alone', async () => {
    const ids = [
      await launch(app, project, 'pair', { maxParallelism: 1 }),
      await launch(app, project, 'pair', { maxParallelism: 2 }),
    ];
    await settle();
    const all = await members();
    expect(ids.map((id) => tasksBelow(all, id))).toEqual([1, 2]);
  });
});

describe('a place', () => {
  /** Two executions under a limit of 2: one has both places, the other one waits. */
  async function siblings(): Promise<{ root: string; running: string; waiting: string }> {
    const root = await launch(app, project, 'pair', { maxParallelism: 2 });
    await settle();
    const shares = await db.budgetShare.findMany({ orderBy: { held: 'desc' } });
    expect(shares.map(({ held, wanted, ownerId }) => [held, wanted, ownerId])).toEqual([
      [2, 0, root],
      [0, 2, root],
    ]);
    const [running, waiting] = shares.map(({ executionId }) => executionId) as [string, string];
    return { root, running, waiting };
  }

  it('goes to who has waited longest, and wakes only that one', async () => {
    const { running, waiting } = await siblings();
    expect(await isDue()).toEqual([]);
    const ended = (await lease()).find(({ environment }) => environment['SLIPWAY_NODE_ID'] === 'a');
    if (ended) await hands.succeed(ended, { y: 2 });
    expect(await isDue()).toEqual([running]);
    await advanceExecution(running);
    // The node after `a` could start now, but the other execution has waited longer.
    expect(await isDue()).toEqual([waiting]);
    await settle();
    const shares = await db.budgetShare.findMany({ orderBy: { waitingSince: 'asc' } });
    expect(shares.map(({ executionId, held, wanted }) => [executionId, held, wanted])).toEqual([
      [running, 1, 1],
      [waiting, 1, 1],
    ]);
  });

  it('becomes free if its execution is terminated, also by force', async () => {
    for (const force of [false, true]) {
      const { running, waiting, root } = await siblings();
      await mutate(app, 'terminateExecution', { by: { id: running }, cause: 'enough', force });
      await settle();
      expect(await db.budgetShare.findMany()).toMatchObject([{ executionId: waiting, held: 2 }]);
      await db.execution.delete({ where: { id: root } });
      await db.execution.deleteMany();
    }
  });

  it('becomes free if its task has ended, and its execution has no other one to start', async () => {
    const { running, waiting } = await siblings();
    const ended = (await lease()).find(({ environment }) => environment['SLIPWAY_NODE_ID'] === 'b');
    if (ended) await hands.succeed(ended, { y: 2 });
    await advanceExecution(running);
    expect(await isDue()).toEqual([waiting]);
  });

  it('is found by the next look if its execution ends without a turn', async () => {
    const { running, waiting, root } = await siblings();
    await moveExecutions([running], { to: 'FAILED', from: ['RUNNING'], at: new Date() });
    expect(await listGroupsToLookAt(10)).toEqual([root]);
    expect(await givePlaces(root)).toEqual([waiting]);
  });

  it('is found by the next look if the scheduler died before it gave the place out', async () => {
    const { running, waiting, root } = await siblings();
    expect(await listGroupsToLookAt(10)).toEqual([]);
    expect(await listGroupsThatWait(null, 10)).toEqual([root]);
    await db.budgetShare.update({ where: { executionId: running }, data: { held: 0, needsLook: true } });
    expect(await listGroupsToLookAt(10)).toEqual([root]);
    expect(await givePlaces(root)).toEqual([waiting]);
    expect(await listGroupsToLookAt(10)).toEqual([]);
  });

  it('is given out once, by however many schedulers at the same time', async () => {
    const { root } = await siblings();
    for (let tries = 0; tries < 10; tries += 1) {
      await db.budgetShare.updateMany({ data: { held: 0, fresh: 0, wanted: 2, needsLook: true } });
      const given = await Promise.all(Array.from({ length: 4 }, () => givePlaces(root)));
      const shares = await db.budgetShare.findMany();
      expect(shares.map(({ held, wanted }) => [held, wanted])).toEqual([
        [1, 1],
        [1, 1],
      ]);
      expect(given.flat()).toHaveLength(2);
    }
  });

  it('waits for an execution that another transaction has locked, and is given out afterwards', async () => {
    const { running, waiting, root } = await siblings();
    await db.budgetShare.update({ where: { executionId: running }, data: { held: 0 } });
    await db.$transaction(async (tx) => {
      await tx.$queryRawUnsafe('select id from executions where id = $1::uuid for update', waiting);
      expect(await givePlaces(root)).toEqual([]);
    });
    expect(await listGroupsToLookAt(10)).toEqual([root]);
    expect(await givePlaces(root)).toEqual([waiting]);
  });

  it('does not go to an execution whose turns fail, until one succeeds', async () => {
    const { running, waiting, root } = await siblings();
    await db.execution.update({ where: { id: waiting }, data: { failedTurns: 1 } });
    await db.budgetShare.update({ where: { executionId: running }, data: { held: 0, needsLook: true } });
    expect(await givePlaces(root)).toEqual([]);
    expect(await listGroupsToLookAt(10)).toEqual([]);
    await db.execution.update({ where: { id: waiting }, data: { advanceAt: new Date(0) } });
    await settle();
    expect(await db.budgetShare.findUnique({ where: { executionId: waiting } })).toMatchObject({ held: 2 });
  });
});

describe('an execution that shares no limit', () => {
  const namesPlaces = (statements: readonly string[]) =>
    statements.filter((text) => /^(select share.held|insert into budget_shares)/.test(text));

  it.each([
    ['starts no others', 'leaf', 3],
    ['has none', 'pair', 0],
  ])('has no statements about places in its turns: it %s', async (_name, plan, maxParallelism) => {
    const id = await launch(app, project, plan, { maxParallelism });
    const { statements } = await statementsOf(() => settle());
    expect(await db.nodeExecution.count({ where: { executionId: id } })).toBe(2);
    expect(statements.join('\n')).toContain('node_executions');
    expect(namesPlaces(statements)).toEqual([]);
    expect(await db.budgetShare.count()).toBe(0);
  });

  it('is not like one that does', async () => {
    await launch(app, project, 'pair', { maxParallelism: 3 });
    expect(namesPlaces((await statementsOf(() => settle())).statements)).not.toEqual([]);
  });
});

describe('two schedulers that run by themselves', () => {
  it('keep within the limits of their trees, and end them, also if one of the schedulers is replaced', async () => {
    const limits = process.env['SOAK'] ? [1, 2, 3, 4, 5] : [1, 3];
    let first = startScheduler();
    const second = startScheduler();
    onTestFinished(async () => {
      await Promise.all([first.stop(), second.stop()]);
    });
    const ids = await Promise.all(
      limits.map((maxParallelism) => launch(app, project, 'top', { maxParallelism })),
    );
    const roll = dice(7);
    const waiting: Run[] = [];
    let most = 0;
    for (let rounds = 0; rounds < 400; rounds += 1) {
      if ((await Promise.all(ids.map(isOver))).every(Boolean)) break;
      waiting.push(...(await lease(waiting.length > 0 ? 'PT0S' : 'PT0.5S')));
      most = Math.max(most, await expectWithinLimits());
      for (let count = Math.min(waiting.length, 1 + roll(4)); count > 0; count -= 1) {
        const [one] = waiting.splice(roll(waiting.length), 1);
        if (one) await hands.succeed(one, { y: 2 });
      }
      if (rounds === 10) {
        await first.stop();
        first = startScheduler();
      }
    }
    expect((await members()).filter(({ phase }) => phase !== 'SUCCEEDED')).toEqual([]);
    expect(await members()).toHaveLength(8 * limits.length);
    expect(most).toBe(Math.max(...limits));
  }, 120_000);
});

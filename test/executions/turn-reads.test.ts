/** What a turn of the scheduler reads of an execution, and what it leaves out. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lockExecution } from '../../src/executions/store/locked-execution.ts';
import {
  hasBegunTask,
  listChildEnds,
  listNodesToAdvance,
  listOpenChildren,
  listOpenLeaves,
  listOpenNodes,
  type NodeRow,
  readExecutionNodes,
} from '../../src/executions/store/nodes.ts';
import { acquireReservations, addWaiters, listWaiters } from '../../src/executions/store/output-cache.ts';
import { readItemCounts, readPhaseCounts } from '../../src/executions/store/reads.ts';
import type { NodeExecutionPhase, NodeKind } from '../../src/generated/prisma/enums.ts';
import { db } from '../../src/platform/database/client.ts';
import { inTransaction } from '../../src/platform/database/transaction.ts';
import { newId } from '../../src/platform/ids.ts';
import { type App, startApp } from '../support/app.ts';
import { launch, registerProject, registerTask, registerWorkflow } from '../support/seed.ts';
import { countStatements } from '../support/statements.ts';

const project = 'turn-reads';
const past = new Date('2026-01-01T00:00:00Z');
const future = new Date('2100-01-01T00:00:00Z');
let app: App;
let projectId: string;
let otherId: string;
let tenantId: string;
let execution: string;
const ids: Record<string, string> = {};

beforeAll(async () => {
  app = await startApp({ scheduler: false });
  projectId = await registerProject(app, project);
  otherId = await registerProject(app, 'turn-reads-other');
  await registerTask(app, project, 'double');
  await registerWorkflow(app, project, 'one', { a: [] });
  execution = await launch(app, project, 'one');
  ({ tenantId } = await db.execution.findUniqueOrThrow({ where: { id: execution } }));
});
afterAll(() => app.stop());

/** Adds a node. Its parent is the one whose id it continues: `w:x` is in `w`. A number is the index of an item. */
async function add(
  nodeId: string,
  kind: NodeKind,
  phase: NodeExecutionPhase,
  executionId = execution,
): Promise<string> {
  const [parent, own = ''] = [
    nodeId.slice(0, Math.max(nodeId.lastIndexOf(':'), 0)),
    nodeId.split(':').at(-1),
  ];
  const id = newId();
  const isOpen = phase === 'QUEUED' || phase === 'RUNNING';
  await db.nodeExecution.create({
    data: {
      ...{ id, tenantId, executionId, nodeId, specNodeId: own, kind, phase },
      parentId: ids[parent] ?? null,
      itemIndex: /^\d+$/.test(own) ? Number(own) : null,
      endedAt: isOpen ? null : past,
    },
  });
  if (executionId === execution) ids[nodeId] = id;
  return id;
}

const tree = [
  ['done', 'TASK', 'SUCCEEDED'],
  ['open', 'TASK', 'RUNNING'],
  ['calls', 'LAUNCH_PLAN', 'RUNNING'],
  ['w', 'WORKFLOW', 'RUNNING'],
  ['w:done', 'TASK', 'SUCCEEDED'],
  ['w:open', 'TASK', 'QUEUED'],
  ['v', 'WORKFLOW', 'SUCCEEDED'],
  ['v:done', 'TASK', 'SUCCEEDED'],
  ['items', 'ARRAY', 'RUNNING'],
  ['items:0', 'TASK', 'RUNNING'],
  ['items:1', 'WORKFLOW', 'RUNNING'],
  ['items:1:x', 'TASK', 'QUEUED'],
  ['items:2', 'WORKFLOW', 'SUCCEEDED'],
  ['items:2:x', 'TASK', 'SUCCEEDED'],
  ['old', 'ARRAY', 'SUCCEEDED'],
] as const;

const namesOf = (rows: readonly { readonly nodeId: string }[]) => rows.map(({ nodeId }) => nodeId).sort();

describe('the nodes of an execution', () => {
  beforeAll(async () => {
    for (const [nodeId, kind, phase] of tree) await add(nodeId, kind, phase);
    const counts = [
      ...(['TASK', 'LAUNCH_PLAN', 'WORKFLOW'] as const).map((kind) => ({
        kind,
        phase: 'RUNNING' as const,
        count: 3,
      })),
      { kind: 'TASK' as const, phase: 'SUCCEEDED' as const, count: 5 },
      { kind: 'TASK' as const, phase: 'FAILED' as const, count: 0 },
    ];
    await db.nodePhaseCount.createMany({
      data: counts.map((row) => ({ ...row, tenantId, executionId: execution })),
    });
    const items = [
      ['items', 'QUEUED', 0],
      ['items', 'RUNNING', 2],
      ['items', 'SUCCEEDED', 1],
      ['old', 'SUCCEEDED', 7],
    ] as const;
    await db.itemPhaseCount.createMany({
      data: items.map(([array, phase, count]) => ({
        ...{ tenantId, nodeExecutionId: ids[array] ?? '', phase, count },
      })),
    });
  });

  it('that decide about the next steps are the outermost ones, those in open ones, and open items with nodes', async () => {
    const rows = await inTransaction((tx) => listNodesToAdvance(tx, execution));
    expect(namesOf(rows)).toEqual(
      ['calls', 'done', 'items', 'items:1', 'items:1:x', 'old', 'open', 'v', 'w', 'w:done', 'w:open'].sort(),
    );
    expect(namesOf(rows.slice(0, 4))).toEqual(['done', 'old', 'v', 'w:done']);
  });

  it('that are open', async () => {
    const open = tree.flatMap(([nodeId, , phase]) => (phase === 'SUCCEEDED' ? [] : [nodeId]));
    expect(namesOf(await inTransaction((tx) => listOpenNodes(tx, execution)))).toEqual([...open].sort());
    const leaves = (...prefixes: string[]) =>
      inTransaction((tx) => listOpenLeaves(tx, execution, { prefixes })).then(namesOf);
    expect(await leaves('')).toEqual(['calls', 'items:0', 'items:1:x', 'open', 'w:open']);
    expect(await leaves('w:', 'items:1:')).toEqual(['items:1:x', 'w:open']);
  });

  it('that run tasks and launch plans are counted, with the items of open arrays only', async () => {
    const read = (rows: readonly NodeRow[]) => inTransaction((tx) => readExecutionNodes(tx, execution, rows));
    const rows = await inTransaction((tx) => listNodesToAdvance(tx, execution));
    const all = await read(rows);
    expect(all.active).toBe(6);
    expect([...all.items]).toEqual([
      [
        'items',
        new Map([
          ['QUEUED', 0],
          ['RUNNING', 2],
          ['SUCCEEDED', 1],
        ]),
      ],
    ]);
    expect(await readPhaseCounts([execution])).toMatchObject([
      { phase: 'RUNNING', count: 9 },
      { phase: 'SUCCEEDED', count: 5 },
    ]);
    expect(await readItemCounts([ids['items'] ?? ''])).toMatchObject([
      { phase: 'RUNNING', count: 2 },
      { phase: 'SUCCEEDED', count: 1 },
    ]);
    const withoutItems = rows.filter(({ nodeId }) => !nodeId.startsWith('items'));
    expect(await read(withoutItems)).toMatchObject({ active: 3, items: new Map() });
  });

  it('have begun once a task has started or ended', async () => {
    const id = await launch(app, project, 'one');
    const hasBegun = () => inTransaction((tx) => hasBegunTask(tx, id));
    await add('calls', 'LAUNCH_PLAN', 'SUCCEEDED', id);
    await add('waits', 'TASK', 'QUEUED', id);
    expect(await hasBegun()).toBe(false);
    await add('over', 'TASK', 'SUCCEEDED', id);
    expect(await hasBegun()).toBe(true);
  });

  it('that started executions are read when these have ended, until they have ended themselves', async () => {
    const ends = (limit = 10) => inTransaction((tx) => listChildEnds(tx, execution, limit)).then(namesOf);
    const child = async (nodeId: string, endedAt: Date | null) => {
      const id = await launch(app, project, 'one');
      await db.execution.update({
        where: { id },
        data: { parentNodeId: ids[nodeId] ?? '', endedAt, phase: endedAt ? 'SUCCEEDED' : 'RUNNING' },
      });
      return id;
    };
    await add('runs', 'LAUNCH_PLAN', 'RUNNING');
    await add('over', 'LAUNCH_PLAN', 'SUCCEEDED');
    const [running, ended] = [await child('runs', null), await child('calls', past)];
    await child('over', past);
    expect(await ends()).toEqual(['calls']);
    const open = (...nodeIds: string[]) =>
      inTransaction((tx) =>
        listOpenChildren(
          tx,
          nodeIds.map((nodeId) => ids[nodeId] ?? ''),
        ),
      );
    expect(await open('calls', 'runs', 'over')).toEqual([running]);
    expect(await open('calls')).toEqual([]);
    await db.execution.deleteMany({ where: { id: { in: [running, ended] } } });
    expect(await ends()).toEqual(['calls', 'runs']);
    expect(await ends(1)).toEqual(['calls']);
  });
});

describe('the nodes that wait for cached outputs', () => {
  it('are open; those whose outputs nobody computes come first', async () => {
    const [first, second, third] = [
      await add('first', 'TASK', 'QUEUED'),
      await add('second', 'TASK', 'QUEUED'),
      await add('third', 'TASK', 'SUCCEEDED'),
    ];
    const owner = { tenantId, projectId, id: execution };
    const waiting = await inTransaction(async (tx) => {
      const applicant = (key: string, nodeExecutionId: string) => ({ key, nodeExecutionId });
      await acquireReservations(tx, owner, [applicant('taken', newId())]);
      // In another project.
      await acquireReservations(tx, { ...owner, projectId: otherId }, [applicant('free', newId())]);
      await addWaiters(tx, owner, [
        ...[applicant('taken', first), applicant('free', second), applicant('free', third)],
      ]);
      return await listWaiters(tx, execution, 10);
    });
    expect(namesOf(waiting)).toEqual(['first', 'second']);
    expect(waiting[0]).toMatchObject({ nodeId: 'second', key: 'free' });
  });

  it('reserve a key in one statement if nobody else has it', async () => {
    const owner = { tenantId, projectId, id: execution };
    const { statements } = await countStatements(() =>
      inTransaction((tx) => acquireReservations(tx, owner, [{ key: 'alone', nodeExecutionId: newId() }])),
    );
    expect(statements.filter((text) => text.includes('cache_reservations'))).toHaveLength(1);
  });
});

describe('an execution', () => {
  it.each([
    ['is read', {}, { isBackingOff: false }],
    ['sleeps', { advanceAt: future }, { isBackingOff: false }],
    ['waits after a turn that failed', { failedTurns: 1, advanceAt: future }, { isBackingOff: true }],
    ['is due after a turn that failed', { failedTurns: 1, advanceAt: past }, { isBackingOff: false }],
    ['has news after a turn that failed', { failedTurns: 1, advanceAt: null }, { isBackingOff: false }],
    ['waits for a place', { awaitsSlot: true }, null],
    ['is aborted while it waits for a place', { awaitsSlot: true, phase: 'ABORTING' }, { phase: 'ABORTING' }],
    ['is run by an engine from outside', { engine: 'EXTERNAL' }, null],
  ] as const)('%s', async (_what, columns, expected) => {
    const id = await launch(app, project, 'one');
    await db.execution.update({ where: { id }, data: columns });
    const locked = await inTransaction((tx) => lockExecution(tx, id));
    if (expected === null) expect(locked).toBeNull();
    else expect(locked).toMatchObject(expected);
  });
});

import { describe, expect, it } from 'vitest';
import {
  executionPhases,
  nodeExecutionPhases,
  taskExecutionPhases,
} from '../../src/executions/domain/phases.ts';
import { moveExecution, moveNodes, moveTasks } from '../../src/executions/store/moves.ts';
import type {
  ExecutionPhase,
  NodeExecutionPhase,
  TaskExecutionPhase,
} from '../../src/generated/prisma/enums.ts';
import { db, pool } from '../../src/platform/database/client.ts';
import { inTransaction } from '../../src/platform/database/transaction.ts';
import { newId } from '../../src/platform/ids.ts';
import { type PhaseTable, phasesOf, phasesThatMayMoveTo } from '../../src/platform/phase-table.ts';
import { overtaken } from '../support/waiting.ts';

const at = new Date('2026-11-22T10:00:00.000Z');

/**
 * The phases in which each of them has ended. For an attempt, this includes the phase after which another one follows.
 */
const ends = {
  executions: ['SUCCEEDED', 'FAILED', 'ABORTED', 'TIMED_OUT'],
  node_executions: ['SUCCEEDED', 'FAILED', 'ABORTED', 'SKIPPED', 'TIMED_OUT', 'RECOVERED'],
  task_executions: ['SUCCEEDED', 'FAILED', 'ABORTED', 'RETRYABLE_FAILED'],
};

/**
 * The rules of the reference, written out: a row is the current phase, a column the next one, and `x` means that the
 * move is allowed. Nothing here comes from the tables of src/executions/domain/phases.ts.
 */
function matrix(text: string): { from: string; to: string; allowed: boolean }[] {
  const [columns = [], ...rows] = text
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  return rows.flatMap(([from = '', ...marks]) => {
    expect(marks).toHaveLength(columns.length);
    return columns.map((to, index) => ({ from, to, allowed: marks[index] === 'x' }));
  });
}

/**
 * Flyte's CreateWorkflowEvent. In Flyte, the project decides whether SUCCEEDING and FAILING may go back to RUNNING or
 * QUEUED; here they may not. Two cells are about other calls than events: QUEUED to itself assigns a cluster, which we
 * do not have; ABORTING to itself is a repeated TerminateExecution, as are all ways to ABORTING.
 */
const executionMatrix = matrix(`
             QUEUED RUNNING SUCCEEDING FAILING ABORTING SUCCEEDED FAILED ABORTED TIMED_OUT
  QUEUED       .       x        x         x       x         x       x       x        x
  RUNNING      .       .        x         x       x         x       x       x        x
  SUCCEEDING   .       .        .         x       x         x       x       x        x
  FAILING      .       .        x         .       x         x       x       x        x
  ABORTING     .       .        .         .       x         x       x       x        x
  SUCCEEDED    .       .        .         .       .         .       .       .        .
  FAILED       .       .        .         .       .         .       .       .        .
  ABORTED      .       .        .         .       .         .       .       .        .
  TIMED_OUT    .       .        .         .       .         .       .       .        .
`);

/**
 * Flyte's CreateNodeEvent: a node may go back, but never leaves a final phase. The same phase again is a repeat and
 * moves nothing.
 */
const nodeMatrix = matrix(`
                   QUEUED RUNNING DYNAMIC_RUNNING FAILING SUCCEEDED FAILED ABORTED SKIPPED TIMED_OUT RECOVERED
  QUEUED             .       x           x           x        x        x      x       x        x         x
  RUNNING            x       .           x           x        x        x      x       x        x         x
  DYNAMIC_RUNNING    x       x           .           x        x        x      x       x        x         x
  FAILING            x       x           x           .        x        x      x       x        x         x
  SUCCEEDED          .       .           .           .        .        .      .       .        .         .
  FAILED             .       .           .           .        .        .      .       .        .         .
  ABORTED            .       .           .           .        .        .      .       .        .         .
  SKIPPED            .       .           .           .        .        .      .       .        .         .
  TIMED_OUT          .       .           .           .        .        .      .       .        .         .
  RECOVERED          .       .           .           .        .        .      .       .        .         .
`);

/** Flyte's CreateTaskEvent: earlier phases are allowed too, and RETRYABLE_FAILED is not final. */
const taskMatrix = matrix(`
                         QUEUED WAITING_FOR_RESOURCES INITIALIZING RUNNING RETRYABLE_FAILED SUCCEEDED FAILED ABORTED
  QUEUED                   .              x                x          x           x             x        x      x
  WAITING_FOR_RESOURCES    x              .                x          x           x             x        x      x
  INITIALIZING             x              x                .          x           x             x        x      x
  RUNNING                  x              x                x          .           x             x        x      x
  RETRYABLE_FAILED         x              x                x          x           .             x        x      x
  SUCCEEDED                .              .                .          .           .             .        .      .
  FAILED                   .              .                .          .           .             .        .      .
  ABORTED                  .              .                .          .           .             .        .      .
`);

/** An execution with a node and an attempt, in the given phases. */
async function insertExecution(phase: string, nodePhase = 'RUNNING', taskPhase = 'RUNNING') {
  const tenantId = newId();
  const project = await db.project.create({
    data: {
      id: newId(),
      tenant: { create: { id: tenantId, name: tenantId, nameKey: tenantId } },
      identifier: 'p',
      name: 'p',
    },
  });
  const [id, nodeId, taskId, refersTo] = [newId(), newId(), newId(), newId()];
  const named = {
    id: refersTo,
    tenantId,
    projectId: project.id,
    domain: 'development',
    name: 'n',
    version: 'v',
  };
  const version = { ...named, digest: 'd' };
  const { version: _version, ...entity } = named;
  await db.namedEntity.create({ data: { ...entity, type: 'WORKFLOW' } });
  await db.workflow.create({
    data: { ...version, entityId: refersTo, interface: {}, closure: {}, taskIds: {} },
  });
  const inputs = { spec: {}, expectedInputs: {}, fixedInputs: {}, expectedOutputs: {} };
  await db.launchPlan.create({
    data: { ...version, ...inputs, entityId: refersTo, workflowId: refersTo, workflowEntityId: refersTo },
  });
  const ended = (value: string, table: keyof typeof ends) => (ends[table].includes(value) ? 'now()' : 'null');
  await pool.query(
    `insert into executions (id, tenant_id, project_id, domain, name, launch_plan_id, workflow_id,
       workflow_entity_id, principal_id, queue, user_inputs, inputs, phase, ended_at)
     select $1, $2, $3, 'development', 'e', $4, $4, $4, $4, 'q', '{}', '{}', $5::execution_phase,
       ${ended(phase, 'executions')}`,
    [id, tenantId, project.id, refersTo, phase],
  );
  await pool.query(
    `insert into node_executions (id, tenant_id, execution_id, node_id, spec_node_id, phase, ended_at)
     select $1, $2, $3, 'n', 'n', $4::node_execution_phase,
       ${ended(nodePhase, 'node_executions')}`,
    [nodeId, tenantId, id, nodePhase],
  );
  await pool.query(
    `insert into node_phase_counts (execution_id, phase, tenant_id, count) values ($1, $2, $3, 1)`,
    [id, nodePhase, tenantId],
  );
  await pool.query(
    `insert into task_executions (id, tenant_id, execution_id, node_execution_id, task_id, task_project, task_domain,
       task_name, task_version, retry_attempt, phase, ended_at)
     select $1, $2, $3, $4, $5, 'p', 'development', 't', 'v', 0, $6::task_execution_phase,
       ${ended(taskPhase, 'task_executions')}`,
    [taskId, tenantId, id, nodeId, refersTo, taskPhase],
  );
  return { id, nodeId, taskId, refersTo };
}

/** The key of the task of each attempt. */
const taskKey = { project: 'p', domain: 'development', name: 't', version: 'v' };

const eventsOf = async (id: string) =>
  (
    await pool.query(
      'select sequence, kind, phase from execution_events where execution_id = $1 order by sequence',
      [id],
    )
  ).rows;

async function hasEnded(table: keyof typeof ends, id: string): Promise<boolean> {
  const { rows } = await pool.query(`select ended_at is not null as ended from ${table} where id = $1`, [id]);
  return rows[0].ended;
}

describe('the phase tables', () => {
  it.each([
    ['executions', executionPhases, executionMatrix],
    ['nodes', nodeExecutionPhases, nodeMatrix],
    ['attempts', taskExecutionPhases, taskMatrix],
  ] as [string, PhaseTable<string>, typeof executionMatrix][])(
    'allow for %s exactly the moves of the reference',
    (_name, table, expected) => {
      expect(new Set(phasesOf(table))).toEqual(new Set(expected.map(({ from }) => from)));
      const said = (from: string, to: string) => table[from]?.includes(to);
      expect(expected.filter(({ from, to, allowed }) => said(from, to) !== allowed)).toEqual([]);
    },
  );

  it('never let an execution go back after it began to succeed or to fail', () => {
    for (const from of ['SUCCEEDING', 'FAILING'] as const)
      for (const to of ['QUEUED', 'RUNNING'] as const)
        expect(phasesThatMayMoveTo(executionPhases, to)).not.toContain(from);
  });
});

describe('moveExecution', () => {
  it.each(executionMatrix)('$from → $to: $allowed', async ({ from, to, allowed }) => {
    const { id } = await insertExecution(from);
    const move = { id, to: to as ExecutionPhase };
    const moved = await moveExecution({ ...move, from: phasesThatMayMoveTo(executionPhases, move.to), at });
    expect(moved).toMatchObject({ before: from, after: allowed ? to : null });
    expect(await eventsOf(id)).toEqual(allowed ? [{ sequence: '1', kind: 'EXECUTION', phase: to }] : []);
    expect(await hasEnded('executions', id)).toBe(ends.executions.includes(allowed ? to : from));
  });

  it('answers the phase that another transaction has moved it to in the meantime', async () => {
    const { id } = await insertExecution('RUNNING');
    const end = { id, to: 'SUCCEEDED', from: ['RUNNING'], at } as const;
    const moved = await overtaken(
      () => moveExecution({ id, to: 'FAILING', from: ['RUNNING'], at }),
      (tx) => moveExecution(end, tx),
    );
    expect(moved).toMatchObject({ before: 'SUCCEEDED', after: null });
  });

  it('answers null for an execution that does not exist', async () => {
    expect(await moveExecution({ id: newId(), to: 'RUNNING', from: ['QUEUED'], at })).toBeNull();
  });
});

describe('moveNodes', () => {
  it.each(nodeMatrix)('$from → $to: $allowed', async ({ from, to, allowed }) => {
    const { id, nodeId } = await insertExecution('RUNNING', from);
    const phase = to as NodeExecutionPhase;
    const allowedFrom = phasesThatMayMoveTo(nodeExecutionPhases, phase);
    const move = { id: nodeId, nodeId: 'n', to: phase, from: allowedFrom, at };
    const moved = await inTransaction((tx) => moveNodes(tx, id, [move]));
    expect(moved).toHaveLength(allowed ? 1 : 0);
    expect(await eventsOf(id)).toEqual(allowed ? [{ sequence: '1', kind: 'NODE', phase: to }] : []);
    expect(await hasEnded('node_executions', nodeId)).toBe(
      ends.node_executions.includes(allowed ? to : from),
    );
    const { rows } = await pool.query(
      'select phase from node_phase_counts where execution_id = $1 and count > 0',
      [id],
    );
    expect(rows).toEqual([{ phase: allowed ? to : from }]);
  });

  it('keeps the first start time of a node that starts again', async () => {
    const { id, nodeId } = await insertExecution('RUNNING', 'QUEUED');
    const move = (to: 'RUNNING' | 'QUEUED', time: string) =>
      inTransaction((tx) =>
        moveNodes(tx, id, [
          {
            id: nodeId,
            nodeId: 'n',
            to,
            from: phasesThatMayMoveTo(nodeExecutionPhases, to),
            at: new Date(time),
          },
        ]),
      );
    await move('RUNNING', '2026-01-01T00:00:01Z');
    await move('QUEUED', '2026-01-01T00:00:02Z');
    await move('RUNNING', '2026-01-01T00:00:03Z');
    const { rows } = await pool.query('select started_at from node_executions where id = $1', [nodeId]);
    expect(rows[0].started_at.toISOString()).toBe('2026-01-01T00:00:01.000Z');
  });
});

describe('moveTasks', () => {
  it.each(taskMatrix)('$from → $to: $allowed', async ({ from, to, allowed }) => {
    const { id, nodeId, taskId, refersTo } = await insertExecution('RUNNING', 'RUNNING', from);
    const phase = to as TaskExecutionPhase;
    const moved = await inTransaction((tx) =>
      moveTasks(tx, id, [
        {
          id: taskId,
          nodeExecutionId: nodeId,
          nodeId: 'n',
          taskId: refersTo,
          task: taskKey,
          attempt: 0,
          to: phase,
          from: phasesThatMayMoveTo(taskExecutionPhases, phase),
          at,
        },
      ]),
    );
    expect(moved).toHaveLength(allowed ? 1 : 0);
    expect(await eventsOf(id)).toEqual(allowed ? [{ sequence: '1', kind: 'TASK', phase: to }] : []);
    expect(await hasEnded('task_executions', taskId)).toBe(
      ends.task_executions.includes(allowed ? to : from),
    );
    const { rows } = await pool.query('select latest_task_phase from node_executions where id = $1', [
      nodeId,
    ]);
    expect(rows[0].latest_task_phase).toBe(allowed ? to : null);
  });
});

describe('events', () => {
  it('are numbered without gaps, also when they are written at the same time', async () => {
    const { id } = await insertExecution('RUNNING');
    await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        inTransaction(async (tx) => {
          await tx.$queryRaw`select id from executions where id = ${id}::uuid for update`;
          await moveNodes(tx, id, [
            { id: newId(), nodeId: `m${index}`, to: 'QUEUED', from: [], at },
            { id: newId(), nodeId: `k${index}`, to: 'QUEUED', from: [], at },
          ]);
        }),
      ),
    );
    const events = await eventsOf(id);
    expect(events.map((event) => Number(event.sequence))).toEqual(
      Array.from({ length: 40 }, (_, index) => index + 1),
    );
    const { rows } = await pool.query(
      `select count from node_phase_counts where execution_id = $1 and phase = 'QUEUED'`,
      [id],
    );
    expect(rows).toEqual([{ count: 40 }]);
  });
});

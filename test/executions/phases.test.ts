import { describe, expect, it } from 'vitest';
import {
  executionPhases,
  nodeExecutionPhases,
  taskExecutionPhases,
} from '../../src/executions/domain/phases.ts';
import { moveExecution, moveNodes, moveTasks } from '../../src/executions/store/moves.ts';
import { db, pool } from '../../src/platform/database/client.ts';
import { inTransaction } from '../../src/platform/database/transaction.ts';
import { newId } from '../../src/platform/ids.ts';
import {
  isTerminal,
  type PhaseTable,
  phasesOf,
  phasesThatMayMoveTo,
} from '../../src/platform/phase-table.ts';

const at = new Date('2026-11-22T10:00:00.000Z');

/** Every pair of phases, and whether the table allows the move. */
function pairs<P extends string>(table: PhaseTable<P>) {
  return phasesOf(table).flatMap((from) =>
    phasesOf(table).map((to) => ({ from, to, allowed: table[from].includes(to) })),
  );
}

/** An execution with a node and an attempt, in the phases that are asked for. */
async function insertExecution(phase: string, nodePhase = 'RUNNING', taskPhase = 'RUNNING') {
  const tenantId = newId();
  const project = await db.project.create({
    data: { id: newId(), tenant: { create: { id: tenantId, name: tenantId } }, identifier: 'p', name: 'p' },
  });
  const [id, nodeId, taskId, refersTo] = [newId(), newId(), newId(), newId()];
  const ended = (value: string, ends: string) => `case when '${value}' in (${ends}) then now() end`;
  await pool.query(
    `insert into executions (id, tenant_id, project_id, domain, name, launch_plan_id, workflow_id, principal_id, queue,
       user_inputs, inputs, phase, ended_at)
     select $1, $2, $3, 'development', 'e', $4, $4, $4, 'q', '{}', '{}', $5::execution_phase,
       ${ended(phase, "'SUCCEEDED', 'FAILED', 'ABORTED', 'TIMED_OUT'")}`,
    [id, tenantId, project.id, refersTo, phase],
  );
  await pool.query(
    `insert into node_executions (id, tenant_id, execution_id, node_id, phase, ended_at)
     select $1, $2, $3, 'n', $4::node_execution_phase,
       ${ended(nodePhase, "'SUCCEEDED', 'FAILED', 'ABORTED', 'SKIPPED', 'TIMED_OUT', 'RECOVERED'")}`,
    [nodeId, tenantId, id, nodePhase],
  );
  await pool.query(
    `insert into node_phase_counts (execution_id, phase, tenant_id, count) values ($1, $2, $3, 1)`,
    [id, nodePhase, tenantId],
  );
  await pool.query(
    `insert into task_executions (id, tenant_id, execution_id, node_execution_id, task_id, retry_attempt, phase, ended_at)
     select $1, $2, $3, $4, $5, 0, $6::task_execution_phase,
       ${ended(taskPhase, "'SUCCEEDED', 'FAILED', 'ABORTED', 'RETRYABLE_FAILED'")}`,
    [taskId, tenantId, id, nodeId, refersTo, taskPhase],
  );
  return { id, nodeId, taskId, refersTo };
}

const eventsOf = async (id: string) =>
  (
    await pool.query(
      'select sequence, kind, phase from execution_events where execution_id = $1 order by sequence',
      [id],
    )
  ).rows;

describe('the phase tables', () => {
  it('end where Flyte ends', () => {
    const ends = <P extends string>(table: PhaseTable<P>) =>
      phasesOf(table).filter((phase) => isTerminal(table, phase));
    expect(ends(executionPhases)).toEqual(['SUCCEEDED', 'FAILED', 'ABORTED', 'TIMED_OUT']);
    expect(ends(nodeExecutionPhases)).toEqual([
      'SUCCEEDED',
      'FAILED',
      'ABORTED',
      'SKIPPED',
      'TIMED_OUT',
      'RECOVERED',
    ]);
    expect(ends(taskExecutionPhases)).toEqual(['SUCCEEDED', 'FAILED', 'ABORTED']);
  });

  it('let every phase that has not ended reach an end', () => {
    for (const table of [executionPhases, nodeExecutionPhases, taskExecutionPhases] as PhaseTable<string>[])
      for (const phase of phasesOf(table))
        if (!isTerminal(table, phase)) expect(table[phase]?.some((to) => isTerminal(table, to))).toBe(true);
  });

  it('accept nothing but an end, or another word on why, once an execution is ABORTING', () => {
    expect(executionPhases.ABORTING.filter((to) => !isTerminal(executionPhases, to))).toEqual(['ABORTING']);
  });

  it('never lead back to QUEUED an execution that runs', () => {
    expect(phasesThatMayMoveTo(executionPhases, 'QUEUED')).toEqual([]);
  });
});

describe('moveExecution', () => {
  it.each(pairs(executionPhases))('$from → $to: $allowed', async ({ from, to, allowed }) => {
    const { id } = await insertExecution(from);
    const moved = await moveExecution({ id, to, from: phasesThatMayMoveTo(executionPhases, to), at });
    expect(moved).toMatchObject({ before: from, after: allowed ? to : null });
    expect(await eventsOf(id)).toEqual(allowed ? [{ sequence: '1', kind: 'EXECUTION', phase: to }] : []);
  });

  it('answers null for an execution that does not exist', async () => {
    expect(await moveExecution({ id: newId(), to: 'RUNNING', from: ['QUEUED'], at })).toBeNull();
  });
});

describe('moveNodes', () => {
  it.each(pairs(nodeExecutionPhases))('$from → $to: $allowed', async ({ from, to, allowed }) => {
    const { id, nodeId } = await insertExecution('RUNNING', from);
    const move = { id: nodeId, nodeId: 'n', to, from: phasesThatMayMoveTo(nodeExecutionPhases, to), at };
    const moved = await inTransaction((tx) => moveNodes(tx, id, [move]));
    expect(moved).toHaveLength(allowed ? 1 : 0);
    expect(await eventsOf(id)).toEqual(allowed ? [{ sequence: '1', kind: 'NODE', phase: to }] : []);
    const { rows } = await pool.query(
      'select phase from node_phase_counts where execution_id = $1 and count > 0',
      [id],
    );
    expect(rows).toEqual([{ phase: allowed ? to : from }]);
  });

  it('keeps the first start of a node that goes back and starts again', async () => {
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
  it.each(pairs(taskExecutionPhases))('$from → $to: $allowed', async ({ from, to, allowed }) => {
    const { id, nodeId, taskId, refersTo } = await insertExecution('RUNNING', 'RUNNING', from);
    const moved = await inTransaction((tx) =>
      moveTasks(tx, id, [
        {
          id: taskId,
          nodeExecutionId: nodeId,
          nodeId: 'n',
          taskId: refersTo,
          attempt: 0,
          to,
          from: phasesThatMayMoveTo(taskExecutionPhases, to),
          at,
        },
      ]),
    );
    expect(moved).toHaveLength(allowed ? 1 : 0);
    expect(await eventsOf(id)).toEqual(allowed ? [{ sequence: '1', kind: 'TASK', phase: to }] : []);
    const { rows } = await pool.query('select latest_task_phase from node_executions where id = $1', [
      nodeId,
    ]);
    expect(rows[0].latest_task_phase).toBe(allowed ? to : null);
  });
});

describe('events', () => {
  it('are numbered without gaps, whoever writes them at once', async () => {
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

/** What the migration `shared_parallelism` does with executions that run. */
import { beforeEach, describe, expect, it } from 'vitest';
import { applyMigrations } from '../../src/platform/database/migrations.ts';
import { newId } from '../../src/platform/ids.ts';
import { olderDatabase } from '../support/older-database.ts';

const database = olderDatabase('shared_parallelism');
const names = new Map<string, string>();

beforeEach(async () => {
  // The rows refer to a project and a launch plan that the migration does not read.
  await database.query(`set session_replication_role = 'replica'`);
});

/** An execution with running tasks, and with a node that has started it, if it has a parent. */
async function insertExecution(
  name: string,
  maxParallelism: number,
  tasks: number,
  { parentId = null as string | null, hasEnded = false } = {},
): Promise<string> {
  const [id, any] = [newId(), newId()];
  const nodeId = parentId && newId();
  names.set(id, name);
  if (nodeId)
    await database.query(
      `insert into node_executions (id, tenant_id, execution_id, node_id, spec_node_id, kind, phase)
       values ($1, $2, $3, $4, $4, 'LAUNCH_PLAN', 'RUNNING')`,
      [nodeId, any, parentId, name],
    );
  await database.query(
    `insert into executions (id, tenant_id, project_id, domain, name, launch_plan_id, workflow_id, workflow_entity_id,
       principal_id, queue, max_parallelism, parent_node_id, phase, ended_at, user_inputs, inputs)
     values ($1, $2, $2, 'development', $3, $2, $2, $2, $2, 'q', $4, $5, $6, $7, '{}', '{}')`,
    [id, any, name, maxParallelism, nodeId, hasEnded ? 'FAILED' : 'RUNNING', hasEnded ? new Date() : null],
  );
  await database.query(
    `insert into node_phase_counts (execution_id, kind, phase, tenant_id, count)
     values ($1, 'TASK', 'RUNNING', $2, $3), ($1, 'TASK', 'SUCCEEDED', $2, 7), ($1, 'LAUNCH_PLAN', 'RUNNING', $2, 5)`,
    [id, any, tasks],
  );
  return id;
}

const namesOf = (ids: readonly string[]) => ids.map((id) => names.get(id));

describe('shared_parallelism', () => {
  it('gives executions below others the limits of these, and places to the tasks that run', async () => {
    const top = await insertExecution('top', 5, 2);
    const same = await insertExecution('same', 5, 3, { parentId: top });
    const narrow = await insertExecution('narrow', 2, 0, { parentId: same });
    await insertExecution('deep', 4, 1, { parentId: narrow });
    await insertExecution('over', 4, 1, { parentId: top, hasEnded: true });
    const free = await insertExecution('free', 0, 2);
    await insertExecution('below-free', 0, 4, { parentId: free });
    await insertExecution('alone', 9, 4);
    await applyMigrations(database.url);
    const executions = await database.query(
      'select name, budget_ids, budget_limit from executions where budget_limit is not null order by name',
    );
    expect(executions.rows.map((row) => [row.name, namesOf(row.budget_ids), row.budget_limit])).toEqual([
      ['deep', ['top', 'narrow'], 2],
      ['narrow', ['top'], 5],
      ['same', ['top'], 5],
    ]);
    const shares = await database.query(
      `select execution_id, owner_id, budget_ids, held, fresh, wanted, needs_look from budget_shares`,
    );
    expect(
      shares.rows
        .map((row) => [
          ...namesOf([row.execution_id, row.owner_id]),
          namesOf(row.budget_ids),
          row.held,
          row.wanted,
        ])
        .sort(),
    ).toEqual([
      ['deep', 'top', ['top', 'narrow'], 1, 0],
      ['same', 'top', ['top'], 3, 0],
      ['top', 'top', ['top'], 2, 0],
    ]);
  });
});

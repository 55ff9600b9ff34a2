/** What migrations do with versions that are registered already, and with the executions of these. */
import { describe, expect, it } from 'vitest';
import { applyMigrations } from '../../src/platform/database/migrations.ts';
import { newId } from '../../src/platform/ids.ts';
import { olderDatabase } from '../support/older-database.ts';

const database = olderDatabase('names_of_every_kind');

const ids = {
  tenant: newId(),
  project: newId(),
  entity: newId(),
  workflow: newId(),
  execution: newId(),
  node: newId(),
};

/** Two versions of a task, a workflow with one, its launch plan, and an execution with one attempt. */
async function insertOldRows(): Promise<{ taskIds: string[] }> {
  const { tenant, project, entity, workflow, execution, node } = ids;
  await database.query(`insert into tenants (id, name, name_key) values ($1, 't', 't')`, [tenant]);
  await database.query(
    `insert into projects (id, tenant_id, identifier, name) values ($1, $2, 'vision', 'Vision')`,
    [project, tenant],
  );
  const taskIds = [newId(), newId()];
  for (const [at, id] of taskIds.entries())
    await database.query(
      `insert into tasks (id, tenant_id, project_id, domain, name, version, type, template, digest)
       values ($1, $2, $3, 'development', 'train', $4, 'container', '{}', 'd')`,
      [id, tenant, project, `v${at}`],
    );
  await database.query(
    `insert into named_entities (id, tenant_id, project_id, domain, name) values ($1, $2, $3, 'development', 'train')`,
    [entity, tenant, project],
  );
  await database.query(
    `insert into workflows (id, tenant_id, entity_id, project_id, domain, name, version, interface, closure, task_ids, digest)
     values ($1, $2, $3, $4, 'development', 'train', 'v0', '{}', '{}', '{}', 'd')`,
    [workflow, tenant, entity, project],
  );
  await database.query(
    `insert into launch_plans (id, tenant_id, project_id, domain, name, version, workflow_id, workflow_entity_id, spec,
       expected_inputs, fixed_inputs, expected_outputs, digest)
     values ($1, $2, $3, 'development', 'train', 'v0', $1, $4, '{}', '{}', '{}', '{}', 'd')`,
    [workflow, tenant, project, entity],
  );
  await database.query(
    `insert into executions (id, tenant_id, project_id, domain, name, launch_plan_id, workflow_id, workflow_entity_id,
       principal_id, queue, user_inputs, inputs)
     values ($1, $2, $3, 'development', 'e', $4, $4, $5, $2, 'q', '{}', '{}')`,
    [execution, tenant, project, workflow, entity],
  );
  await database.query(
    `insert into node_executions (id, tenant_id, execution_id, node_id, phase) values ($1, $2, $3, 'a', 'RUNNING')`,
    [node, tenant, execution],
  );
  await database.query(
    `insert into node_phase_counts (execution_id, phase, tenant_id, count) values ($1, 'RUNNING', $2, 1)`,
    [execution, tenant],
  );
  await database.query(
    `insert into task_executions (id, tenant_id, execution_id, node_execution_id, task_id, retry_attempt, phase)
     values ($1, $2, $3, $4, $5, 0, 'RUNNING')`,
    [newId(), tenant, execution, node, taskIds[1]],
  );
  return { taskIds };
}

describe('names_of_every_kind', () => {
  it('gives all versions of a task or launch plan the same name, and keeps those of workflows', async () => {
    await insertOldRows();
    await applyMigrations(database.url);
    const { rows } = await database.query(
      `select entity.type::text as type, entity.name, count(task.id)::int as tasks, count(plan.id)::int as plans
         from named_entities as entity left join tasks as task on task.entity_id = entity.id
         left join launch_plans as plan on plan.entity_id = entity.id
        group by entity.id order by type`,
    );
    expect(rows).toEqual([
      { type: 'LAUNCH_PLAN', name: 'train', tasks: 0, plans: 1 },
      { type: 'TASK', name: 'train', tasks: 2, plans: 0 },
      { type: 'WORKFLOW', name: 'train', tasks: 0, plans: 0 },
    ]);
    const workflows = await database.query('select entity_id from workflows');
    expect(workflows.rows).toEqual([{ entity_id: ids.entity }]);
  });
});

describe('node_kinds', () => {
  it('makes nodes tasks of the outermost workflow, and gives attempts the keys of their tasks', async () => {
    const { taskIds } = await insertOldRows();
    await applyMigrations(database.url);
    const nodes = await database.query(
      'select kind::text as kind, spec_node_id, parent_id, item_index from node_executions',
    );
    expect(nodes.rows).toEqual([{ kind: 'TASK', spec_node_id: 'a', parent_id: null, item_index: null }]);
    const counts = await database.query(
      'select kind::text as kind, phase::text as phase, count from node_phase_counts',
    );
    expect(counts.rows).toEqual([{ kind: 'TASK', phase: 'RUNNING', count: 1 }]);
    const tasks = await database.query(
      'select task_id, task_project, task_domain, task_name, task_version from task_executions',
    );
    expect(tasks.rows).toEqual([
      {
        task_id: taskIds[1],
        task_project: 'vision',
        task_domain: 'development',
        task_name: 'train',
        task_version: 'v1',
      },
    ]);
  });
});

/** What the migration `facts_of_trigger_chains` notes about executions that triggers have started before. */
import { beforeEach, describe, expect, it } from 'vitest';
import { applyMigrations } from '../../src/platform/database/migrations.ts';
import { newId } from '../../src/platform/ids.ts';
import { olderDatabase } from '../support/older-database.ts';

const database = olderDatabase('facts_of_trigger_chains');
const names = new Map<string, string>();

beforeEach(async () => {
  // The rows refer to a project and a launch plan that the migration does not read.
  await database.query(`set session_replication_role = 'replica'`);
});

async function insertExecution(
  name: string,
  mode: string,
  sourceId: string | null = null,
  isChild = false,
): Promise<string> {
  const [id, any] = [newId(), newId()];
  names.set(id, name);
  await database.query(
    `insert into executions (id, tenant_id, project_id, domain, name, launch_plan_id, workflow_id, workflow_entity_id,
       principal_id, queue, mode, source_id, parent_node_id, user_inputs, inputs)
     values ($1, $2, $2, 'development', $3, $2, $2, $2, $2, 'q', $4, $5, $6, '{}', '{}')`,
    [id, any, name, mode, sourceId, isChild ? newId() : null],
  );
  return id;
}

describe('facts_of_trigger_chains', () => {
  it('notes the depth and the first execution, as far as the executions before still exist', async () => {
    const begin = await insertExecution('begin', 'MANUAL');
    const first = await insertExecution('first', 'TRIGGER', begin);
    const child = await insertExecution('child', 'CHILD_WORKFLOW', first, true);
    const recovered = await insertExecution('recovered', 'RECOVERED', child, true);
    const second = await insertExecution('second', 'TRIGGER', recovered);
    const repeated = await insertExecution('repeated', 'RELAUNCH', second);
    await insertExecution('anew', 'TRIGGER', repeated);
    const cut = await insertExecution('cut', 'TRIGGER');
    await insertExecution('after-cut', 'TRIGGER', cut);
    const free = await insertExecution('free', 'CHILD_WORKFLOW', begin, true);
    await insertExecution('after-free', 'TRIGGER', free);
    await database.query(
      'insert into trigger_chains (execution_id, tenant_id, started) select id, tenant_id, 7 from executions where id = $1',
      [begin],
    );
    await applyMigrations(database.url);
    const { rows } = await database.query(
      'select name, trigger_depth as depth, trigger_first_id as first from executions order by id',
    );
    expect(
      rows.map(({ name, depth, first: firstId }) => [name, depth, firstId && names.get(firstId)]),
    ).toEqual([
      ['begin', 0, null],
      ['first', 1, 'begin'],
      ['child', 1, 'begin'],
      ['recovered', 1, 'begin'],
      ['second', 2, 'begin'],
      ['repeated', 0, null],
      ['anew', 1, 'repeated'],
      ['cut', 1, 'cut'],
      ['after-cut', 2, 'cut'],
      ['free', 0, null],
      ['after-free', 1, 'free'],
    ]);
    await database.query(`set session_replication_role = 'origin'`);
    await database.query('delete from executions where id = $1', [begin]);
    const chains = await database.query(
      'select started, now() - last_started_at < $1 as fresh from trigger_chains',
      ['1 day'],
    );
    expect(chains.rows).toEqual([{ started: 7, fresh: true }]);
  });
});

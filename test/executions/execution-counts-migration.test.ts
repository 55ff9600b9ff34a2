/** What the migration `execution_counts` counts of executions that exist already. */
import { describe, expect, it } from 'vitest';
import { applyMigrations } from '../../src/platform/database/migrations.ts';
import { newId } from '../../src/platform/ids.ts';
import { olderDatabase } from '../support/older-database.ts';

const database = olderDatabase('execution_counts');

describe('execution_counts', () => {
  it('counts the executions that exist, and then each change of them', async () => {
    // The rows refer to others, which the migration does not read.
    await database.query(`set session_replication_role = 'replica'`);
    const project = newId();
    const insert = async (phase: string, state: string, domain: string) => {
      const id = newId();
      await database.query(
        `insert into executions (id, tenant_id, project_id, domain, name, launch_plan_id, workflow_id,
           workflow_entity_id, phase, state, principal_id, queue, user_inputs, inputs, ended_at)
         values ($1, $2, $2, $3, $6, $2, $2, $2, $4, $5, $2, 'default', '{}', '{}', case when $7::boolean then now() end)`,
        [id, project, domain, phase, state, `made-${id.slice(-8)}`, phase === 'FAILED'],
      );
      return id;
    };
    const first = await insert('RUNNING', 'ACTIVE', 'development');
    await insert('RUNNING', 'ACTIVE', 'development');
    await insert('RUNNING', 'ARCHIVED', 'development');
    await insert('FAILED', 'ACTIVE', 'production');
    await applyMigrations(database.url);
    const counts = async () => {
      const { rows } = await database.query(
        `select domain, phase, state, sum(n)::int as n
           from (select domain, phase, state, count as n from execution_counts
                 union all select domain, phase, state, change from execution_count_changes) as counted
          group by 1, 2, 3 having sum(n) <> 0 order by 1, 2, 3`,
      );
      return rows.map(({ domain, phase, state, n }) => [domain, phase, state, n]);
    };
    expect(await counts()).toEqual([
      ['development', 'RUNNING', 'ACTIVE', 2],
      ['development', 'RUNNING', 'ARCHIVED', 1],
      ['production', 'FAILED', 'ACTIVE', 1],
    ]);
    await database.query(`set session_replication_role = 'origin'`);
    await database.query(`update executions set phase = 'SUCCEEDED', ended_at = now() where id = $1`, [
      first,
    ]);
    await database.query(`delete from executions where phase = 'FAILED'`);
    expect(await counts()).toEqual([
      ['development', 'RUNNING', 'ACTIVE', 1],
      ['development', 'RUNNING', 'ARCHIVED', 1],
      ['development', 'SUCCEEDED', 'ACTIVE', 1],
    ]);
  });
});

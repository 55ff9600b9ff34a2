/** What the migration `job_counts` counts of jobs that exist already. */
import { describe, expect, it } from 'vitest';
import { applyMigrations } from '../../src/platform/database/migrations.ts';
import { newId } from '../../src/platform/ids.ts';
import { olderDatabase } from '../support/older-database.ts';

const database = olderDatabase('job_counts');

/** One job in each of these states. */
async function insertSet(queueId: string, name: string, projectId: string | null, states: readonly string[]) {
  const [tenantId, setId] = [queueId, newId()];
  await database.query(
    'insert into job_sets (id, tenant_id, queue_id, name, project_id) values ($1, $2, $2, $3, $4)',
    [setId, tenantId, name, projectId],
  );
  for (const state of states)
    await database.query(
      `insert into jobs (id, tenant_id, queue_id, job_set_id, spec, owner_id, state, ended_at)
       values ($1, $2, $2, $3, '{}', $2, $4, case when $5::boolean then now() end)`,
      [newId(), tenantId, setId, state, state === 'SUCCEEDED'],
    );
  return setId;
}

describe('job_counts', () => {
  it('counts the jobs by everything that decides who may read them, and the open jobs of each job set', async () => {
    // The rows refer to a tenant, which the migration does not read.
    await database.query(`set session_replication_role = 'replica'`);
    const [queueId, project] = [newId(), newId()];
    await database.query('insert into queues (id, tenant_id, name) values ($1, $1, $2)', [queueId, 'queue']);
    await insertSet(queueId, 'a', null, ['QUEUED', 'QUEUED', 'RUNNING', 'SUCCEEDED']);
    const second = await insertSet(queueId, 'b', project, ['QUEUED', 'CANCELLING']);
    await insertSet(queueId, 'c', project, ['SUCCEEDED']);
    await applyMigrations(database.url);
    const counts = async () => {
      const { rows } = await database.query(
        `select project_id is not null as "inProject", state, sum(n)::int as n
           from (select project_id, state, count as n from job_counts
                 union all select project_id, state, change from job_count_changes) as counted
          group by 1, 2 having sum(n) <> 0 order by 1, 2`,
      );
      return rows.map(({ inProject, state, n }) => [inProject, state, n]);
    };
    const sets = async () => {
      const { rows } = await database.query(
        'select name, queued_jobs as queued, open_jobs as open, is_active as active from job_sets order by name',
      );
      return rows.map(({ name, queued, open, active }) => [name, queued, open, active]);
    };
    expect(await counts()).toEqual([
      [false, 'QUEUED', 2],
      [false, 'RUNNING', 1],
      [false, 'SUCCEEDED', 1],
      [true, 'QUEUED', 1],
      [true, 'SUCCEEDED', 1],
      [true, 'CANCELLING', 1],
    ]);
    expect(await sets()).toEqual([
      ['a', 2, 3, true],
      ['b', 1, 2, true],
      ['c', 0, 0, false],
    ]);
    await database.query(`set session_replication_role = 'origin'`);
    await database.query(`update jobs set state = 'CANCELLED', ended_at = now() where job_set_id = $1`, [
      second,
    ]);
    await database.query('delete from jobs where job_set_id = $1', [second]);
    expect((await counts()).slice(3)).toEqual([[true, 'SUCCEEDED', 1]]);
    expect((await sets())[1]).toEqual(['b', 0, 0, false]);
  });
});

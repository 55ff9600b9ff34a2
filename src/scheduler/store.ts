import { run, statement } from '../platform/database/statement.ts';

const BATCH = 200;

const dueExecutions = statement<{ id: string }>(
  'due_executions',
  `(select id from executions where advance_at <= now() order by advance_at limit ${BATCH})
   union
   (select execution.id
      from executions as execution
      join job_sets as set on set.name = execution.id::text and set.tenant_id = execution.tenant_id
     where execution.ended_at is null and set.last_sequence > execution.job_set_sequence
     limit ${BATCH})`,
);

/** Executions that something asks to be advanced, or whose jobs have news that was not taken over. */
export async function listDueExecutions(): Promise<string[]> {
  return (await run(dueExecutions, [])).map((row) => row.id);
}

const waitingPools = statement<{ pool: string }>(
  'waiting_pools',
  `select pool from executors group by pool
   having exists (select from jobs where jobs.pool = executors.pool and jobs.state = 'QUEUED')`,
);

/** Pools that have executors and queued jobs. */
export async function listWaitingPools(): Promise<string[]> {
  return (await run(waitingPools, [])).map((row) => row.pool);
}

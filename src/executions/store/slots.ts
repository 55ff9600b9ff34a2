import { run, statement } from '../../platform/database/statement.ts';
import { notifySql } from '../../platform/database/topics.ts';
import type { Tx } from '../../platform/database/transaction.ts';

/**
 * The places of a launch plan that limits how many of its executions run at the same time. All versions of a launch plan
 * share them. Whoever takes or frees a place first locks the name of the launch plan.
 */

const lockNameStatement = statement<{ id: string }>(
  `select name.id from launch_plans as plan join named_entities as name on name.id = plan.entity_id
    where plan.id = $1::uuid for update of name`,
);

/** Waits for the lock. @returns the name that all versions of the launch plan share; null if it does not exist. */
export async function lockLaunchPlanName(tx: Tx, launchPlanId: string): Promise<string | null> {
  const [row] = await run(lockNameStatement, [launchPlanId], tx);
  return row?.id ?? null;
}

const openOfName = `
  select execution.id, execution.awaits_slot and execution.phase = 'QUEUED' as waits, execution.created_at
    from launch_plans as plan
    join executions as execution on execution.launch_plan_id = plan.id and execution.ended_at is null
   where plan.entity_id = $1::uuid`;

export interface OpenExecution {
  readonly id: string;
  readonly waits: boolean;
}

const listOpenStatement = statement<OpenExecution>(
  `select id, waits from (${openOfName}) as open order by created_at, id`,
);

/** The executions of a launch plan that have not ended, oldest first. */
export function listOpenExecutions(tx: Tx, nameId: string): Promise<OpenExecution[]> {
  return run(listOpenStatement, [nameId], tx);
}

const freeStatement = statement<{ id: string }>(
  `with open as (${openOfName}),
   running as (select count(*) as count from open where not waits),
   waiting as (select id, row_number() over (order by created_at, id) as position from open where waits),
   freed as (
     update executions as execution set awaits_slot = false, advance_at = now()
       from waiting cross join running
      where execution.id = waiting.id and running.count + waiting.position <= execution.max_concurrent
     returning execution.id
   )
   select id, ${notifySql('advance', 'freed.id')} from freed`,
);

/** Lets waiting executions run, oldest first, while their limit allows it. @returns their ids. */
export async function freeWaiting(tx: Tx, nameId: string): Promise<string[]> {
  return (await run(freeStatement, [nameId], tx)).map((row) => row.id);
}

const waitingPlans = statement<{ id: string }>(
  `select distinct on (plan.entity_id) plan.id
     from executions as execution join launch_plans as plan on plan.id = execution.launch_plan_id
    where execution.awaits_slot and execution.phase = 'QUEUED' limit $1`,
);

/** Launch plans with executions that wait: one version of each. */
export async function listPlansWithWaiting(limit: number): Promise<string[]> {
  return (await run(waitingPlans, [limit])).map((row) => row.id);
}

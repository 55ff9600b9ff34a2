import { run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { groupBy } from '../../platform/group-by.ts';
import { newId } from '../../platform/ids.ts';
import { phasesOf, type Trigger } from '../domain/triggers.ts';
import { type StartStatus, startStatusColumns } from './start-status.ts';

/** The triggers of the active versions of launch plans. Other triggers start nothing and have no rows. */

export interface TriggerRow extends StartStatus {
  readonly id: string;
  readonly launchPlanId: string;
  readonly position: number;
}

const columns = `
  trigger.id, trigger.launch_plan_id as "launchPlanId", trigger.position, ${startStatusColumns('trigger')}`;

const readStatement = statement<TriggerRow>(
  `select ${columns} from launch_plan_triggers as trigger where trigger.launch_plan_id = any($1::uuid[])`,
);

/** The acting triggers of each version, in the order of the ids; none if it is not active. */
export async function readTriggers(launchPlanIds: readonly string[]): Promise<TriggerRow[][]> {
  const rows = await run(readStatement, [launchPlanIds]);
  const byPlan = groupBy(rows, (row) => row.launchPlanId);
  return launchPlanIds.map((id) => byPlan.get(id) ?? []);
}

export interface ActiveTrigger extends TriggerRow {
  readonly tenantId: string;
  readonly definition: Trigger;
}

const findStatement = statement<ActiveTrigger>(
  `select ${columns}, trigger.tenant_id as "tenantId", plan.spec->'triggers'->trigger.position as definition
     from launch_plan_triggers as trigger join launch_plans as plan on plan.id = trigger.launch_plan_id
    where trigger.id = $1::uuid`,
);

/** Null if the version is not active any more, or was activated again. */
export async function findTrigger(id: string): Promise<ActiveTrigger | null> {
  const [row] = await run(findStatement, [id]);
  return row ?? null;
}

const keepStatement = statement<{ id: string }>(
  'select id from launch_plan_triggers where id = $1::uuid and paused_at is null for key share',
);

/** Keeps a trigger until the transaction ends: a deactivation or pause waits. @returns false if it is gone or paused. */
export const keepTrigger = async (tx: Tx, id: string): Promise<boolean> =>
  (await run(keepStatement, [id], tx)).length > 0;

/** Who paused the triggers of a name, when and why; all null if nobody did. */
export type TriggerPause = Pick<StartStatus, 'pausedAt' | 'pausedById' | 'pauseReason'>;

const startStatement = statement<{ id: string }>(
  `insert into launch_plan_triggers (id, tenant_id, entity_id, launch_plan_id, position, source_project,
     source_domain, source_name, phases, activated_by_id, activated_at, paused_at, paused_by_id, pause_reason)
   select asked.id, $1::uuid, $2::uuid, $3::uuid, asked.position, asked.project, asked.domain, asked.name,
          asked.phases, $4::uuid, now(), $6::timestamptz, $7::uuid, $8
     from json_to_recordset($5::json) as asked(
            id uuid, position int, project text, domain text, name text, phases execution_phase[])
   returning id`,
);

/** Starts the triggers of a version. A pause of the triggers before them stays. */
export async function startTriggers(
  tx: Tx,
  plan: { readonly id: string; readonly tenantId: string; readonly entityId: string },
  userId: string,
  triggers: readonly Trigger[],
  { pausedAt, pausedById, pauseReason }: TriggerPause,
): Promise<void> {
  const asked = triggers.map((trigger, position) => ({
    id: newId(),
    position,
    ...trigger.launchPlan,
    phases: phasesOf(trigger),
  }));
  const pause = [pausedAt, pausedById, pauseReason];
  const values = [plan.tenantId, plan.entityId, plan.id, userId, JSON.stringify(asked), ...pause];
  await run(startStatement, values, tx);
}

const endOfNameStatement = statement<TriggerPause>(
  `delete from launch_plan_triggers where entity_id = $1::uuid
   returning paused_at as "pausedAt", paused_by_id as "pausedById", pause_reason as "pauseReason"`,
);
const endOfVersionStatement = statement<{ id: string }>(
  'delete from launch_plan_triggers where launch_plan_id = $1::uuid returning id',
);

const notPaused: TriggerPause = { pausedAt: null, pausedById: null, pauseReason: null };

/** Ends the triggers of a name, whichever version they belong to. @returns their pause. */
export async function endTriggersOfName(tx: Tx, entityId: string): Promise<TriggerPause> {
  const [ended = notPaused] = await run(endOfNameStatement, [entityId], tx);
  return ended;
}

/** Ends the triggers of one version. The triggers of another version stay. */
export const endTriggersOfVersion = (tx: Tx, launchPlanId: string) =>
  run(endOfVersionStatement, [launchPlanId], tx);

const lockStatement = statement<{ id: string }>(
  'select id from launch_plan_triggers where launch_plan_id = $1::uuid order by id for update',
);

/**
 * Locks the acting triggers of a version until the transaction ends, after all executions that they start now are stored.
 *
 * @returns false if it has none.
 */
export const lockTriggers = async (tx: Tx, launchPlanId: string): Promise<boolean> =>
  (await run(lockStatement, [launchPlanId], tx)).length > 0;

const pauseStatement = statement<{ id: string }>(
  `update launch_plan_triggers set paused_at = now(), paused_by_id = $2::uuid, pause_reason = $3
    where launch_plan_id = $1::uuid and paused_at is null returning id`,
);

/** Pauses the triggers of a version that are not paused. */
export const pauseTriggers = (tx: Tx, launchPlanId: string, userId: string, reason: string) =>
  run(pauseStatement, [launchPlanId, userId, reason], tx);

const resumeStatement = statement<{ id: string }>(
  `update launch_plan_triggers set paused_at = null, paused_by_id = null, pause_reason = null
    where launch_plan_id = $1::uuid returning id`,
);

export const resumeTriggers = (tx: Tx, launchPlanId: string) => run(resumeStatement, [launchPlanId], tx);

const failureStatement = statement<{ id: string }>(
  `update launch_plan_triggers set error_code = $2, error_message = $3, error_at = now()
    where id = $1::uuid returning id`,
);

/** Stores why an execution could not be started. */
export const recordTriggerFailure = (
  tx: Tx,
  id: string,
  { code, message }: { readonly code: string; readonly message: string },
) => run(failureStatement, [id, code, message], tx);

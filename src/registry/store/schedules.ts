import { run, statement } from '../../platform/database/statement.ts';
import { notifySql } from '../../platform/database/topics.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { newId } from '../../platform/ids.ts';
import type { Schedule } from '../domain/schedules.ts';
import { type StartStatus, startStatusColumns } from './start-status.ts';

/**
 * The schedules that run: one row for each launch plan with an active version that has a schedule. All times are of the
 * database's clock, because several schedulers compare them.
 */

export interface ScheduleRow extends StartStatus {
  readonly id: string;
  readonly launchPlanId: string;
  readonly lastSlotAt: Date;
  readonly firedSlotAt: Date | null;
  readonly skippedSlotAt: Date | null;
  readonly lostSlotAt: Date | null;
  readonly attempts: number;
  readonly errorSlotAt: Date | null;
  readonly schedule: Schedule;
}

const columns = `
  schedule.id, schedule.launch_plan_id as "launchPlanId", ${startStatusColumns('schedule')},
  schedule.last_slot_at as "lastSlotAt",
  schedule.fired_slot_at as "firedSlotAt", schedule.skipped_slot_at as "skippedSlotAt",
  schedule.lost_slot_at as "lostSlotAt", schedule.attempts, schedule.error_slot_at as "errorSlotAt",
  plan.spec->'entityMetadata'->'schedule' as schedule`;

const readStatement = statement<ScheduleRow>(
  `select ${columns} from launch_plan_schedules as schedule
     join launch_plans as plan on plan.id = schedule.launch_plan_id
    where schedule.launch_plan_id = any($1::uuid[])`,
);

/** The running schedule of each version, in the order of the ids; null if it has none. */
export async function readSchedules(launchPlanIds: readonly string[]): Promise<(ScheduleRow | null)[]> {
  const rows = await run(readStatement, [launchPlanIds]);
  const byPlan = new Map(rows.map((row) => [row.launchPlanId, row]));
  return launchPlanIds.map((id) => byPlan.get(id) ?? null);
}

const nowStatement = statement<{ now: Date }>(`select now()::timestamptz(3) as now`);

/** The time at which the transaction began. */
export async function readNow(tx: Tx): Promise<Date> {
  const [row] = await run(nowStatement, [], tx);
  if (!row) throw new Error('the database did not tell the time');
  return row.now;
}

const startStatement = statement<{ id: string }>(
  `with started as (
     insert into launch_plan_schedules as schedule
       (id, tenant_id, entity_id, launch_plan_id, activated_by_id, activated_at, last_slot_at, wake_at)
     values ($1::uuid, $2::uuid, $3::uuid, $4::uuid, $5::uuid, $6::timestamptz, $6::timestamptz, $7::timestamptz)
     on conflict (entity_id) do update
        set launch_plan_id = excluded.launch_plan_id, activated_by_id = excluded.activated_by_id,
            activated_at = excluded.activated_at, last_slot_at = excluded.last_slot_at,
            wake_at = case when schedule.paused_at is null then excluded.wake_at end,
            claim_id = null, fired_slot_at = null, skipped_slot_at = null, lost_slot_at = null, attempts = 0,
            error_slot_at = null, error_code = null, error_message = null, error_at = null
     returning id
   )
   select id, ${notifySql('schedule', 'id')} from started`,
);

/** Starts the schedule of a version in place of the schedule of another version. A pause stays. */
export async function startSchedule(
  tx: Tx,
  plan: { readonly id: string; readonly tenantId: string; readonly entityId: string },
  start: { readonly userId: string; readonly now: Date; readonly firstSlot: Date | null },
): Promise<void> {
  const values = [newId(), plan.tenantId, plan.entityId, plan.id, start.userId, start.now, start.firstSlot];
  await run(startStatement, values, tx);
}

const endOfNameStatement = statement<{ id: string }>(
  'delete from launch_plan_schedules where entity_id = $1::uuid returning id',
);
const endOfVersionStatement = statement<{ id: string }>(
  'delete from launch_plan_schedules where launch_plan_id = $1::uuid returning id',
);

/** Ends the schedule of a name, whichever version it belongs to. */
export const endScheduleOfName = (tx: Tx, entityId: string) => run(endOfNameStatement, [entityId], tx);

/** Ends the schedule of one version. The schedule of another version stays. */
export const endScheduleOfVersion = (tx: Tx, launchPlanId: string) =>
  run(endOfVersionStatement, [launchPlanId], tx);

/** A schedule that its transaction has locked. */
export interface LockedSchedule extends ScheduleRow {
  readonly now: Date;
}

const lockStatement = statement<LockedSchedule>(
  `select ${columns}, now()::timestamptz(3) as now from launch_plan_schedules as schedule
     join launch_plans as plan on plan.id = schedule.launch_plan_id
    where schedule.launch_plan_id = $1::uuid for update of schedule`,
);

/** Locks the running schedule of a version until the transaction ends; null if it has none. */
export async function lockSchedule(tx: Tx, launchPlanId: string): Promise<LockedSchedule | null> {
  const [row] = await run(lockStatement, [launchPlanId], tx);
  return row ?? null;
}

const pauseStatement = statement<{ id: string }>(
  `update launch_plan_schedules
      set paused_at = now(), paused_by_id = $2::uuid, pause_reason = $3, wake_at = null, claim_id = null
    where id = $1::uuid returning id`,
);

export const pauseSchedule = (tx: Tx, id: string, userId: string, reason: string) =>
  run(pauseStatement, [id, userId, reason], tx);

const resumeStatement = statement<{ id: string }>(
  `with resumed as (
     update launch_plan_schedules
        set paused_at = null, paused_by_id = null, pause_reason = null, last_slot_at = $2::timestamptz,
            skipped_slot_at = coalesce($3::timestamptz, skipped_slot_at), wake_at = $4::timestamptz, attempts = 0
      where id = $1::uuid returning id
   )
   select id, ${notifySql('schedule', 'id')} from resumed`,
);

export interface Resumption {
  readonly lastSlot: Date;
  readonly skipped: Date | null;
  readonly wakeAt: Date | null;
}

export const resumeSchedule = (tx: Tx, id: string, { lastSlot, skipped, wakeAt }: Resumption) =>
  run(resumeStatement, [id, lastSlot, skipped, wakeAt], tx);

/** A due schedule, or one that becomes due soon, in milliseconds from now. */
export interface DueSchedule {
  readonly id: string;
  readonly inMs: number;
}

const dueStatement = statement<DueSchedule>(
  `select id, greatest(0, ceil(extract(epoch from wake_at - now()) * 1000))::int as "inMs"
     from launch_plan_schedules where wake_at <= now() + $1 * interval '1 millisecond' order by wake_at limit $2`,
);

/** The schedules that become due within this time, the earliest first. */
export const listDueSchedules = (withinMs: number, limit: number) => run(dueStatement, [withinMs, limit]);

/** A schedule that this scheduler works on. Until the claim ends, other schedulers leave it alone. */
export interface ClaimedSchedule extends ScheduleRow {
  readonly tenantId: string;
  readonly claimId: string;
  readonly now: Date;
}

/** How long a claim lasts. If a scheduler dies, another one goes on with its schedules after this. */
const CLAIM_SECONDS = 30;

const claimStatement = statement<ClaimedSchedule>(
  `with free as (
     select id from launch_plan_schedules where id = $1::uuid and wake_at <= now() for update skip locked
   ),
   claimed as (
     update launch_plan_schedules as schedule
        set claim_id = $2::uuid, wake_at = now() + ${CLAIM_SECONDS} * interval '1 second'
       from free where schedule.id = free.id returning schedule.*
   )
   select ${columns}, schedule.tenant_id as "tenantId", schedule.claim_id as "claimId",
          now()::timestamptz(3) as now
     from claimed as schedule join launch_plans as plan on plan.id = schedule.launch_plan_id`,
);

/** Claims a schedule that is due. Null if it is not due (any more), or if another scheduler has it. */
export async function claimSchedule(id: string): Promise<ClaimedSchedule | null> {
  const [row] = await run(claimStatement, [id, newId()]);
  return row ?? null;
}

/** What became of slots. */
export interface SlotProgress {
  /** All slots up to this one are done. */
  readonly lastSlot: Date;
  /** Whether this slot has an execution. */
  readonly isFired: boolean;
  readonly skipped: Date | null;
  /** When to look again; null if there is no slot any more. Undefined keeps the claim, because more slots are due. */
  readonly wakeAt: Date | null | undefined;
}

const progressStatement = statement<{ id: string }>(
  `update launch_plan_schedules
      set last_slot_at = $3::timestamptz,
          fired_slot_at = case when $4::boolean then $3::timestamptz else fired_slot_at end,
          skipped_slot_at = coalesce($5::timestamptz, skipped_slot_at),
          attempts = 0,
          error_slot_at = case when $4::boolean and lost_slot_at is distinct from error_slot_at
                               then null else error_slot_at end,
          error_code = case when $4::boolean and lost_slot_at is distinct from error_slot_at
                            then null else error_code end,
          error_message = case when $4::boolean and lost_slot_at is distinct from error_slot_at
                               then null else error_message end,
          error_at = case when $4::boolean and lost_slot_at is distinct from error_slot_at
                          then null else error_at end,
          wake_at = case when $6::boolean then now() + ${CLAIM_SECONDS} * interval '1 second'
                         else $7::timestamptz end,
          claim_id = case when $6::boolean then claim_id end
    where id = $1::uuid and claim_id = $2::uuid returning id`,
);

/**
 * Stores what became of slots, if the claim is still valid.
 *
 * @returns false if it is not: the schedule was ended, restarted or paused, or another scheduler has it.
 */
export async function recordSlots(
  { id, claimId }: { readonly id: string; readonly claimId: string },
  { lastSlot, isFired, skipped, wakeAt }: SlotProgress,
  tx?: Tx,
): Promise<boolean> {
  const keepsClaim = wakeAt === undefined;
  const values = [id, claimId, lastSlot, isFired, skipped, keepsClaim, wakeAt ?? null];
  return (await run(progressStatement, values, tx)).length > 0;
}

export interface SlotFailure {
  readonly slot: Date;
  readonly code: string;
  readonly message: string;
  readonly isLost: boolean;
  readonly retrySeconds: number;
}

const failureStatement = statement<{ id: string }>(
  `update launch_plan_schedules
      set attempts = case when $6::boolean then 0 else attempts + 1 end,
          last_slot_at = case when $6::boolean then $3::timestamptz else last_slot_at end,
          lost_slot_at = case when $6::boolean then $3::timestamptz else lost_slot_at end,
          error_slot_at = $3::timestamptz, error_code = $4, error_message = $5, error_at = now(),
          wake_at = now() + $7 * interval '1 second', claim_id = null
    where id = $1::uuid and claim_id = $2::uuid returning id`,
);

/** Stores that a slot has failed. It is tried again later, or given up (`isLost`). */
export async function recordSlotFailure(
  { id, claimId }: { readonly id: string; readonly claimId: string },
  { slot, code, message, isLost, retrySeconds }: SlotFailure,
): Promise<void> {
  await run(failureStatement, [id, claimId, slot, code, message, isLost, retrySeconds]);
}

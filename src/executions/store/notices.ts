import type { ExecutionPhase } from '../../generated/prisma/enums.ts';
import { run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import type { WorkErrorColumns } from '../../platform/work-error.ts';
import type { EntityKey } from '../../registry/domain/entity-keys.ts';
import type { Notification } from '../../registry/domain/notifications.ts';

/** The end of an execution that must be notified. */
export interface Notice extends WorkErrorColumns {
  readonly id: string;
  readonly tenantId: string;
  readonly projectId: string;
  readonly project: string;
  readonly domain: string;
  readonly name: string;
  readonly phase: ExecutionPhase;
  readonly abortCause: string | null;
  readonly scheduledAt: Date | null;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
  readonly notifications: readonly Notification[];
  readonly workflow: EntityKey | null;
  readonly launchPlan: EntityKey | null;
}

const dueStatement = statement<{ id: string }>(
  'select id from executions where notify_at is not null order by notify_at limit $1',
);

/** Executions that have ended and whose notifications are not planned yet, oldest first. */
export async function listNotices(limit: number): Promise<string[]> {
  return (await run(dueStatement, [limit])).map((row) => row.id);
}

const key = (version: string) =>
  `case when ${version}.id is not null then json_build_object('project', ${version}_project.identifier,
     'domain', ${version}.domain, 'name', ${version}.name, 'version', ${version}.version) end`;

const takeStatement = statement<Notice>(
  `with free as (
     select id from executions where id = $1::uuid and notify_at is not null for update skip locked
   ),
   taken as (
     update executions as execution set notify_at = null from free where execution.id = free.id
     returning execution.*
   )
   select taken.id, taken.tenant_id as "tenantId", taken.project_id as "projectId", project.identifier as project,
          taken.domain, taken.name, taken.phase::text as phase, taken.abort_cause as "abortCause",
          taken.scheduled_at as "scheduledAt", taken.started_at as "startedAt", taken.ended_at as "endedAt",
          taken.error_code as "errorCode", taken.error_message as "errorMessage",
          taken.error_kind::text as "errorKind", taken.notifications,
          ${key('workflow')} as workflow, ${key('plan')} as "launchPlan"
     from taken
     join projects as project on project.id = taken.project_id
     left join workflows as workflow on workflow.id = taken.workflow_id
     left join projects as workflow_project on workflow_project.id = workflow.project_id
     left join launch_plans as plan on plan.id = taken.launch_plan_id
     left join projects as plan_project on plan_project.id = plan.project_id`,
);

/**
 * Takes the notice of an execution: until the transaction ends, nobody else gets it, and afterwards it is gone. Null if
 * there is none.
 */
export async function takeNotice(tx: Tx, executionId: string): Promise<Notice | null> {
  const [row] = await run(takeStatement, [executionId], tx);
  return row ?? null;
}

const notificationsStatement = statement<{
  readonly id: string;
  readonly notifications: readonly Notification[] | null;
}>('select id, notifications from executions where id = any($1::uuid[])');

/** Whom to tell about the end of each execution, in the order of the ids. */
export async function readNotifications(ids: readonly string[]): Promise<(readonly Notification[])[]> {
  const rows = await run(notificationsStatement, [ids]);
  const byId = new Map(rows.map((row) => [row.id, row.notifications]));
  return ids.map((id) => byId.get(id) ?? []);
}

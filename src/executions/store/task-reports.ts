import type { ExecutionEngine, ExecutionPhase, TaskExecutionPhase } from '../../generated/prisma/enums.ts';
import { run, statement } from '../../platform/database/statement.ts';
import { notifySql } from '../../platform/database/topics.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import type { WorkError } from '../../platform/work-error.ts';
import type { EntityKey } from '../../registry/domain/entity-keys.ts';
import type { TaskDetails } from '../domain/task-details.ts';
import { taskColumns } from './columns.ts';
import type { TaskExecutionRow } from './reads.ts';

/**
 * The reports of engines from outside about attempts: one statement reads what decides about many of them, and one
 * statement stores those that are accepted. Nothing is locked in between. So the second statement locks, compares what
 * has decided, and stores a report only if nothing of it has changed.
 */

/** Where a report belongs. */
export interface AttemptAddress {
  readonly executionId: string;
  readonly nodeId: string;
  readonly task: EntityKey;
  readonly attempt: number;
}

interface KnownAttempt {
  readonly id: string;
  readonly phase: TaskExecutionPhase;
  readonly phaseVersion: number;
  readonly details: TaskDetails | null;
}

/** What decides about a report. */
export interface ReportedAttempt {
  readonly engine: ExecutionEngine;
  readonly phase: ExecutionPhase;
  readonly cluster: string | null;
  /** Null if the execution has no such node. */
  readonly nodeExecutionId: string | null;
  /** Null if the attempt has no row yet. */
  readonly known: KnownAttempt | null;
}

interface ReportedRow extends Omit<ReportedAttempt, 'known'> {
  readonly position: number;
  readonly taskId: string | null;
  readonly taskPhase: TaskExecutionPhase;
  readonly phaseVersion: number;
  readonly details: TaskDetails | null;
}

const readStatement = statement<ReportedRow>(
  `select asked."position", execution.engine::text as engine, execution.phase::text as phase, execution.cluster,
          node.id as "nodeExecutionId", task.id as "taskId", task.phase::text as "taskPhase",
          task.phase_version as "phaseVersion", task.details
     from json_to_recordset($1::json) as asked(
            "position" int, "executionId" uuid, "nodeId" text, task jsonb, attempt int)
     join executions as execution on execution.id = asked."executionId"
     left join node_executions as node
       on (node.execution_id, node.node_id) = (asked."executionId", asked."nodeId")
     left join task_executions as task
       on (task.node_execution_id, task.retry_attempt) = (node.id, asked.attempt)
      and (task.task_project, task.task_domain) = (asked.task->>'project', asked.task->>'domain')
      and (task.task_name, task.task_version) = (asked.task->>'name', asked.task->>'version')`,
);

/** What decides about each report, in their order. Null if the execution does not exist. */
export async function readReported(
  addresses: readonly AttemptAddress[],
  tx?: Tx,
): Promise<(ReportedAttempt | null)[]> {
  const asked = addresses.map(({ executionId, nodeId, task, attempt }, position) => ({
    ...{ position, executionId, nodeId, attempt },
    task: { project: task.project, domain: task.domain, name: task.name, version: task.version },
  }));
  const rows = await run(readStatement, [JSON.stringify(asked)], tx);
  const found: (ReportedAttempt | null)[] = addresses.map(() => null);
  for (const { position, taskId, taskPhase, phaseVersion, details, ...decisive } of rows) {
    const known = taskId === null ? null : { id: taskId, phase: taskPhase, phaseVersion, details };
    found[position] = { ...decisive, known };
  }
  return found;
}

/** A report that is accepted. */
export interface AcceptedReport extends AttemptAddress {
  /** The id of the row, also of one that is created. */
  readonly id: string;
  readonly nodeExecutionId: string;
  /** The engine of the execution when the report was judged. */
  readonly cluster: string | null;
  /** The phase and the version of the attempt when the report was judged; null if it had no row. */
  readonly knownPhase: TaskExecutionPhase | null;
  readonly knownVersion: number | null;
  /** Only for a row that is created. Null for a task that is not registered. */
  readonly taskId: string | null;
  readonly to: TaskExecutionPhase;
  readonly phaseVersion: number;
  readonly at: Date;
  /** When the attempt has ended; null if it goes on. */
  readonly endedAt: Date | null;
  readonly updatedAt: Date;
  readonly reason: string | null;
  readonly details: TaskDetails;
  /** The inputs of the node, which its attempts share. The first ones are kept. */
  readonly inputs: object | null;
  readonly outputs: object | null;
  readonly error: WorkError | null;
}

/** Only a report that changes the phase is a move, which has an event. */
const isMove = 'asked."knownPhase" is distinct from asked."to"';

/** Whether its attempt is then the latest one of its node. */
const isLatest = '(applied."isMove" and coalesce(node.latest_attempt, 0) <= applied.attempt)';

/**
 * Locks the executions first, in the order of their ids, as everything that changes nodes and attempts does; what it
 * compares is compared with the rows as they are then.
 */
const storeStatement = statement<TaskExecutionRow>(
  `with asked as materialized (
     select * from json_to_recordset($1::json) as asked(
       "position" int, id uuid, "executionId" uuid, "nodeExecutionId" uuid, "nodeId" text, cluster text,
       "knownPhase" task_execution_phase, "knownVersion" int, "taskId" uuid, task jsonb, attempt int,
       "to" task_execution_phase, "phaseVersion" int, at timestamptz, "endedAt" timestamptz, "updatedAt" timestamptz,
       reason text, details json, inputs json, outputs json, error jsonb)
   ),
   parent as materialized (
     select id, tenant_id, cluster from executions where id in (select "executionId" from asked) order by id for update
   ),
   believed as materialized (
     select asked.*, parent.tenant_id, ${isMove} as "isMove"
       from asked join parent on parent.id = asked."executionId" and parent.cluster is not distinct from asked.cluster
   ),
   updated as (
     update task_executions as task
        set phase = asked."to",
            phase_version = asked."phaseVersion",
            details = asked.details,
            reason = coalesce(asked.reason, task.reason),
            updated_at = asked."updatedAt",
            outputs = case when asked."isMove" then coalesce(asked.outputs, task.outputs) else task.outputs end,
            error_code = case when asked."isMove" then asked.error->>'code' else task.error_code end,
            error_message = case when asked."isMove" then asked.error->>'message' else task.error_message end,
            error_kind = case when asked."isMove" then (asked.error->>'kind')::error_kind else task.error_kind end,
            started_at = case when asked."isMove" and asked."to" = 'RUNNING' then coalesce(task.started_at, asked.at)
                              else task.started_at end,
            ended_at = case when not asked."isMove" then task.ended_at
                            when asked."endedAt" is not null then greatest(asked."endedAt", task.started_at) end
       from believed as asked
      where task.id = asked.id and task.phase = asked."knownPhase" and task.phase_version = asked."knownVersion"
     returning ${taskColumns.all}
   ),
   created as (
     insert into task_executions as task (id, tenant_id, execution_id, node_execution_id, task_id, task_project,
       task_domain, task_name, task_version, retry_attempt, phase, phase_version, details, outputs, error_code,
       error_message, error_kind, reason, started_at, ended_at, created_at, updated_at)
     select id, tenant_id, "executionId", "nodeExecutionId", "taskId", task->>'project', task->>'domain', task->>'name',
            task->>'version', attempt, "to", "phaseVersion", details, outputs, error->>'code', error->>'message',
            (error->>'kind')::error_kind, reason, case when "to" = 'RUNNING' then at end, "endedAt", at, "updatedAt"
       from believed where "knownPhase" is null
     on conflict do nothing
     returning ${taskColumns.all}
   ),
   stored as materialized (select * from updated union all select * from created),
   applied as materialized (select * from believed where id in (select id from stored)),
   latest as (
     update node_executions as node
        set latest_task_execution_id = case when ${isLatest} then applied.id else node.latest_task_execution_id end,
            latest_attempt = case when ${isLatest} then applied.attempt else node.latest_attempt end,
            latest_task_phase = case when ${isLatest} then applied."to" else node.latest_task_phase end,
            inputs = coalesce(node.inputs, applied.inputs)
       from applied
      where node.id = applied."nodeExecutionId"
        and (${isLatest} or (applied.inputs is not null and node.inputs is null))
   ),
   bumped as (
     update executions as execution
        set last_sequence = execution.last_sequence + moved.count, updated_at = now()
       from (select "executionId" as id, count(*) as count from applied where "isMove" group by 1) as moved
      where execution.id = moved.id
     returning execution.id, execution.tenant_id, execution.last_sequence - moved.count as base
   ),
   recorded as (
     insert into execution_events (execution_id, sequence, tenant_id, kind, phase, node_id, attempt, error, reason,
       occurred_at)
     select bumped.id, bumped.base + row_number() over (partition by bumped.id order by applied."position"),
            bumped.tenant_id, 'TASK', applied."to"::text, applied."nodeId", applied.attempt, applied.error,
            applied.reason, applied.at
       from applied join bumped on bumped.id = applied."executionId"
      where applied."isMove"
   )
   select stored.*, (select max(${notifySql('execution', 'bumped.id')}) from bumped) from stored`,
);

/**
 * Stores reports about different nodes, with their events.
 *
 * @returns the rows of the attempts by their ids. The report of a missing one was not stored, because another report
 * about the same attempt, or the engine of the execution, has changed what decided about it.
 */
export async function storeReports(
  reports: readonly AcceptedReport[],
  tx?: Tx,
): Promise<Map<string, TaskExecutionRow>> {
  if (reports.length === 0) return new Map();
  const asked = reports.map((report, position) => ({ position, ...report }));
  const rows = await run(storeStatement, [JSON.stringify(asked)], tx);
  return new Map(rows.map((row) => [row.id, row]));
}

import type {
  ExecutionPhase,
  NodeExecutionPhase,
  NodeKind,
  TaskExecutionPhase,
} from '../../generated/prisma/enums.ts';
import { run, statement } from '../../platform/database/statement.ts';
import { notifySql } from '../../platform/database/topics.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { isTerminal } from '../../platform/phase-table.ts';
import type { WorkError } from '../../platform/work-error.ts';
import type { EntityKey } from '../../registry/domain/entity-keys.ts';
import { executionPhases, isEndOfAttempt, nodeExecutionPhases } from '../domain/phases.ts';

/**
 * The three statements that move an execution, its nodes and its attempts. Each statement moves the rows whose phase
 * allows it, updates the columns that depend on them (counts by phase, the latest attempt of a node), numbers and
 * writes the events, and notifies the listeners: all or nothing. Nothing ends before it has started, also if the clock
 * of an executor went back in between.
 *
 * The execution's row is the parent of its events. To move nodes or attempts, the caller must have locked it
 * (`lockExecution`), so that rows of another transaction are seen.
 */

interface Move<Phase, Failure = WorkError> {
  /** The id of the row; for a node or attempt, of the row that is created if there is none. */
  readonly id: string;
  readonly to: Phase;
  readonly from: readonly Phase[];
  readonly at: Date;
  readonly outputs?: object | null;
  readonly error?: Failure | null;
}

export interface ExecutionMove extends Move<ExecutionPhase, WorkError & { readonly nodeId?: string | null }> {
  /** The request of a user to abort the execution, for which the scheduler gives it a turn. */
  readonly abort?: {
    readonly cause: string;
    readonly principalId: string;
    /** Whether not to wait until the work has stopped. Once forced, it stays so. */
    readonly isForced?: boolean;
  } | null;
  /** Where an engine from outside keeps the outputs. */
  readonly outputUri?: string | null;
  /** Whether the result of the work takes the place of an earlier request to abort it. */
  readonly forgetsAbort?: boolean;
}

export interface Moved<P> {
  readonly before: P;
  /** The new phase; null if the old phase did not allow the move. */
  readonly after: P | null;
}

export interface MovedExecution extends Moved<ExecutionPhase> {
  readonly id: string;
}

const moveExecutionsStatement = statement<MovedExecution>(
  `with before as materialized (
     select id, tenant_id, phase from executions where id = any($1::uuid[]) order by id for update
   ),
   moved as (
     update executions as execution
        set phase = $2::execution_phase,
            last_sequence = execution.last_sequence + 1,
            started_at = case when $2 = 'RUNNING' then coalesce(execution.started_at, $4::timestamptz)
                              else execution.started_at end,
            ended_at = case when $8::boolean then greatest($4::timestamptz, execution.started_at) end,
            updated_at = $4::timestamptz,
            outputs = coalesce($5::json, execution.outputs),
            output_uri = coalesce($10, execution.output_uri),
            error_code = coalesce($6::jsonb->>'code', execution.error_code),
            error_message = coalesce($6::jsonb->>'message', execution.error_message),
            error_kind = coalesce(($6::jsonb->>'kind')::error_kind, execution.error_kind),
            error_node_id = coalesce($6::jsonb->>'nodeId', execution.error_node_id),
            abort_cause = case when $9::boolean then null
                               else coalesce($7::jsonb->>'cause', execution.abort_cause) end,
            abort_principal_id = case when $9::boolean then null else
              coalesce(($7::jsonb->>'principalId')::uuid, execution.abort_principal_id) end,
            abort_is_forced = not $9::boolean
              and (execution.abort_is_forced or coalesce(($7::jsonb->>'isForced')::boolean, false)),
            notify_at = case when $8::boolean and execution.notifications is not null then now()
                             else execution.notify_at end,
            advance_at = case when $7::jsonb is null then execution.advance_at else now() end
       from before
      where execution.id = before.id and execution.phase = any($3::text[]::execution_phase[])
     returning execution.id, execution.tenant_id, execution.phase, execution.last_sequence, execution.parent_node_id,
               execution.launch_plan_id, execution.max_concurrent, execution.notify_at,
               execution.abort_cause, execution.abort_principal_id, execution.phase in ('ABORTING', 'ABORTED') as stops
   ),
   recorded as (
     insert into execution_events (execution_id, sequence, tenant_id, kind, phase, error, reason, principal_id,
       occurred_at)
     select id, last_sequence, tenant_id, 'EXECUTION', phase::text, $6::jsonb, case when stops then abort_cause end,
            case when stops then abort_principal_id end, $4::timestamptz
       from moved
   ),
   fired as (
     insert into trigger_firings (tenant_id, trigger_id, source_execution_id)
     select moved.tenant_id, trigger.id, moved.id
       from moved join launch_plans as plan on plan.id = moved.launch_plan_id
       join projects as project on project.id = plan.project_id
       join launch_plan_triggers as trigger
         on (trigger.tenant_id, trigger.source_project, trigger.source_domain, trigger.source_name)
          = (plan.tenant_id, project.identifier, plan.domain, plan.name)
      where $8::boolean and moved.phase = any(trigger.phases) and trigger.paused_at is null
     returning id, source_execution_id
   ),
   freed as (
     update budget_shares as share set needs_look = true from moved where $8::boolean and share.execution_id = moved.id
   )
   select before.id, before.phase::text as before, moved.phase::text as after,
          case when moved.id is not null then ${notifySql('execution', 'moved.id')} end,
          case when moved.notify_at is not null then ${notifySql('notice', 'moved.id')} end,
          case when moved.id is not null and $7::jsonb is not null then ${notifySql('advance', 'moved.id')} end,
          case when $8::boolean and waiting.execution_id is not null
               then ${notifySql('advance', 'waiting.execution_id')} end,
          case when $8::boolean and moved.max_concurrent is not null
               then ${notifySql('slot', 'moved.launch_plan_id')} end,
          (select max(${notifySql('trigger', 'fired.id')}) from fired where fired.source_execution_id = moved.id)
     from before left join moved using (id)
     left join node_executions as waiting on waiting.id = moved.parent_node_id`,
);

/** @returns null if the execution does not exist. */
export async function moveExecution(
  { id, ...move }: ExecutionMove,
  tx?: Tx,
): Promise<Moved<ExecutionPhase> | null> {
  const [moved] = await moveExecutions([id], move, tx);
  return moved ?? null;
}

/** Moves several executions to the same phase. @returns those that exist. */
export async function moveExecutions(
  ids: readonly string[],
  move: Omit<ExecutionMove, 'id'>,
  tx?: Tx,
): Promise<MovedExecution[]> {
  if (ids.length === 0) return [];
  const values = [
    ids,
    move.to,
    move.from,
    move.at,
    move.outputs ? JSON.stringify(move.outputs) : null,
    move.error ? JSON.stringify(move.error) : null,
    move.abort ? JSON.stringify(move.abort) : null,
    isTerminal(executionPhases, move.to),
    move.forgetsAbort ?? false,
    move.outputUri ?? null,
  ];
  return await run(moveExecutionsStatement, values, tx);
}

export interface NodeMove extends Move<NodeExecutionPhase> {
  readonly nodeId: string;
  readonly inputs?: object | null;
  /** Why it is ABORTED, if no user has asked for it. */
  readonly reason?: string | null;
  /** Only for a row that is created. */
  readonly made?: NewNode;
}

/** The parts of a node that never change. */
export interface NewNode {
  readonly kind: NodeKind;
  /** The row of the node that contains it. */
  readonly parentId: string | null;
  readonly specNodeId: string;
  readonly itemIndex: number | null;
  readonly itemCount?: number | null;
  readonly wakeAt?: Date | null;
  /** The node of an earlier execution whose inputs and outputs it has. */
  readonly reusedId?: string | null;
}

export interface NodeMoved {
  readonly nodeExecutionId: string;
  readonly nodeId: string;
}

/** The execution, which the caller has locked. */
const parent = `parent as materialized (
     select id, tenant_id, abort_cause, abort_principal_id from executions where id = $1::uuid
   )`;

/** The request of a user that stopped a node: for the node itself, for one that contains it, or for the execution. */
const request = `left join lateral (
       select asking.abort_cause, asking.abort_principal_id
         from (select node_id, abort_cause, abort_principal_id from node_executions
                where execution_id = $1::uuid and ended_at is null and abort_cause is not null
               union all
               select '', abort_cause, abort_principal_id from parent where abort_cause is not null) as asking
        where moved.phase = 'ABORTED'
          and (asking.node_id in ('', moved.node_id) or starts_with(moved.node_id, asking.node_id || ':'))
        order by length(asking.node_id) desc limit 1
     ) as request on true`;

/** Takes as many event numbers as rows have moved. The numbers of the events follow `base`. */
const bumped = `bumped as (
     update executions as execution
        set last_sequence = execution.last_sequence + (select count(*) from moved), updated_at = now()
       from parent
      where execution.id = parent.id and exists (select from moved)
     returning execution.id, execution.tenant_id,
               execution.last_sequence - (select count(*) from moved) as base
   )`;

const moveNodesStatement = statement<NodeMoved>(
  `with asked as materialized (
     select * from json_to_recordset($2::json) as asked(
       "position" int, id uuid, "nodeId" text, "to" node_execution_phase, "from" node_execution_phase[],
       at timestamptz, "endedAt" timestamptz, inputs json, outputs json, error jsonb, reason text, kind node_kind,
       "parentId" uuid, "specNodeId" text, "itemIndex" int, "itemCount" int, "wakeAt" timestamptz, "reusedId" uuid)
   ),
   ${parent},
   before as materialized (
     select node.node_id, node.phase from node_executions as node join parent on node.execution_id = parent.id
       join asked on asked."nodeId" = node.node_id
   ),
   moved as (
     insert into node_executions as node (id, tenant_id, execution_id, node_id, kind, parent_id, spec_node_id,
       item_index, item_count, wake_at, phase, inputs, outputs, error_code, error_message, error_kind, started_at,
       ended_at, created_at, updated_at)
     select asked.id, parent.tenant_id, parent.id, asked."nodeId", coalesce(asked.kind, 'TASK'), asked."parentId",
            coalesce(asked."specNodeId", asked."nodeId"), asked."itemIndex",
            coalesce(asked."itemCount", reused.item_count), asked."wakeAt", asked."to",
            coalesce(asked.inputs, reused.inputs), coalesce(asked.outputs, reused.outputs),
            asked.error->>'code', asked.error->>'message', (asked.error->>'kind')::error_kind,
            case when asked."to" = 'RUNNING' then asked.at end,
            asked."endedAt", asked.at, asked.at
       from asked cross join parent left join node_executions as reused on reused.id = asked."reusedId"
     on conflict (execution_id, node_id) do update
        set phase = excluded.phase,
            inputs = coalesce(node.inputs, excluded.inputs),
            outputs = coalesce(excluded.outputs, node.outputs),
            error_code = excluded.error_code,
            error_message = excluded.error_message,
            error_kind = excluded.error_kind,
            started_at = coalesce(node.started_at, excluded.started_at),
            ended_at = case when excluded.ended_at is not null then greatest(excluded.ended_at, node.started_at) end,
            updated_at = excluded.updated_at
      where exists (select from asked where asked."nodeId" = excluded.node_id and node.phase = any(asked."from"))
     returning id, node_id, kind, parent_id, item_index, phase
   ),
   changes as materialized (
     select kind, parent_id, item_index, phase, 1 as by from moved
     union all
     select moved.kind, moved.parent_id, moved.item_index, before.phase, -1 from before join moved using (node_id)
   ),
   counted as (
     insert into node_phase_counts as counts (tenant_id, execution_id, kind, phase, count)
     select parent.tenant_id, parent.id, changes.kind, changes.phase, sum(changes.by)
       from parent cross join changes
      group by parent.tenant_id, parent.id, changes.kind, changes.phase
     having sum(changes.by) <> 0
     on conflict (execution_id, kind, phase) do update set count = counts.count + excluded.count
   ),
   counted_items as (
     insert into item_phase_counts as counts (tenant_id, node_execution_id, phase, count)
     select parent.tenant_id, changes.parent_id, changes.phase, sum(changes.by)
       from parent cross join changes where changes.item_index is not null
      group by parent.tenant_id, changes.parent_id, changes.phase
     having sum(changes.by) <> 0
     on conflict (node_execution_id, phase) do update set count = counts.count + excluded.count
   ),
   ${bumped},
   recorded as (
     insert into execution_events (execution_id, sequence, tenant_id, kind, phase, node_id, error, reason,
       principal_id, occurred_at)
     select bumped.id, bumped.base + row_number() over (order by asked."position"), bumped.tenant_id, 'NODE',
            moved.phase::text, moved.node_id, asked.error,
            case when moved.phase = 'ABORTED' then coalesce(request.abort_cause, asked.reason) end,
            request.abort_principal_id, asked.at
       from moved join asked on asked."nodeId" = moved.node_id cross join bumped
       ${request}
   )
   select moved.id as "nodeExecutionId", moved.node_id as "nodeId",
          ${notifySql('execution', 'bumped.id')}
     from moved cross join bumped`,
);

/**
 * Moves different nodes of one execution, in the given order, and creates missing rows. The caller must have locked the
 * execution.
 *
 * @returns the nodes that moved. The phases of the others did not allow it.
 */
export async function moveNodes(
  tx: Tx,
  executionId: string,
  moves: readonly NodeMove[],
): Promise<NodeMoved[]> {
  if (moves.length === 0) return [];
  const endOf = ({ to, at }: NodeMove) => (isTerminal(nodeExecutionPhases, to) ? at : null);
  const asked = moves.map(({ made, ...move }, position) => ({
    position,
    ...move,
    ...made,
    endedAt: endOf(move),
  }));
  return await run(moveNodesStatement, [executionId, JSON.stringify(asked)], tx);
}

export interface TaskMove extends Move<TaskExecutionPhase> {
  readonly nodeExecutionId: string;
  readonly nodeId: string;
  /** Null for a task that is not registered. */
  readonly taskId: string | null;
  readonly task: EntityKey;
  readonly attempt: number;
  readonly reason?: string | null;
}

export interface TaskMoved {
  readonly taskExecutionId: string;
  readonly nodeExecutionId: string;
  readonly attempt: number;
}

const moveTasksStatement = statement<TaskMoved>(
  `with asked as materialized (
     select * from json_to_recordset($2::json) as asked(
       "position" int, id uuid, "nodeExecutionId" uuid, "nodeId" text, "taskId" uuid, task jsonb, attempt int,
       "to" task_execution_phase, "from" task_execution_phase[], at timestamptz, "endedAt" timestamptz,
       reason text, outputs json, error jsonb)
   ),
   ${parent},
   moved as (
     insert into task_executions as task (id, tenant_id, execution_id, node_execution_id, task_id, task_project,
       task_domain, task_name, task_version, retry_attempt, phase, outputs, error_code, error_message, error_kind, reason, started_at, ended_at, created_at, updated_at)
     select asked.id, parent.tenant_id, parent.id, asked."nodeExecutionId", asked."taskId",
            asked.task->>'project', asked.task->>'domain', asked.task->>'name', asked.task->>'version',
            asked.attempt, asked."to", asked.outputs, asked.error->>'code', asked.error->>'message', (asked.error->>'kind')::error_kind,
            asked.reason, case when asked."to" = 'RUNNING' then asked.at end,
            asked."endedAt", asked.at, asked.at
       from asked cross join parent
     on conflict (node_execution_id, retry_attempt, task_project, task_domain, task_name, task_version) do update
        set phase = excluded.phase,
            outputs = coalesce(excluded.outputs, task.outputs),
            error_code = excluded.error_code,
            error_message = excluded.error_message,
            error_kind = excluded.error_kind,
            reason = coalesce(excluded.reason, task.reason),
            started_at = coalesce(task.started_at, excluded.started_at),
            ended_at = case when excluded.ended_at is not null then greatest(excluded.ended_at, task.started_at) end,
            updated_at = excluded.updated_at
      where exists (select from asked
                     where (asked."nodeExecutionId", asked.attempt) = (excluded.node_execution_id, excluded.retry_attempt)
                       and task.phase = any(asked."from"))
     returning id, node_execution_id, retry_attempt, phase
   ),
   latest as (
     update node_executions as node
        set latest_task_execution_id = moved.id, latest_attempt = moved.retry_attempt,
            latest_task_phase = moved.phase
       from moved
      where node.id = moved.node_execution_id and coalesce(node.latest_attempt, 0) <= moved.retry_attempt
   ),
   ${bumped},
   recorded as (
     insert into execution_events (execution_id, sequence, tenant_id, kind, phase, node_id, attempt, error, reason,
       occurred_at)
     select bumped.id, bumped.base + row_number() over (order by asked."position"), bumped.tenant_id, 'TASK',
            moved.phase::text, asked."nodeId", moved.retry_attempt, asked.error, asked.reason, asked.at
       from moved
       join asked on (asked."nodeExecutionId", asked.attempt) = (moved.node_execution_id, moved.retry_attempt)
      cross join bumped
   )
   select moved.id as "taskExecutionId", moved.node_execution_id as "nodeExecutionId",
          moved.retry_attempt as attempt, ${notifySql('execution', 'bumped.id')}
     from moved cross join bumped`,
);

/**
 * Moves attempts of different nodes of one execution, in the given order, and creates missing rows. The caller must
 * have locked the execution.
 *
 * @returns the attempts that moved. The phases of the others did not allow it.
 */
export async function moveTasks(
  tx: Tx,
  executionId: string,
  moves: readonly TaskMove[],
): Promise<TaskMoved[]> {
  if (moves.length === 0) return [];
  const endOf = ({ to, at }: TaskMove) => (isEndOfAttempt(to) ? at : null);
  const asked = moves.map((move, position) => ({ position, ...move, endedAt: endOf(move) }));
  return await run(moveTasksStatement, [executionId, JSON.stringify(asked)], tx);
}

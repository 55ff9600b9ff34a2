import type { ExecutionEngine, ExecutionMode } from '../../generated/prisma/enums.ts';
import { run, statement } from '../../platform/database/statement.ts';
import { notifySql } from '../../platform/database/topics.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import type { Notification } from '../../registry/domain/notifications.ts';
import type { ExecutionSpec } from '../domain/execution-spec.ts';
import { executionColumns } from './columns.ts';
import type { ExecutionRow } from './reads.ts';

export interface NewExecution {
  readonly id: string;
  readonly tenantId: string;
  readonly projectId: string;
  readonly domain: string;
  readonly name: string;
  readonly launchPlanId: string;
  readonly workflowId: string;
  readonly workflowEntityId: string;
  readonly principalId: string;
  readonly queue: string;
  /** The task, if it was asked to run a single one. */
  readonly taskId?: string | null;
  readonly maxParallelism: number;
  readonly interruptible: boolean | null;
  readonly overwriteCache: boolean;
  /** The other settings. Labels and tags are also stored apart, for filters. */
  readonly spec: ExecutionSpec;
  /** The engine from outside that must run it; null if any may. */
  readonly cluster?: string | null;
  /** MANUAL if left out. */
  readonly mode?: ExecutionMode;
  /** SLIPWAY if left out. */
  readonly engine?: ExecutionEngine;
  readonly referenceId?: string | null;
  readonly sourceId?: string | null;
  readonly parentNodeId?: string | null;
  readonly maxConcurrent?: number | null;
  /** False if left out. */
  readonly awaitsSlot?: boolean;
  /** The slot of the schedule that starts it. */
  readonly scheduledAt?: Date | null;
  /** Whom to tell about its end; null or left out for nobody. */
  readonly notifications?: readonly Notification[] | null;
  /** 0 if left out. */
  readonly nesting?: number;
  /** Of the executions above it; left out if there are none. */
  readonly budgetIds?: readonly string[];
  readonly budgetLimit?: number | null;
  readonly userInputs: object;
  readonly inputs: object;
}

/** The time after which a number of milliseconds in the spec is over; null if the spec does not have it. */
const after = (field: keyof ExecutionSpec) =>
  `now() + (spec->>'${field}')::float8 * interval '1 millisecond'`;

/**
 * The triggers that have led to the execution are copied from the one that it comes from. If that one was deleted
 * meanwhile, its foreign key refuses the new one.
 */
const insertStatement = statement<ExecutionRow>(
  `with execution as (
     insert into executions (id, tenant_id, project_id, domain, name, launch_plan_id, workflow_id,
       workflow_entity_id, launch_entity, task_id, principal_id, queue, cluster, engine, mode, reference_id,
       source_id, parent_node_id, trigger_depth, trigger_first_id, nesting, budget_ids, budget_limit, scheduled_at, max_parallelism, max_concurrent,
       awaits_slot, interruptible, overwrite_cache, spec, notifications, deadline_at, queue_deadline_at, user_inputs, inputs, last_sequence,
       advance_at, created_at, updated_at)
     select asked.id, "tenantId", "projectId", domain, name, "launchPlanId", "workflowId",
            "workflowEntityId", case when "taskId" is null then 'LAUNCH_PLAN' else 'TASK' end::launch_entity, "taskId",
            "principalId", queue, cluster, coalesce(engine, 'SLIPWAY'), coalesce(mode, 'MANUAL'), "referenceId",
            "sourceId", "parentNodeId", coalesce(chain.depth, 0), chain."firstId", coalesce(nesting, 0),
            coalesce("budgetIds", '{}'), "budgetLimit", "scheduledAt", "maxParallelism", "maxConcurrent",
            coalesce("awaitsSlot", false), interruptible, "overwriteCache", spec, notifications,
            ${after('timeoutMilliseconds')}, ${after('queueingBudgetMilliseconds')}, "userInputs", inputs, 1,
            case when "awaitsSlot" is not true then now() end, now(), now()
       from json_to_record($1::json) as asked(
              id uuid, "tenantId" uuid, "projectId" uuid, domain text, name text, "launchPlanId" uuid,
              "workflowId" uuid, "workflowEntityId" uuid, "taskId" uuid, "principalId" uuid, queue text, cluster text,
              engine execution_engine, mode execution_mode, "referenceId" uuid, "sourceId" uuid, "parentNodeId" uuid,
              nesting int, "budgetIds" uuid[], "budgetLimit" int, "scheduledAt" timestamptz, "maxParallelism" int,
              "maxConcurrent" int, "awaitsSlot" boolean, interruptible boolean, "overwriteCache" boolean, spec json, notifications json, "userInputs" json,
              inputs json)
       left join lateral (
         select source.trigger_depth + case when asked.mode = 'TRIGGER' then 1 else 0 end as depth,
                coalesce(source.trigger_first_id, case when asked.mode = 'TRIGGER' then source.id end) as "firstId"
           from executions as source
          where source.id = asked."sourceId" and (asked.mode = 'TRIGGER' or asked."parentNodeId" is not null)
       ) as chain on true
     on conflict (tenant_id, project_id, domain, name) do nothing
     returning *
   ),
   recorded as (
     insert into execution_events (execution_id, sequence, tenant_id, kind, phase, occurred_at)
     select id, 1, tenant_id, 'EXECUTION', 'QUEUED', created_at from execution
   ),
   labelled as (
     insert into execution_labels (execution_id, tenant_id, key, value)
     select execution.id, execution.tenant_id, label.key, label.value
       from execution cross join json_each_text(execution.spec -> 'labels') as label
   ),
   tagged as (
     insert into execution_tags (execution_id, tenant_id, tag)
     select execution.id, execution.tenant_id, tag.value
       from execution cross join json_array_elements_text(execution.spec -> 'tags') as tag(value)
   )
   select ${executionColumns.all}, ${notifySql('advance', 'execution.id')}
     from execution join projects as project on project.id = execution.project_id`,
);

/** Stores a QUEUED execution with its first event. Null if the name is taken; the insert itself decides this. */
export async function insertExecution(execution: NewExecution, tx?: Tx): Promise<ExecutionRow | null> {
  const [row] = await run(insertStatement, [JSON.stringify(execution)], tx);
  return row ?? null;
}

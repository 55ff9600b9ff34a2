import type { ExecutionEngine, ExecutionMode } from '../../generated/prisma/enums.ts';
import { run, statement } from '../../platform/database/statement.ts';
import { notifySql } from '../../platform/database/topics.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import type { Notification } from '../../registry/domain/notifications.ts';
import { type ExecutionRow, executionColumns } from './reads.ts';

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
  readonly maxParallelism: number;
  /** MANUAL if left out. */
  readonly mode?: ExecutionMode;
  /** SLIPWAY if left out. */
  readonly engine?: ExecutionEngine;
  readonly sourceId?: string | null;
  readonly parentNodeId?: string | null;
  /** The slot of the schedule that starts it. */
  readonly scheduledAt?: Date | null;
  /** Whom to tell about its end; null or left out for nobody. */
  readonly notifications?: readonly Notification[] | null;
  /** 0 if left out. */
  readonly nesting?: number;
  readonly userInputs: object;
  readonly inputs: object;
}

const insertStatement = statement<ExecutionRow>(
  `with execution as (
     insert into executions (id, tenant_id, project_id, domain, name, launch_plan_id, workflow_id,
                             workflow_entity_id, principal_id, queue, max_parallelism, mode, engine, source_id,
                             parent_node_id, scheduled_at, notifications, nesting, user_inputs, inputs, last_sequence, advance_at, created_at,
                             updated_at)
     select id, "tenantId", "projectId", domain, name, "launchPlanId", "workflowId", "workflowEntityId",
            "principalId", queue, "maxParallelism", coalesce(mode, 'MANUAL'), coalesce(engine, 'SLIPWAY'), "sourceId", "parentNodeId", "scheduledAt", notifications,
            coalesce(nesting, 0), "userInputs", inputs, 1, now(), now(), now()
       from json_to_record($1::json) as asked(
              id uuid, "tenantId" uuid, "projectId" uuid, domain text, name text, "launchPlanId" uuid,
              "workflowId" uuid, "workflowEntityId" uuid, "principalId" uuid, queue text, "maxParallelism" int,
              mode execution_mode, engine execution_engine, "sourceId" uuid, "parentNodeId" uuid, "scheduledAt" timestamptz, notifications json, nesting int, "userInputs" json, inputs json)
     on conflict (tenant_id, project_id, domain, name) do nothing
     returning *
   ),
   recorded as (
     insert into execution_events (execution_id, sequence, tenant_id, kind, phase, occurred_at)
     select id, 1, tenant_id, 'EXECUTION', 'QUEUED', created_at from execution
   )
   select ${executionColumns}, ${notifySql('advance', 'execution.id')}
     from execution join projects as project on project.id = execution.project_id`,
);

/** Stores a QUEUED execution with its first event. Null if the name is taken; the insert itself decides this. */
export async function insertExecution(execution: NewExecution, tx?: Tx): Promise<ExecutionRow | null> {
  const [row] = await run(insertStatement, [JSON.stringify(execution)], tx);
  return row ?? null;
}

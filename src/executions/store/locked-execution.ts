import { run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import type { LiteralMap } from '../../values/literals.ts';
import type { Budgets } from '../domain/budgets.ts';
import type { ExecutionRow } from './reads.ts';

/** The parts of an execution that the scheduler needs for a turn. */
export interface LockedExecution
  extends Pick<
      ExecutionRow,
      | 'id'
      | 'tenantId'
      | 'projectId'
      | 'project'
      | 'domain'
      | 'name'
      | 'phase'
      | 'maxParallelism'
      | 'queue'
      | 'workflowId'
      | 'workflowEntityId'
      | 'principalId'
      | 'abortCause'
      | 'abortPrincipalId'
      | 'abortIsForced'
      | 'nesting'
    >,
    Budgets {
  /** When all its work must have ended. */
  readonly deadlineAt: Date | null;
  /** When the first of its tasks must have begun. */
  readonly queueDeadlineAt: Date | null;
  readonly errorCode: string | null;
  /** Whether cached outputs are computed anew. */
  readonly overwriteCache: boolean;
  readonly inputs: LiteralMap;
  /** The execution whose results it uses, if it recovers one. */
  readonly recoversId: string | null;
  /** Whether a user has asked to stop nodes that have not ended. */
  readonly abortsNodes: boolean;
  /** True if its last turn failed and the next one is not due yet. */
  readonly isBackingOff: boolean;
}

const lockStatement = statement<LockedExecution>(
  `select execution.id, execution.tenant_id as "tenantId", execution.project_id as "projectId",
          project.identifier as project, execution.domain, execution.name, execution.phase::text as phase,
          execution.max_parallelism as "maxParallelism", execution.queue, execution.workflow_id as "workflowId",
          execution.workflow_entity_id as "workflowEntityId",
          execution.principal_id as "principalId", execution.inputs, execution.abort_cause as "abortCause",
          execution.abort_principal_id as "abortPrincipalId", execution.abort_is_forced as "abortIsForced",
          execution.nesting, execution.budget_ids as "budgetIds", execution.budget_limit as "budgetLimit",
          exists (select from node_executions as node where node.execution_id = execution.id
                     and node.ended_at is null and node.abort_cause is not null) as "abortsNodes",
          case when execution.mode = 'RECOVERED' then execution.reference_id end as "recoversId",
          execution.overwrite_cache as "overwriteCache",
          execution.deadline_at as "deadlineAt", execution.queue_deadline_at as "queueDeadlineAt",
          execution.error_code as "errorCode",
          execution.failed_turns > 0 and coalesce(execution.advance_at > now(), false) as "isBackingOff"
     from executions as execution join projects as project on project.id = execution.project_id
    where execution.id = $1::uuid
      and (execution.engine = 'SLIPWAY' or (execution.abort_is_forced and execution.phase = 'ABORTING'))
      and not (execution.awaits_slot and execution.phase = 'QUEUED')
      for update of execution skip locked`,
);

/**
 * Locks an execution for this transaction. Null if another transaction has the lock, if the scheduler does not run this
 * execution, and while it waits for other executions of its launch plan. An execution of an engine from outside is only
 * locked to end it by force.
 */
export async function lockExecution(tx: Tx, id: string): Promise<LockedExecution | null> {
  const [row] = await run(lockStatement, [id], tx);
  return row ?? null;
}

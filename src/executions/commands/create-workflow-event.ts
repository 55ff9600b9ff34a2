import type { ExecutionPhase } from '../../generated/prisma/enums.ts';
import { type Caller, logOf } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { isTerminal } from '../../platform/phase-table.ts';
import type { WorkError } from '../../platform/work-error.ts';
import { getClosure } from '../../registry/store.ts';
import { isNamedProducer, judgeWorkflowEvent } from '../domain/judge-events.ts';
import { executionPhases } from '../domain/phases.ts';
import { assignCluster } from '../store/events-from-outside.ts';
import { moveExecution } from '../store/moves.ts';
import { eventRefusal, lockExternal } from './event-refusals.ts';
import { type GivenOutputs, readEventOutputs } from './event-values.ts';

/** An event of an engine from outside about an execution. */
export interface WorkflowEvent extends GivenOutputs {
  readonly phase: ExecutionPhase;
  /** The engine. Empty, or `propeller`: any. */
  readonly producerId: string;
  readonly occurredAt: Date;
  /** Where the engine keeps the outputs. Only SUCCEEDED brings it. */
  readonly outputUri: string | null;
  readonly error: WorkError | null;
}

/**
 * Moves an execution that an engine from outside runs. The first event QUEUED with the name of an engine gives the
 * execution to it. A final event with outputs or an error of its own takes an earlier request to abort away.
 *
 * @throws ResourceExhaustedError for outputs that are too large; InvalidArgumentError for outputs that do not fit the
 * workflow; NotFoundError; AlreadyExistsError for a repeated event; FailedPreconditionError with the current phase.
 * Source: Flyte's CreateWorkflowEvent.
 */
export async function createWorkflowEvent(
  caller: Caller,
  executionId: string,
  event: WorkflowEvent,
): Promise<void> {
  await inTransaction(async (tx) => {
    const execution = await lockExternal(tx, executionId);
    const { workflow } = await getClosure(execution.workflowId, tx);
    const outputs = await readEventOutputs(execution, workflow.template.interface.outputs, event, tx);
    const refused = eventRefusal(judgeWorkflowEvent(execution, event), {
      noun: 'the execution',
      current: execution.phase,
      cluster: execution.cluster,
    });
    if (refused) throw refused;
    if (event.phase === 'QUEUED' && isNamedProducer(event.producerId))
      await assignCluster(tx, executionId, event.producerId);
    const isEnd = isTerminal(executionPhases, event.phase);
    const isAborted = event.phase === 'ABORTED' && event.error === null;
    const outputUri = event.phase === 'SUCCEEDED' ? event.outputUri : null;
    await moveExecution(
      {
        id: executionId,
        to: event.phase,
        from: [execution.phase],
        at: event.occurredAt,
        outputs: event.phase === 'SUCCEEDED' ? (outputs ?? {}) : outputs,
        error: event.error,
        outputUri,
        forgetsAbort: isEnd && (outputs !== null || outputUri !== null || event.error !== null),
        // Reading an ABORTED execution always gives a cause. An earlier request keeps its own.
        abort: isAborted && execution.phase !== 'ABORTING' ? abortedBy(caller) : null,
      },
      tx,
    );
  });
  logOf(caller).info({ executionId, phase: event.phase }, 'event of an execution');
}

const abortedBy = (caller: Caller) => ({ cause: 'the engine aborted it', principalId: caller.userId });

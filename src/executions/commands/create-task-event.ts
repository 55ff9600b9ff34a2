import type { TaskExecutionPhase } from '../../generated/prisma/enums.ts';
import { type Caller, logOf } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { NotFoundError } from '../../platform/errors.ts';
import { newId } from '../../platform/ids.ts';
import type { WorkError } from '../../platform/work-error.ts';
import { listReadableTasks } from '../../registry/commands/list-readable-versions.ts';
import type { EntityKey } from '../../registry/domain/entity-keys.ts';
import { isWrongProducer, judgeTaskEvent } from '../domain/judge-events.ts';
import { isEndOfAttempt } from '../domain/phases.ts';
import { mergeTaskDetails, type TaskDetailsEvent } from '../domain/task-details.ts';
import {
  findReportedNode,
  findReportedTask,
  storeNodeInputs,
  storeTaskNews,
} from '../store/events-from-outside.ts';
import { moveTasks } from '../store/moves.ts';
import { eventRefusal, lockExternal } from './event-refusals.ts';
import { type GivenInputs, type GivenOutputs, readEventInputs, readEventOutputs } from './event-values.ts';

/** An event of an engine from outside about one attempt of a task. */
export interface ExternalTaskEvent extends GivenInputs, GivenOutputs, TaskDetailsEvent {
  readonly nodeId: string;
  readonly task: EntityKey;
  readonly retryAttempt: number;
  readonly phase: TaskExecutionPhase;
  /** A higher version of the same phase brings news: logs, reasons, metadata. */
  readonly phaseVersion: number;
  readonly producerId: string;
  readonly occurredAt: Date;
  readonly reportedAt: Date | null;
  readonly error: WorkError | null;
}

/**
 * Moves an attempt of a task in an execution that an engine from outside runs, and creates it with its first event. The
 * node must exist; the task need not be registered.
 *
 * @throws ResourceExhaustedError, InvalidArgumentError, NotFoundError for the node, AlreadyExistsError for a repeated
 * event; FailedPreconditionError with the current phase.
 * Source: Flyte's CreateTaskEvent. Flyte loses the error of an attempt that is RETRYABLE_FAILED; we keep it.
 */
export async function createTaskEvent(
  caller: Caller,
  executionId: string,
  event: ExternalTaskEvent,
): Promise<string> {
  const [task] = await listReadableTasks(caller, [event.task]);
  return await inTransaction(async (tx) => {
    const execution = await lockExternal(tx, executionId);
    const signature = task?.compiled.template.interface;
    const outputs = await readEventOutputs(tx, execution, signature?.outputs ?? null, event);
    const inputs = await readEventInputs(tx, execution, signature?.inputs ?? null, event);
    const node = await findReportedNode(tx, executionId, event.nodeId);
    if (!node) throw new NotFoundError('node execution', event.nodeId, ['input', 'nodeId']);
    const known = await findReportedTask(tx, node.id, event.retryAttempt, event.task);
    const isWrong = isWrongProducer(event.producerId, execution.cluster);
    const refused = eventRefusal(isWrong ? 'INCOMPATIBLE_CLUSTER' : judgeTaskEvent(known, event), {
      noun: `attempt ${event.retryAttempt} of the node ${event.nodeId}`,
      current: known?.phase ?? execution.phase,
      cluster: execution.cluster,
    });
    if (refused) throw refused;
    const details = mergeTaskDetails(known?.details ?? null, event);
    const id = known?.id ?? newId();
    if (known?.phase !== event.phase)
      await moveTasks(tx, executionId, [
        {
          id,
          nodeExecutionId: node.id,
          nodeId: event.nodeId,
          taskId: task?.id ?? null,
          task: event.task,
          attempt: event.retryAttempt,
          to: event.phase,
          from: known ? [known.phase] : [],
          at: event.occurredAt,
          reason: details.reasons.at(-1)?.message ?? null,
          outputs: isEndOfAttempt(event.phase) ? outputs : null,
          error: event.error,
        },
      ]);
    if (inputs) await storeNodeInputs(tx, node.id, inputs);
    const updatedAt = event.reportedAt ?? event.occurredAt;
    await storeTaskNews(tx, id, { details, phaseVersion: event.phaseVersion, updatedAt });
    logOf(caller).info({ executionId, nodeId: event.nodeId, phase: event.phase }, 'event of an attempt');
    return id;
  });
}

import type { TaskExecutionPhase } from '../../generated/prisma/enums.ts';
import { type Caller, logOf } from '../../platform/caller.ts';
import { DomainError } from '../../platform/errors.ts';
import type { WorkError } from '../../platform/work-error.ts';
import { listReadableTasks } from '../../registry/commands/list-readable-versions.ts';
import type { EntityKey } from '../../registry/domain/entity-keys.ts';
import type { TaskDetailsEvent } from '../domain/task-details.ts';
import type { ExecutionRow, TaskExecutionRow } from '../store/reads.ts';
import { applyTaskReport, type CheckedValues } from './apply-task-report.ts';
import { type GivenInputs, type GivenOutputs, readEventInputs, readEventOutputs } from './event-values.ts';

/** An event of an engine from outside about one attempt of a task, without the values that it brings. */
export interface AttemptEvent extends TaskDetailsEvent {
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

export interface ExternalTaskEvent extends AttemptEvent, GivenInputs, GivenOutputs {}

type ReportedOn = Pick<ExecutionRow, 'id' | 'tenantId' | 'projectId'>;

/**
 * Moves an attempt of a task in an execution that an engine from outside runs, and creates it with its first event. The
 * node must exist; the task need not be registered.
 *
 * @returns the attempt as the event has left it.
 * @throws ResourceExhaustedError, InvalidArgumentError, NotFoundError for the node, AlreadyExistsError for a repeated
 * event; FailedPreconditionError with the current phase; UnavailableError if too many events wait.
 * Source: Flyte's CreateTaskEvent. Flyte loses the error of an attempt that is RETRYABLE_FAILED; we keep it.
 */
export async function createTaskEvent(
  caller: Caller,
  execution: ReportedOn,
  { inputs, inputLiterals, outputs, outputLiterals, ...event }: ExternalTaskEvent,
): Promise<TaskExecutionRow> {
  const { id: executionId, tenantId } = execution;
  const given = { inputs, inputLiterals, outputs, outputLiterals };
  const check = () => checkedValues(caller, execution, event.task, given);
  // Most events bring no values, and are about an attempt that is known. They need nothing of their task.
  const bringsValues = Object.values(given).some((value) => value != null);
  const checked = bringsValues ? await check() : null;
  let answer = await applyTaskReport(tenantId, { executionId, event, checked });
  if (answer === 'TASK_NEEDED')
    answer = await applyTaskReport(tenantId, { executionId, event, checked: await check() });
  if (answer === 'TASK_NEEDED') throw new Error('the task was looked up');
  if (answer instanceof DomainError) throw answer;
  logOf(caller).info({ executionId, nodeId: event.nodeId, phase: event.phase }, 'event of an attempt');
  return answer;
}

async function checkedValues(
  caller: Caller,
  project: ReportedOn,
  key: EntityKey,
  given: GivenInputs & GivenOutputs,
): Promise<CheckedValues> {
  const [task] = await listReadableTasks(caller, [key]);
  const taskId = task?.id ?? null;
  const signature = task?.compiled.template.interface;
  try {
    const outputs = await readEventOutputs(project, signature?.outputs ?? null, given);
    const inputs = await readEventInputs(project, signature?.inputs ?? null, given);
    return { taskId, inputs, outputs, fault: null };
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    return { taskId, inputs: null, outputs: null, fault: error };
  }
}

import type { Caller } from '../../platform/caller.ts';
import { NotFoundError } from '../../platform/errors.ts';
import { type ExecutionRow, readExecutions } from '../store/reads.ts';
import { abortExecutions, requireCause, type Termination } from './abort-executions.ts';

/**
 * Aborts an execution: it is ABORTING at once, and ABORTED when its work has stopped. Repeating this replaces the
 * cause. If the work ends by itself before it is stopped, its result counts, unless the abort is forced.
 *
 * @param found  the execution. The caller has EDIT on it.
 * @throws InvalidArgumentError for the cause; NotFoundError; FailedPreconditionError with the current phase if it has
 * ended.
 * Source: Flyte's TerminateExecution.
 */
export async function terminateExecution(
  caller: Caller,
  found: ExecutionRow,
  termination: Termination,
  now: Date,
): Promise<ExecutionRow> {
  requireCause(termination.cause);
  const [refused] = (await abortExecutions(caller, [found], termination, now)).values();
  if (refused) throw refused;
  const [execution] = await readExecutions(caller.tenantId, [{ id: found.id }]);
  if (!execution) throw new NotFoundError('execution', found.id, ['input', 'by']);
  return execution;
}

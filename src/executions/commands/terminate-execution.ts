import type { Caller } from '../../platform/caller.ts';
import { FailedPreconditionError, InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { phasesThatMayMoveTo } from '../../platform/phase-table.ts';
import { executionPhases } from '../domain/phases.ts';
import { moveExecution } from '../store/moves.ts';
import { type ExecutionBy, type ExecutionRow, readExecutions } from '../store/reads.ts';

const MAX_CAUSE = 500;

/**
 * Aborts an execution: it is ABORTING at once, and ABORTED when its work has stopped. Repeating this replaces the
 * cause. If the work ends by itself before it is stopped, its result counts.
 *
 * @throws InvalidArgumentError for the cause; NotFoundError; FailedPreconditionError with the current phase if it has
 * ended.
 * Source: Flyte's TerminateExecution.
 */
export async function terminateExecution(
  caller: Caller,
  by: ExecutionBy,
  cause: string,
  now: Date,
): Promise<ExecutionRow> {
  if (cause.length > MAX_CAUSE)
    throw InvalidArgumentError.of(['input', 'cause'], `must have at most ${MAX_CAUSE} characters`);
  const [found] = await readExecutions(caller.tenantId, [by]);
  const notFound = new NotFoundError('execution', 'id' in by ? by.id : by.key.name, ['input', 'by']);
  if (!found) throw notFound;
  const moved = await moveExecution({
    id: found.id,
    to: 'ABORTING',
    from: phasesThatMayMoveTo(executionPhases, 'ABORTING'),
    at: now,
    abort: { cause, principalId: caller.userId },
  });
  if (!moved) throw notFound;
  if (!moved.after)
    throw new FailedPreconditionError(`the execution has already ${moved.before}`, {
      current: moved.before,
    });
  caller.log.info({ executionId: found.id }, 'execution is being aborted');
  const [execution] = await readExecutions(caller.tenantId, [{ id: found.id }]);
  if (!execution) throw notFound;
  return execution;
}

import type { ExecutionState } from '../../generated/prisma/enums.ts';
import type { Caller } from '../../platform/caller.ts';
import { NotFoundError } from '../../platform/errors.ts';
import { type ExecutionRow, readExecutions } from '../store/reads.ts';
import { setExecutionState } from '../store/set-execution-state.ts';

/**
 * Archives an execution, or takes it out of the archive, in whatever phase it is. This is only for lists: an archived
 * execution goes on. Repeating a call changes nothing.
 *
 * @param execution  the execution. The caller has EDIT on it.
 * @throws NotFoundError if it was deleted meanwhile. Source: Flyte's UpdateExecution.
 */
export async function updateExecution(
  caller: Caller,
  { id }: ExecutionRow,
  state: ExecutionState,
): Promise<ExecutionRow> {
  await setExecutionState(id, state, caller.userId);
  const [execution] = await readExecutions(caller.tenantId, [{ id }]);
  if (!execution) throw new NotFoundError('execution', id, ['input', 'by']);
  return execution;
}

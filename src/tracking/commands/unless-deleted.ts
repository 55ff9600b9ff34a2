import { type ExecutionBy, type ExecutionRow, readExecutions } from '../../executions/store/reads.ts';
import { addressText } from '../../platform/address-text.ts';
import { isForeignKeyViolation } from '../../platform/database/failures.ts';
import { NotFoundError } from '../../platform/errors.ts';

/**
 * Stores something that names an execution.
 *
 * @param by  how the input names it.
 * @throws NotFoundError if the execution was deleted after it had been read; the errors of `store`.
 */
export async function unlessDeleted<T>(
  execution: ExecutionRow | null,
  by: ExecutionBy | null,
  store: () => Promise<T>,
): Promise<T> {
  try {
    return await store();
  } catch (error) {
    if (!execution || !by || !isForeignKeyViolation(error)) throw error;
    const [row] = await readExecutions(execution.tenantId, [{ id: execution.id }]);
    throw row ? error : new NotFoundError('execution', addressText(by), ['input', 'execution']);
  }
}

import { refusal } from '../../authorization/can.ts';
import type { Caller } from '../../platform/caller.ts';
import { NotFoundError } from '../../platform/errors.ts';
import { executionTarget } from '../domain/targets.ts';
import { type ExecutionBy, type ExecutionRow, readExecutions } from '../store/reads.ts';

/**
 * The execution that an input names beside what it is about.
 *
 * @throws NotFoundError with the path when it is absent or hidden, after the same statements.
 */
export async function getReadableExecution(
  caller: Caller,
  by: ExecutionBy,
  path: readonly string[],
): Promise<ExecutionRow> {
  const [execution = null] = await readExecutions(caller.tenantId, [by]);
  const key = 'id' in by ? by.id : by.key.name;
  const refused = await refusal(caller, 'execution:read', {
    kind: 'execution',
    key,
    target: async () => execution && executionTarget(execution),
  });
  if (refused && refused.code !== 'NOT_FOUND') throw refused;
  if (refused || !execution) throw new NotFoundError('execution', key, path);
  return execution;
}

import { getAllowed } from '../../authorization/get-allowed.ts';
import { addressText } from '../../platform/address-text.ts';
import type { Caller } from '../../platform/caller.ts';
import { executionTarget } from '../domain/targets.ts';
import { type ExecutionBy, type ExecutionRow, readExecutions } from '../store/reads.ts';

/** A further execution that an input names. @throws the errors of `getAllowed`. */
export async function getReadableExecution(
  caller: Caller,
  by: ExecutionBy,
  path: readonly string[],
): Promise<ExecutionRow> {
  return await getAllowed(caller, 'execution:read', {
    kind: 'execution',
    key: addressText(by),
    path,
    find: async () => (await readExecutions(caller.tenantId, [by]))[0] ?? null,
    targetOf: executionTarget,
  });
}

import { noteDenial } from '../../authorization/audit.ts';
import { refusal } from '../../authorization/can.ts';
import type { Permission } from '../../authorization/domain/permissions.ts';
import { addressText } from '../../platform/address-text.ts';
import type { Caller } from '../../platform/caller.ts';
import type { DomainError } from '../../platform/errors.ts';
import { executionTarget } from '../domain/targets.ts';
import type { ExecutionBy, ExecutionRow } from '../store/reads.ts';

/**
 * Why a caller may not do something with one of many executions; null if the caller may. The refusal stands in the audit
 * log, as if the caller had asked for this execution alone.
 *
 * @param at  the position of the execution in `executions` of the input.
 */
export async function executionRefusal(
  caller: Caller,
  permission: Permission,
  by: ExecutionBy,
  row: ExecutionRow | null,
  at: number,
): Promise<DomainError | null> {
  const error = await refusal(caller, permission, {
    kind: 'execution',
    key: addressText(by),
    path: ['input', 'executions', String(at)],
    target: async () => row && executionTarget(row),
  });
  if (error?.refusal)
    noteDenial(caller, {
      code: error.code,
      action: error.refusal.action ?? permission,
      target: error.refusal.target ?? null,
    });
  return error;
}

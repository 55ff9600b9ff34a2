import { type Caller, logOf } from '../../platform/caller.ts';
import { isForeignKeyViolation } from '../../platform/database/failures.ts';
import { InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import type { LiteralType } from '../../values/literal-types.ts';
import { Place, valueOrThrow } from '../../values/problem-list.ts';
import { literalType } from '../../values/read-literal-types.ts';
import { name } from '../../values/readers.ts';
import { ensureSignal, type SignalRow } from '../store/signals.ts';

/**
 * Creates a signal of an execution, or finds the one that has this id already. A gate creates its own signal when it
 * starts, so this is only needed to set a value before that.
 *
 * @throws InvalidArgumentError for the id, for the type, and if the signal exists with another type;
 * NotFoundError if the execution was deleted meanwhile. Source: Flyte's
 * GetOrCreateSignal.
 */
export async function createSignal(
  caller: Caller,
  executionId: string,
  signal: { readonly signalId: string; readonly type: unknown },
): Promise<SignalRow> {
  const idPlace = new Place(['input', 'signalId']);
  const signalId = valueOrThrow(name(signal.signalId, idPlace), idPlace);
  const place = new Place(['input', 'type']);
  const type: LiteralType = valueOrThrow(literalType(signal.type, place), place);
  const row = await ensureSignal(executionId, { signalId, type }).catch((error: unknown) => {
    if (isForeignKeyViolation(error)) return null;
    throw error;
  });
  if (!row) throw new NotFoundError('execution', executionId, ['input', 'execution']);
  if (row.hasOtherType)
    throw InvalidArgumentError.of(['input', 'type'], `the signal ${signalId} exists with another type`);
  logOf(caller).info({ executionId, signalId }, 'signal created');
  return row;
}

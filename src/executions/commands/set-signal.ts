import { type Caller, logOf } from '../../platform/caller.ts';
import { FailedPreconditionError, InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { fitLiteral } from '../../values/fit-literal.ts';
import type { LiteralType } from '../../values/literal-types.ts';
import type { Literal } from '../../values/literals.ts';
import { literalFromPlain } from '../../values/plain-values.ts';
import { type Outcome, outcomeOf } from '../../values/problem-list.ts';
import { literal } from '../../values/read-literals.ts';
import type { ExecutionRow } from '../store/reads.ts';
import { findSignal, type SignalRow, setSignalValue } from '../store/signals.ts';

/** A plain value, or the same as Flyte's literal: exactly one of them. */
export interface SignalValue {
  readonly signalId: string;
  readonly value?: unknown;
  readonly literal?: unknown;
}

/**
 * Sets the value of a signal. The gate that waits for it ends soon. The value may be set again, which changes nothing
 * for a gate that has ended.
 *
 * @throws NotFoundError for the signal; InvalidArgumentError if the value does not fit its type; FailedPreconditionError
 * with the current phase if the execution has ended. Source: Flyte's SetSignal.
 */
export async function setSignal(
  caller: Caller,
  execution: ExecutionRow,
  given: SignalValue,
): Promise<SignalRow> {
  const { signalId } = given;
  const signal = await findSignal(execution.id, signalId);
  if (!signal) throw new NotFoundError('signal', signalId, ['input', 'signalId']);
  const value = literalOf(given, signal.type);
  if (!value.ok) throw new InvalidArgumentError(value.problems);
  const set = await setSignalValue(execution.id, signalId, value.value, caller.userId);
  if (!set)
    throw new FailedPreconditionError(`the execution has already ${execution.phase}`, {
      current: execution.phase,
    });
  logOf(caller).info({ executionId: execution.id, signalId }, 'signal set');
  return set;
}

function literalOf(given: SignalValue, type: LiteralType): Outcome<Literal> {
  return outcomeOf(['input'], (place) => {
    const [hasValue, hasLiteral] = [
      given.value !== undefined,
      given.literal !== undefined && given.literal !== null,
    ];
    if (hasValue === hasLiteral)
      return place.at('value').report('ValueRequired', 'expected exactly one of value, literal');
    if (hasValue) return literalFromPlain(type, given.value, place.at('value'));
    const read = literal(given.literal, place.at('literal'));
    return read && fitLiteral(type, read, place.at('literal'));
  });
}

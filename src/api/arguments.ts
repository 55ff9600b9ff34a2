import type { FieldArguments } from '../graphql/rules.ts';
import { InvalidArgumentError } from '../platform/errors.ts';
import { jsonFault } from '../platform/storable-json.ts';
import type { GuardedField, Resolver } from './guards.ts';

/** Deeper than any input that is accepted: types and literals have bounds of their own. */
const MAX_ARGUMENT_DEPTH = 256;

/**
 * Refuses arguments with text that PostgreSQL cannot store, in a String, an ID or anywhere inside JSON, so that none
 * reaches a rule, a command or a store. Fields that an executor reports to are left out (`cleansTexts`): a program that
 * printed a NUL must not lose its end.
 */
export function storableArguments(next: Resolver, { hasArguments, needs }: GuardedField): Resolver {
  if (!hasArguments || needs.cleansTexts) return next;
  return (parent, args, context, info) => {
    requireStorable(args);
    return next(parent, args, context, info);
  };
}

/** @throws InvalidArgumentError with the place. */
function requireStorable(args: FieldArguments): void {
  const fault = jsonFault(args, MAX_ARGUMENT_DEPTH);
  if (fault) throw InvalidArgumentError.of(fault.path, fault.message);
}

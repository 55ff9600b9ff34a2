import type { FieldArguments } from '../graphql/rules.ts';
import { InvalidArgumentError } from '../platform/errors.ts';
import { jsonFault } from '../platform/storable-json.ts';
import type { GuardedField, Resolver } from './guards.ts';

/** Deeper than any valid input: types and literals have their own, lower limits. */
const MAX_ARGUMENT_DEPTH = 256;

/**
 * Refuses arguments with text that PostgreSQL cannot store, in a String, an ID or anywhere inside JSON. So no rule,
 * command or store gets such a text. Fields to which executors report are left out (`cleansTexts`), because the result
 * of a program must not get lost only because the program printed a NUL.
 */
export function storableArguments(next: Resolver, { hasArguments, needs }: GuardedField): Resolver {
  if (!hasArguments || needs.cleansTexts) return next;
  return (parent, args, context, info) => {
    requireStorable(args);
    return next(parent, args, context, info);
  };
}

/** @throws InvalidArgumentError with the path. */
function requireStorable(args: FieldArguments): void {
  const fault = jsonFault(args, MAX_ARGUMENT_DEPTH);
  if (fault) throw InvalidArgumentError.of(fault.path, fault.message);
}

import { type GraphQLField, type GraphQLSchema, isObjectType } from 'graphql';
import { InvalidArgumentError } from '../platform/errors.ts';
import { jsonFault } from '../platform/storable-json.ts';
import type { Context } from '../graphql/context.ts';
import type { FieldArguments } from '../graphql/rules.ts';

/**
 * Fields that an executor tells what happened with: a NUL that a program printed is no reason to lose its end. Their
 * commands replace what cannot be stored, or name it among their problems.
 */
const cleaning: ReadonlySet<string> = new Set(['reportJobEvents', 'reportRunLog', 'returnLease']);

/** Deeper than any input that is taken: types and literals have bounds of their own. */
const MAX_ARGUMENT_DEPTH = 256;

/**
 * Puts a look at the arguments in front of each field that has some, so that no text that PostgreSQL cannot keep
 * reaches a rule, a command or a store: in a String, an ID or anywhere inside JSON.
 */
export function guardArguments(schema: GraphQLSchema): void {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    for (const field of Object.values(type.getFields()))
      if (field.args.length > 0 && !cleaning.has(field.name)) guard(field);
  }
}

function guard(field: GraphQLField<unknown, Context>): void {
  const { resolve, subscribe } = field;
  if (resolve)
    field.resolve = (parent, args: FieldArguments, context, info) => {
      requireStorable(args);
      return resolve(parent, args, context, info);
    };
  if (subscribe)
    field.subscribe = (root, args: FieldArguments, context, info) => {
      requireStorable(args);
      return subscribe(root, args, context, info);
    };
}

/** @throws InvalidArgumentError with the place. */
function requireStorable(args: FieldArguments): void {
  const fault = jsonFault(args, MAX_ARGUMENT_DEPTH);
  if (fault) throw InvalidArgumentError.of(fault.path, fault.message);
}

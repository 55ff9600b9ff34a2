import type { ObjectRef } from '@pothos/core';
import { builder } from './builder.ts';

type Schema = typeof builder.$inferSchemaTypes;

/** The one connection type of a node type, named after it: `Execution` has `ExecutionConnection`. */
export function connectionType<Shape>(type: ObjectRef<Schema, Shape>) {
  const { name } = type;
  return builder.connectionObject(
    { type, name: `${name}Connection`, description: `One page of a list of ${name} objects.` },
    { name: `${name}Edge`, description: `A place in a list of ${name} objects.` },
  );
}

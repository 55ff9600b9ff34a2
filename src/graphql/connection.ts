import type { ObjectRef } from '@pothos/core';
import { builder } from './builder.ts';

type Schema = typeof builder.$inferSchemaTypes;

/** The only connection type of a node type. It has the name of the node type: `Execution` has `ExecutionConnection`. */
export function connectionType<Shape>(type: ObjectRef<Schema, Shape>) {
  const { name } = type;
  return builder.connectionObject(
    { type, name: `${name}Connection`, description: `One page of a list of ${name} objects.` },
    { name: `${name}Edge`, description: `An entry of a list of ${name} objects.` },
  );
}

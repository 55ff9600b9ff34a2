import type { InputObjectRef } from '@pothos/core';
import { builder } from './builder.ts';

type Schema = typeof builder.$inferSchemaTypes;

/** The one argument of a mutation: `args: inputOf(CreateQueueInput)`. */
export function inputOf<Shape>(type: InputObjectRef<Schema, Shape>) {
  return builder.args((t) => ({
    input: t.field({ type, required: true, description: 'All that the mutation needs, in one object.' }),
  }));
}

/** The argument of a lookup: `args: addressOf(QueueByInput, 'queue')`. */
export function addressOf<Shape>(type: InputObjectRef<Schema, Shape>, noun: string) {
  return builder.args((t) => ({
    by: t.field({ type, required: true, description: `Which ${noun}: exactly one of the fields is given.` }),
  }));
}

import type { InputObjectRef } from '@pothos/core';
import { builder } from './builder.ts';

type Schema = typeof builder.$inferSchemaTypes;

/** The one argument of a mutation: `args: inputOf(CreateQueueInput)`. */
export function inputOf<Shape>(type: InputObjectRef<Schema, Shape>) {
  return builder.args((t) => ({
    input: t.field({ type, required: true, description: 'All that the mutation needs, in one object.' }),
  }));
}

/** How something is addressed that has no key beside its id. A key can be added later. */
export const byId = (name: string, noun: string) =>
  builder.inputType(name, {
    description: `The address of ${noun}.`,
    isOneOf: true,
    fields: (t) => ({ id: t.id({ description: `The id of ${noun}.` }) }),
  });

/** An address of that kind, as it arrives. */
export interface ById {
  readonly id: string;
}

/** The argument of a lookup: `args: addressOf(QueueByInput, 'queue')`. */
export function addressOf<Shape>(type: InputObjectRef<Schema, Shape>, noun: string) {
  return builder.args((t) => ({
    by: t.field({ type, required: true, description: `Which ${noun}: exactly one of the fields is given.` }),
  }));
}

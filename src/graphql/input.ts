import type { InputObjectRef } from '@pothos/core';
import { builder } from './builder.ts';

type Schema = typeof builder.$inferSchemaTypes;

/** The only argument of a mutation: `args: inputOf(CreateQueueInput)`. */
export function inputOf<Shape>(type: InputObjectRef<Schema, Shape>) {
  return builder.args((t) => ({
    input: t.field({ type, required: true, description: 'The input of the mutation.' }),
  }));
}

/** The address of an object that has an id and no key. A key can be added later. */
export const byId = (name: string, noun: string) =>
  builder.inputType(name, {
    description: `The address of ${noun}.`,
    isOneOf: true,
    fields: (t) => ({ id: t.id({ description: `The value of the field \`id\` of ${noun}.` }) }),
  });

/** Such an address, as it arrives. */
export interface ById {
  readonly id: string;
}

/** The argument of a lookup: `args: addressOf(QueueByInput, 'queue')`. */
export function addressOf<Shape>(type: InputObjectRef<Schema, Shape>, noun: string) {
  return builder.args((t) => ({
    by: t.field({ type, required: true, description: `Which ${noun}. Give exactly one of the fields.` }),
  }));
}

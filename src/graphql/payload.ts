import type { ObjectRef } from '@pothos/core';
import { builder } from './builder.ts';

type Schema = typeof builder.$inferSchemaTypes;

/**
 * The payload of a mutation, with the one object that it created or changed: `payload('CreateQueuePayload', 'queue',
 * QueueType)` has a field `queue`, and its value is `{ queue }`.
 */
export function payload<Key extends string, Shape extends object>(
  name: `${string}Payload`,
  key: Key,
  type: ObjectRef<Schema, Shape>,
  description = `The ${words(key)} after the mutation.`,
) {
  return builder.objectRef<Readonly<Record<Key, Shape>>>(name).implement({
    description: `What \`${mutationOf(name)}\` answers when it succeeds.`,
    fields: (t) => ({
      [key]: t.field({
        type: type as ObjectRef<Schema, object>,
        description,
        resolve: (parent) => parent[key] as object,
      }),
    }),
  });
}

const words = (name: string) => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

/** The mutation that answers the payload of this name. */
export const mutationOf = (name: string) =>
  `${name.charAt(0).toLowerCase()}${name.slice(1).replace(/Payload$/, '')}`;

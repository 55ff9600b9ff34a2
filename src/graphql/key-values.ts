import { InvalidArgumentError } from '../platform/errors.ts';
import { builder } from './builder.ts';

/** One entry of a map from text to text, because GraphQL has no maps. */
interface KeyValue {
  readonly key: string;
  readonly value: string;
}

export const KeyValueType = builder.objectRef<KeyValue>('KeyValue').implement({
  description: 'One entry of a map from text to text, such as a label or a tag.',
  fields: (t) => ({
    key: t.exposeString('key', { description: 'The key of the entry, unique in its map.' }),
    value: t.exposeString('value', { description: 'The value of the entry. It may be empty.' }),
  }),
});

export const KeyValueInput = builder.inputType('KeyValueInput', {
  description:
    'One entry of a map from text to text. If a map has the same key twice, the answer is INVALID_ARGUMENT.',
  fields: (t) => ({
    key: t.string({ required: true, description: 'The key of the entry, unique in its map.' }),
    value: t.string({ required: true, description: 'The value of the entry. It may be empty.' }),
  }),
});

export function entriesOf(map: unknown): KeyValue[] {
  return Object.entries(map as Record<string, string>).map(([key, value]) => ({ key, value }));
}

/** @throws InvalidArgumentError if a key is given twice. */
export function mapOf(entries: readonly KeyValue[], path: readonly string[]): Record<string, string> {
  return recordOf(
    entries,
    path,
    ({ key }) => key,
    ({ value }) => value,
  );
}

/** A list of named things as a map. @throws InvalidArgumentError if a name is given twice. */
export function recordOf<Entry, Value>(
  entries: readonly Entry[],
  path: readonly string[],
  nameOf: (entry: Entry) => string,
  toValue: (entry: Entry) => Value,
): Record<string, Value> {
  const record = new Map<string, Value>();
  for (const entry of entries) {
    const name = nameOf(entry);
    if (record.has(name))
      throw InvalidArgumentError.of([...path, name], `${name} is given twice`, 'DuplicateId');
    record.set(name, toValue(entry));
  }
  return Object.fromEntries(record);
}

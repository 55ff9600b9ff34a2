import { InvalidArgumentError } from '../platform/errors.ts';
import { builder } from './builder.ts';

/** One entry of a map from text to text: GraphQL has no maps. */
interface KeyValue {
  readonly key: string;
  readonly value: string;
}

export const KeyValueType = builder.objectRef<KeyValue>('KeyValue').implement({
  description: 'One entry of a map from text to text, such as a label or a tag.',
  fields: (t) => ({
    key: t.exposeString('key', { description: 'The name of the entry, unique in its map.' }),
    value: t.exposeString('value', { description: 'The text that stands under the key; it may be empty.' }),
  }),
});

export const KeyValueInput = builder.inputType('KeyValueInput', {
  description: 'One entry of a map from text to text. A map that names a key twice is INVALID_ARGUMENT.',
  fields: (t) => ({
    key: t.string({ required: true, description: 'The name of the entry, unique in its map.' }),
    value: t.string({ required: true, description: 'The text that stands under the key; it may be empty.' }),
  }),
});

export function entriesOf(map: unknown): KeyValue[] {
  return Object.entries(map as Record<string, string>).map(([key, value]) => ({ key, value }));
}

/** @throws InvalidArgumentError for a key that is given twice. */
export function mapOf(entries: readonly KeyValue[], path: readonly string[]): Record<string, string> {
  return recordOf(
    entries,
    path,
    ({ key }) => key,
    ({ value }) => value,
  );
}

/** A list of named things as a map. @throws InvalidArgumentError for a name that is given twice. */
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

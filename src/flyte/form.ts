import { isDeepStrictEqual } from 'node:util';
import { entryOf, isRecord, mapRecord } from '../values/json.ts';

/** A field's place in a message, from outside to inside. */
export type FieldPath = readonly (string | number)[];

/** What a message says and our form cannot hold: its place in the message, and its value. */
export interface Leftover {
  readonly path: FieldPath;
  readonly value: unknown;
}

/**
 * Two ways to write the same thing: our form, and Flyte's protobuf JSON. Both functions accept any value. What is not of
 * the expected kind stays as it is, and the readers of the capability report it.
 */
export interface Form {
  toOurs(flyte: unknown, place: Place): unknown;
  toFlyte(ours: unknown): unknown;
}

/** Where a value is in its message, and the list of what our form cannot hold. */
export class Place {
  readonly path: FieldPath;
  readonly leftovers: Leftover[];

  constructor(path: FieldPath = [], leftovers: Leftover[] = []) {
    this.path = path;
    this.leftovers = leftovers;
  }

  at(...steps: FieldPath): Place {
    return new Place([...this.path, ...steps], this.leftovers);
  }

  leave(value: unknown): undefined {
    this.leftovers.push({ path: this.path, value });
    return undefined;
  }
}

/** One field of a message. A function gets or gives undefined for an absent field. */
interface Field {
  /** The name in the message, if it is not ours. */
  readonly name?: string;
  toOurs(flyte: unknown, place: Place): unknown;
  toFlyte(ours: unknown): unknown;
}

const unlessAbsent =
  <Rest extends unknown[]>(change: (value: unknown, ...rest: Rest) => unknown) =>
  (value: unknown, ...rest: Rest) =>
    isAbsent(value) ? undefined : change(value, ...rest);

const isAbsent = (value: unknown) => value === undefined || value === null;

export const same: Form = { toOurs: (flyte) => flyte, toFlyte: (ours) => ours };

/** A field that is there or not, and both mean something. */
export const given = (form: Form): Field => ({
  toOurs: unlessAbsent((flyte, place: Place) => form.toOurs(flyte, place)),
  toFlyte: unlessAbsent((ours) => form.toFlyte(ours)),
});

/** A field whose default value means nothing, so that our form leaves it out. */
export const unless = (standsFor: unknown, form: Form = same): Field => {
  const drop = (value: unknown) => (isDeepStrictEqual(value, standsFor) ? undefined : value);
  return {
    toOurs: unlessAbsent((flyte, place: Place) => drop(form.toOurs(flyte, place))),
    toFlyte: unlessAbsent((ours) => form.toFlyte(ours)),
  };
};

/** A field that protobuf leaves out if it has its default value, and our form does not. */
export const always = (standsFor: unknown, form: Form = same): Field => ({
  toOurs: (flyte, place) => (isAbsent(flyte) ? standsFor : form.toOurs(flyte, place)),
  toFlyte: (ours) => (isDeepStrictEqual(ours, standsFor) || isAbsent(ours) ? undefined : form.toFlyte(ours)),
});

/** A field whose absence means a value, and which protobuf writes even if it has this value. */
export const absentMeans = (value: unknown): Field => ({
  toOurs: (flyte) => (isAbsent(flyte) ? value : flyte),
  toFlyte: (ours) => ours,
});

/** A field that our compiler computes, so its value in the message does not count. */
export const computed = (form: Form): Field => ({
  toOurs: () => undefined,
  toFlyte: unlessAbsent((ours) => form.toFlyte(ours)),
});

/** A field that our form cannot hold, and whose absence is not the same as its default value. */
export const leftOver: Field = {
  toOurs: unlessAbsent((flyte, place: Place) => place.leave(flyte)),
  toFlyte: () => undefined,
};

/** A field that has another name in the message. */
export const named = (name: string, field: Field): Field => ({ ...field, name });

/** A message. What it says in further fields is left over, except for default values. */
export function message(fields: Readonly<Record<string, Field>>): Form {
  const byFlyteName = new Map(
    Object.entries(fields).map(([key, field]) => [field.name ?? key, { key, field }]),
  );
  return {
    toOurs(flyte, place) {
      if (!isRecord(flyte)) return flyte;
      for (const [name, value] of Object.entries(flyte))
        if (!byFlyteName.has(camelCase(name)) && !isNothing(value)) place.at(camelCase(name)).leave(value);
      return entriesWithValues(
        [...byFlyteName].map(([name, { key, field }]) => [
          key,
          field.toOurs(entryOf(flyte, name) ?? entryOf(flyte, snakeCase(name)), place.at(name)),
        ]),
      );
    },
    toFlyte(ours) {
      if (!isRecord(ours)) return ours;
      return entriesWithValues(
        [...byFlyteName].map(([name, { key, field }]) => [name, field.toFlyte(entryOf(ours, key))]),
      );
    },
  };
}

/** Readers of protobuf JSON accept both spellings of a field's name. */
const camelCase = (name: string) => name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
const snakeCase = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

function isNothing(value: unknown): boolean {
  if (value === '' || value === 0 || value === false) return true;
  // Also null.
  return typeof value === 'object' && Object.keys(value ?? {}).length === 0;
}

const entriesWithValues = (entries: readonly (readonly [string, unknown])[]) =>
  Object.fromEntries(entries.filter(([, value]) => value !== undefined));

export const listOf = (item: Form): Form => ({
  toOurs: (flyte, place) =>
    Array.isArray(flyte) ? flyte.map((one, index) => item.toOurs(one, place.at(index))) : flyte,
  toFlyte: (ours) => (Array.isArray(ours) ? ours.map((one) => item.toFlyte(one)) : ours),
});

export const mapOf = (entry: Form): Form => ({
  toOurs: (flyte, place) =>
    isRecord(flyte) ? mapRecord(flyte, (one, key) => entry.toOurs(one, place.at(key))) : flyte,
  toFlyte: (ours) => (isRecord(ours) ? mapRecord(ours, (one) => entry.toFlyte(one)) : ours),
});

/** A message with one field, which our form does without. */
export const wrapped = (name: string, standsFor: unknown, form: Form): Form => {
  const inner = message({ [name]: always(standsFor, form) });
  return {
    toOurs: (flyte, place) => {
      const ours = inner.toOurs(flyte, place);
      return isRecord(ours) ? ours[name] : ours;
    },
    toFlyte: (ours) => inner.toFlyte({ [name]: ours }),
  };
};

/** A form that contains itself. */
export const lazily = (form: () => Form): Form => ({
  toOurs: (flyte, place) => form().toOurs(flyte, place),
  toFlyte: (ours) => form().toFlyte(ours),
});

/** The message with fields that an earlier reading has left over. */
export function withLeftovers(flyte: unknown, leftovers: readonly Leftover[]): unknown {
  return leftovers.reduce((message, { path, value }) => withValueAt(message, path, value), flyte);
}

function withValueAt(target: unknown, path: FieldPath, value: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  if (typeof step === 'number') {
    const items: readonly unknown[] = Array.isArray(target) ? target : [];
    return items.map((item, index) => (index === step ? withValueAt(item, rest, value) : item));
  }
  const entries = isRecord(target) ? target : {};
  return Object.fromEntries([
    ...Object.entries(entries),
    [step, withValueAt(entryOf(entries, step), rest, value)],
  ]);
}

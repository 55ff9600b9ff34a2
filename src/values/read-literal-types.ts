import { mapRecord } from './json.ts';
import {
  type LiteralType,
  type SchemaColumn,
  schemaColumnTypes,
  simpleTypes,
  type TypedInterface,
  type TypeStructure,
  type Variable,
} from './literal-types.ts';
import { onlyKey } from './one-of.ts';
import {
  checked,
  choice,
  defaulting,
  type Field,
  fields,
  jsonObject,
  list,
  mapOf,
  name,
  optional,
  type Reader,
  required,
  text,
} from './readers.ts';
import { remember } from './remember.ts';

/** How deep a type may be nested: a list of lists of integers has three levels. */
export const MAX_TYPE_DEPTH = 32;

/** How many parts a type may have (itself, its elements, variants, columns), so that comparing two types is fast. */
export const MAX_TYPE_PARTS = 1000;

/**
 * How many variants a union may have, including the variants of unions inside of it, because each value is tried with
 * all variants of its kind.
 */
export const MAX_UNION_VARIANTS = 50;

/**
 * Checks a literal type from outside and returns its stored form.
 *
 * Problems: `MissingField`, `UnrecognizedValue` for an unknown field, `InvalidValue` for a wrong value, a name over 255
 * characters, a repeated name or value, more than 32 levels, or a union of more than 50 variants.
 * Source: Flyte v1.16, `flyteidl/core/types.proto`.
 */
export const literalType = checked(typeWithin(MAX_TYPE_DEPTH), (type, place) => {
  if (countParts(type) > MAX_TYPE_PARTS) {
    place.report('InvalidValue', `a type must have at most ${MAX_TYPE_PARTS} parts`);
  }
});

export const variable = fields<Variable>({
  type: required(literalType),
  description: optional(text),
});

/** The interface of a task or workflow. Absent inputs or outputs mean that there are none. */
export const typedInterface = fields<TypedInterface>({
  inputs: defaulting(mapOf(variable), {}),
  outputs: defaulting(mapOf(variable), {}),
});

export const schemaType = fields({
  columns: defaulting(
    distinct(
      list(
        fields<SchemaColumn>({
          name: required(name),
          type: required(choice(...schemaColumnTypes)),
        }),
      ),
      (column) => column.name,
    ),
    [],
  ),
});

export const blobType = fields({
  format: defaulting(text, ''),
  dimensionality: defaulting(choice('SINGLE', 'MULTIPART'), 'SINGLE'),
});

const enumType = fields({
  values: required(
    nonEmpty(
      distinct(list(name), (value) => value),
      'an enum needs at least one value',
    ),
  ),
});

function structuredDatasetTypeWithin(depth: number) {
  const column = fields({
    name: required(name),
    literalType: required(typeWithin(depth)),
  });
  return fields({
    columns: defaulting(
      distinct(list(column), ({ name }) => name),
      [],
    ),
    format: defaulting(text, ''),
    externalSchemaType: optional(text),
    externalSchemaBytes: optional(text),
  });
}

export const structuredDatasetType = structuredDatasetTypeWithin(MAX_TYPE_DEPTH);

/**
 * The readers for each remaining depth. They are created only when needed, and only once, because a value may contain
 * many thousands of types.
 */
const readersByDepth = new Map<number, ReturnType<typeof makeReaders>>();

function makeReaders(depth: number) {
  const kinds = kindReaders(depth);
  const notes = noteReaders(depth);
  return {
    kinds,
    whole: mapRecord<Field<unknown>, Reader<object>>(kinds, (reader, kind) =>
      fields({ ...notes, [kind]: reader }),
    ),
  };
}

function typeWithin(depth: number): Reader<LiteralType> {
  return (value, place) => {
    if (depth === 0)
      return place.report('InvalidValue', `a type must be nested at most ${MAX_TYPE_DEPTH} levels deep`);
    const readers = remember(readersByDepth, depth, makeReaders);
    const kind = onlyKey(value, readers.kinds, place);
    return kind && (readers.whole[kind]?.(value, place) as LiteralType | undefined);
  };
}

function kindReaders(depth: number) {
  const inner = typeWithin(depth - 1);
  return {
    simple: required(choice(...simpleTypes)),
    schema: required(schemaType),
    collectionType: required(inner),
    mapValueType: required(inner),
    blob: required(blobType),
    enumType: required(enumType),
    structuredDatasetType: required(structuredDatasetTypeWithin(depth - 1)),
    unionType: required(
      checked(
        fields({ variants: required(nonEmpty(list(inner), 'a union needs at least one variant')) }),
        ({ variants }, place) => {
          if (variants.reduce((sum, variant) => sum + countVariants(variant), 0) > MAX_UNION_VARIANTS)
            place
              .at('variants')
              .report('InvalidValue', `a union must have at most ${MAX_UNION_VARIANTS} variants`);
        },
      ),
    ),
  };
}

function noteReaders(depth: number) {
  const inner = typeWithin(depth - 1);
  return {
    metadata: optional(jsonObject),
    annotation: optional(jsonObject),
    structure: optional(
      fields<TypeStructure>({
        tag: optional(text),
        dataclassType: optional(mapOf(inner)),
      }),
    ),
  };
}

function distinct<T>(read: Reader<T[]>, keyOf: (item: T) => string): Reader<T[]> {
  return checked(read, (items, place) => {
    const seen = new Set<string>();
    for (const [index, key] of items.map(keyOf).entries()) {
      if (seen.has(key)) place.at(index).report('InvalidValue', `${key} is listed twice`);
      seen.add(key);
    }
  });
}

function nonEmpty<T>(read: Reader<T[]>, message: string): Reader<T[]> {
  return checked(read, (items, place) => {
    if (items.length === 0) place.report('InvalidValue', message);
  });
}

function countVariants(type: LiteralType): number {
  if (!('unionType' in type)) return 1;
  return type.unionType.variants.reduce((sum, variant) => sum + countVariants(variant), 0);
}

function countParts(type: LiteralType): number {
  const inner = [...Object.values(type.structure?.dataclassType ?? {}), ...partsOf(type)];
  return inner.reduce((total, part) => total + countParts(part), 1);
}

function partsOf(type: LiteralType): readonly LiteralType[] {
  if ('collectionType' in type) return [type.collectionType];
  if ('mapValueType' in type) return [type.mapValueType];
  if ('unionType' in type) return type.unionType.variants;
  if ('structuredDatasetType' in type) {
    return type.structuredDatasetType.columns.map((column) => column.literalType);
  }
  return [];
}

import type { JsonObject } from './json.ts';

/**
 * The types of inputs and outputs, in the API, in the database and in code: the camelCase JSON of Flyte's protobuf.
 * Source: Flyte v1.16, `flyteidl/core/types.proto` and `interface.proto`.
 */
export const simpleTypes = [
  'NONE',
  'INTEGER',
  'FLOAT',
  'STRING',
  'BOOLEAN',
  'DATETIME',
  'DURATION',
  'BINARY',
  'ERROR',
  'STRUCT',
] as const;
export type SimpleType = (typeof simpleTypes)[number];

export const schemaColumnTypes = ['INTEGER', 'FLOAT', 'STRING', 'BOOLEAN', 'DATETIME', 'DURATION'] as const;
export interface SchemaColumn {
  readonly name: string;
  readonly type: (typeof schemaColumnTypes)[number];
}

/** A table that is stored as Parquet. Without columns it means any table. */
export interface SchemaType {
  readonly columns: readonly SchemaColumn[];
}

export interface BlobType {
  /** Empty means any format. */
  readonly format: string;
  readonly dimensionality: 'SINGLE' | 'MULTIPART';
}

export interface EnumType {
  /** The first one is the default. */
  readonly values: readonly string[];
}

export interface StructuredDatasetColumn {
  readonly name: string;
  readonly literalType: LiteralType;
}

export interface StructuredDatasetType {
  readonly columns: readonly StructuredDatasetColumn[];
  /** Upper and lower case are equal. Empty means any format. */
  readonly format: string;
  readonly externalSchemaType?: string;
  /** Base64. */
  readonly externalSchemaBytes?: string;
}

export interface UnionType {
  readonly variants: readonly LiteralType[];
}

export interface TypeStructure {
  /** Tells variants of a union apart: a value of a type with a tag fits only a type with the same tag. */
  readonly tag?: string;
  /** The fields of a STRUCT that comes from a dataclass. */
  readonly dataclassType?: Readonly<Record<string, LiteralType>>;
}

export interface TypeNotes {
  /** The JSON Schema of a STRUCT. */
  readonly metadata?: JsonObject;
  readonly annotation?: JsonObject;
  readonly structure?: TypeStructure;
}

export type LiteralType = TypeNotes &
  (
    | { readonly simple: SimpleType }
    | { readonly schema: SchemaType }
    | { readonly collectionType: LiteralType }
    | { readonly mapValueType: LiteralType }
    | { readonly blob: BlobType }
    | { readonly enumType: EnumType }
    | { readonly structuredDatasetType: StructuredDatasetType }
    | { readonly unionType: UnionType }
  );

export interface Variable {
  readonly type: LiteralType;
  readonly description?: string;
}

export interface TypedInterface {
  readonly inputs: Readonly<Record<string, Variable>>;
  readonly outputs: Readonly<Record<string, Variable>>;
}

export function isNoneType(type: LiteralType): boolean {
  return 'simple' in type && type.simple === 'NONE';
}

/** Whether the value is the error of a failed node, or may be one. */
export function isErrorType(type: LiteralType): boolean {
  if ('unionType' in type) return type.unionType.variants.some(isErrorType);
  return 'simple' in type && type.simple === 'ERROR';
}

/** Whether the value may be missing, because the type is a union with NONE. */
export function isOptionalType(type: LiteralType): boolean {
  return 'unionType' in type && type.unionType.variants.some(isNoneType);
}

/** The text of a type in messages: `list<integer>`, `union<string, none>`, `enum(small, large)`. Long texts are cut. */
export function typeText(type: LiteralType): string {
  let text = '';
  for (const part of typeParts(type)) {
    text += part;
    // A type may have thousands of names, and there is a message for each problem.
    if (text.length > MAX_TYPE_TEXT) return `${text.slice(0, MAX_TYPE_TEXT)}…`;
  }
  return text;
}

const MAX_TYPE_TEXT = 200;

function* typeParts(type: LiteralType): Generator<string> {
  if ('simple' in type) yield type.simple.toLowerCase();
  else if ('collectionType' in type) yield* around('list<', typeParts(type.collectionType), '>');
  else if ('mapValueType' in type) yield* around('map<', typeParts(type.mapValueType), '>');
  else if ('enumType' in type) yield* around('enum(', listed(type.enumType.values), ')');
  else if ('unionType' in type) yield* around('union<', variantParts(type.unionType), '>');
  else if ('schema' in type)
    yield* around('schema(', listed(type.schema.columns.map(({ name }) => name)), ')');
  else if ('blob' in type)
    yield `${type.blob.dimensionality.toLowerCase()} blob(${type.blob.format || 'any'})`;
  else yield `structured dataset(${type.structuredDatasetType.format || 'any'})`;
}

function* around(before: string, parts: Iterable<string>, after: string): Generator<string> {
  yield before;
  yield* parts;
  yield after;
}

function* listed(names: readonly string[]): Generator<string> {
  for (const [index, name] of names.entries()) yield index > 0 ? `, ${name}` : name;
}

function* variantParts({ variants }: UnionType): Generator<string> {
  for (const [index, variant] of variants.entries()) {
    if (index > 0) yield ', ';
    yield* typeParts(variant);
  }
}

import type { JsonObject } from './json.ts';
import type { BlobType, LiteralType, SchemaType, StructuredDatasetType } from './literal-types.ts';

/**
 * Typed values, in the API, in the database and in code: the camelCase JSON of Flyte's protobuf.
 * Source: Flyte v1.16, `flyteidl/core/literals.proto`.
 */
export type Primitive =
  /** An int64 in decimal digits, because a JSON number holds only 53 bits. */
  | { readonly integer: string }
  | { readonly floatValue: FloatValue }
  | { readonly stringValue: string }
  | { readonly boolean: boolean }
  /** RFC 3339 in UTC, years 1 to 9999, up to nanoseconds. */
  | { readonly datetime: string }
  /** ISO 8601 in hours, minutes and seconds, up to nanoseconds: `PT26H30M`. */
  | { readonly duration: string };

/** JSON cannot write the three values that are not finite; protobuf writes them as strings. */
export type FloatValue = number | 'NaN' | 'Infinity' | '-Infinity';

export type Scalar =
  | { readonly primitive: Primitive }
  | {
      readonly blob: {
        readonly uri: string;
        readonly metadata: { readonly type: BlobType };
      };
    }
  /** Base64, and the format of the bytes: `msgpack`, or empty. */
  | { readonly binary: { readonly value: string; readonly tag: string } }
  | { readonly schema: { readonly uri: string; readonly type: SchemaType } }
  | { readonly noneType: Readonly<Record<string, never>> }
  | {
      readonly error: {
        readonly failedNodeId: string;
        readonly message: string;
      };
    }
  | { readonly generic: JsonObject }
  | {
      readonly structuredDataset: {
        readonly uri: string;
        readonly metadata: { readonly type: StructuredDatasetType };
      };
    }
  /** A value of a union, and its variant. */
  | { readonly union: { readonly value: Literal; readonly type: LiteralType } };

export interface LiteralNotes {
  /** If given, it represents the value in cache keys. */
  readonly hash?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

export type Literal = LiteralNotes &
  (
    | { readonly scalar: Scalar }
    | { readonly collection: { readonly literals: readonly Literal[] } }
    | { readonly map: { readonly literals: Readonly<Record<string, Literal>> } }
  );

export type LiteralMap = Readonly<Record<string, Literal>>;

export const noneLiteral: Literal = { scalar: { noneType: {} } };

export function isNoneLiteral(literal: Literal): boolean {
  return 'scalar' in literal && 'noneType' in literal.scalar;
}

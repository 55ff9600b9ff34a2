import { isSchemaCastable, isStructuredDatasetCastable } from './castable-columns.ts';
import { includesJsonSchema } from './json-schema-superset.ts';
import { type BlobType, isNoneType, type LiteralType } from './literal-types.ts';

/**
 * Whether every value of `upstream` may be bound to `downstream`:
 *
 * | downstream         | accepted upstream |
 * |--------------------|-------------------|
 * | simple             | the same; an enum feeds STRING |
 * | STRUCT             | STRUCT, and the JSON Schemas agree where both carry one |
 * | enum               | an enum of no other values; STRING, whose value is checked when there is one |
 * | list, map          | the same kind of castable elements; an empty one, whose elements are NONE |
 * | blob               | equal dimensionality, equal formats or one of them empty |
 * | schema             | at least its columns, or either side without; a Parquet structured dataset likewise |
 * | structured dataset | at least its columns, formats equal but for case or one empty; a schema; NONE |
 * | union              | exactly one variant accepts it; a union, when each of its variants is accepted by some |
 * | all but union      | a union of a single variant, when that one is accepted |
 *
 * A tagged upstream type fits only where the same tag stands.
 * Source: Flyte v1.16, `flytepropeller/pkg/compiler/validators/typing.go`, AreTypesCastable.
 */
export function isCastable(upstream: LiteralType, downstream: LiteralType): boolean {
  if ('unionType' in downstream) return castsToUnion(upstream, downstream.unionType.variants);
  if ('unionType' in upstream) {
    const [only, ...others] = upstream.unionType.variants;
    return only !== undefined && others.length === 0 && isCastable(only, downstream);
  }
  const tag = upstream.structure?.tag ?? '';
  if (tag !== '' && tag !== downstream.structure?.tag) return false;
  return castsToKind(upstream, downstream);
}

/** The only variant that accepts a type which is not a union; undefined if none or several do. */
export function onlyCastableVariant(
  upstream: LiteralType,
  variants: readonly LiteralType[],
): LiteralType | undefined {
  const accepting = variants.filter((variant) => isCastable(upstream, variant));
  return accepting.length === 1 ? accepting[0] : undefined;
}

function castsToUnion(upstream: LiteralType, variants: readonly LiteralType[]): boolean {
  if (!('unionType' in upstream)) return onlyCastableVariant(upstream, variants) !== undefined;
  return upstream.unionType.variants.every((from) => variants.some((to) => isCastable(from, to)));
}

function castsToKind(
  upstream: LiteralType,
  downstream: Exclude<LiteralType, { readonly unionType: object }>,
): boolean {
  if ('simple' in downstream) return castsToSimple(upstream, downstream);
  if ('enumType' in downstream) return castsToEnum(upstream, downstream.enumType.values);
  if ('collectionType' in downstream) {
    return 'collectionType' in upstream && elementCasts(upstream.collectionType, downstream.collectionType);
  }
  if ('mapValueType' in downstream) {
    return 'mapValueType' in upstream && elementCasts(upstream.mapValueType, downstream.mapValueType);
  }
  if ('blob' in downstream) return 'blob' in upstream && blobCasts(upstream.blob, downstream.blob);
  if ('schema' in downstream) return isSchemaCastable(upstream, downstream.schema);
  return isStructuredDatasetCastable(upstream, downstream.structuredDatasetType, isCastable);
}

function castsToSimple(upstream: LiteralType, downstream: LiteralType & { simple: string }): boolean {
  if ('enumType' in upstream) return downstream.simple === 'STRING';
  if (!('simple' in upstream) || upstream.simple !== downstream.simple) return false;
  if (downstream.simple !== 'STRUCT' || !upstream.metadata || !downstream.metadata) return true;
  return includesJsonSchema(upstream.metadata, downstream.metadata);
}

function castsToEnum(upstream: LiteralType, values: readonly string[]): boolean {
  if ('enumType' in upstream) return upstream.enumType.values.every((value) => values.includes(value));
  return 'simple' in upstream && upstream.simple === 'STRING';
}

function elementCasts(upstream: LiteralType, downstream: LiteralType): boolean {
  return isNoneType(upstream) || isCastable(upstream, downstream);
}

function blobCasts(upstream: BlobType, downstream: BlobType): boolean {
  if (upstream.dimensionality !== downstream.dimensionality) return false;
  return upstream.format === '' || downstream.format === '' || upstream.format === downstream.format;
}

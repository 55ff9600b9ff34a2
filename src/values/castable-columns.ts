import {
  isNoneType,
  type LiteralType,
  type SchemaType,
  type StructuredDatasetType,
} from './literal-types.ts';

type TypeComparison = (upstream: LiteralType, downstream: LiteralType) => boolean;

/** Whether a table of the upstream type can be read as a schema. Schemas are always stored as Parquet. */
export function isSchemaCastable(upstream: LiteralType, downstream: SchemaType): boolean {
  const wanted = asColumns(downstream);
  if ('schema' in upstream) return includesColumns(asColumns(upstream.schema), wanted, sameSimpleType);
  if (!('structuredDatasetType' in upstream)) return false;
  const { columns, format } = upstream.structuredDatasetType;
  return mayBeParquet(format) && includesColumns(asMap(columns), wanted, sameSimpleType);
}

/** Whether a table of the upstream type, or no value (NONE), can be read as a structured dataset. */
export function isStructuredDatasetCastable(
  upstream: LiteralType,
  downstream: StructuredDatasetType,
  isCastable: TypeComparison,
): boolean {
  if (isNoneType(upstream)) return true;
  const wanted = asMap(downstream.columns);
  if ('schema' in upstream) {
    return (
      mayBeParquet(downstream.format) && includesColumns(asColumns(upstream.schema), wanted, sameSimpleType)
    );
  }
  if (!('structuredDatasetType' in upstream)) return false;
  const { columns, format } = upstream.structuredDatasetType;
  return formatsAgree(format, downstream.format) && includesColumns(asMap(columns), wanted, isCastable);
}

type Columns = ReadonlyMap<string, LiteralType>;

/** A type without columns means any table. */
function includesColumns(upstream: Columns, downstream: Columns, casts: TypeComparison): boolean {
  if (upstream.size === 0) return true;
  return [...downstream].every(([name, type]) => {
    const found = upstream.get(name);
    return found !== undefined && casts(found, type);
  });
}

function asColumns(schema: SchemaType): Columns {
  return new Map(schema.columns.map(({ name, type }) => [name, { simple: type }]));
}

function asMap(columns: StructuredDatasetType['columns']): Columns {
  return new Map(columns.map(({ name, literalType }) => [name, literalType]));
}

function sameSimpleType(upstream: LiteralType, downstream: LiteralType): boolean {
  return 'simple' in upstream && 'simple' in downstream && upstream.simple === downstream.simple;
}

function mayBeParquet(format: string): boolean {
  return formatsAgree(format, 'parquet');
}

function formatsAgree(one: string, other: string): boolean {
  return one === '' || other === '' || one.toLowerCase() === other.toLowerCase();
}

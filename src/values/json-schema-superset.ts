import { canonicalJson } from './canonical-json.ts';
import { entryOf, isRecord, type JsonObject, type JsonValue } from './json.ts';

/** Keywords that do not change which values are valid, or that dataclass tools write in different ways. */
const remarks = new Set([
  '$schema',
  '$id',
  'title',
  'description',
  'default',
  'examples',
  'additionalProperties',
]);

/** Keywords whose value is a map from a name to a schema. */
const schemaMaps = ['properties', '$defs', 'definitions'] as const;

/**
 * Whether an object with the schema `upstream` has everything that `downstream` needs: the same schema, or one with
 * more properties. Each property of `downstream` must be in `upstream`, with a schema that includes it in the same way,
 * and `upstream` must require what `downstream` requires. Elements of arrays are compared in the same way. All other
 * keywords must be equal. Titles, descriptions, defaults and `additionalProperties` do not count.
 *
 * Source: Flyte v1.16, `flytepropeller/pkg/compiler/validators/typing.go`, isSuperTypeInJSON, which uses a library to
 * compare schemas: the upstream dataclass may have more fields than the downstream one.
 */
export function includesJsonSchema(upstream: JsonObject, downstream: JsonObject): boolean {
  if (!schemaMaps.every((keyword) => includesSchemaMap(upstream[keyword], downstream[keyword]))) return false;
  if (!includesAll(upstream['required'], downstream['required'])) return false;
  if (!includesSchema(upstream['items'], downstream['items'])) return false;
  return canonicalJson(otherKeywords(upstream)) === canonicalJson(otherKeywords(downstream));
}

function includesSchemaMap(upstream: JsonValue | undefined, downstream: JsonValue | undefined): boolean {
  if (!isObject(downstream)) return downstream === undefined;
  return Object.entries(downstream).every(
    ([name, schema]) => isObject(upstream) && includesSchema(entryOf(upstream, name), schema),
  );
}

function includesSchema(upstream: JsonValue | undefined, downstream: JsonValue | undefined): boolean {
  if (isObject(upstream) && isObject(downstream)) return includesJsonSchema(upstream, downstream);
  if (upstream === undefined || downstream === undefined) return upstream === downstream;
  return canonicalJson(upstream) === canonicalJson(downstream);
}

function includesAll(upstream: JsonValue | undefined, downstream: JsonValue | undefined): boolean {
  if (!Array.isArray(downstream)) return true;
  return downstream.every((name) => Array.isArray(upstream) && upstream.includes(name));
}

function otherKeywords(schema: JsonObject): JsonObject {
  const compared = new Set<string>([...remarks, ...schemaMaps, 'required', 'items']);
  return Object.fromEntries(Object.entries(schema).filter(([keyword]) => !compared.has(keyword)));
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return isRecord(value);
}

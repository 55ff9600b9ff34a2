import { entryOf, isRecord, type JsonValue, kindOfPlain } from '../../values/json.ts';
import type { Literal } from '../../values/literals.ts';
import type { Place } from '../../values/problem-list.ts';
import { attributeText } from './attribute-types.ts';
import type { Attribute } from './workflow-templates.ts';

/** The value at an attribute path: a literal, or plain JSON inside a struct. */
export type AttributeValue = { readonly literal: Literal } | { readonly json: JsonValue };

/**
 * Follows an attribute path through a value: lists by index, maps by key, structs by field and index.
 *
 * Problems: `FieldNotFound` for a key, index or field that the value does not have, and for a path into a value without
 * parts, such as a binary one.
 * Source: Flyte v1.16, `flytepropeller/pkg/controller/nodes/attr_path_resolver.go`.
 */
export function valueAtPath(
  literal: Literal,
  attributes: readonly Attribute[],
  place: Place,
): AttributeValue | undefined {
  let current: AttributeValue = { literal };
  for (const [index, attribute] of attributes.entries()) {
    const at = place.at('attrPath', index);
    const next: AttributeValue | undefined =
      'literal' in current
        ? literalAttribute(current.literal, attribute, at)
        : jsonAttribute(current.json, attribute, at);
    if (next === undefined) return undefined;
    current = next;
  }
  return current;
}

function literalAttribute(literal: Literal, attribute: Attribute, place: Place): AttributeValue | undefined {
  if ('collection' in literal) {
    const item = typeof attribute === 'number' ? literal.collection.literals[attribute] : undefined;
    return item ? { literal: item } : notFound('the list', attribute, place);
  }
  if ('map' in literal) {
    const entry = typeof attribute === 'string' ? entryOf(literal.map.literals, attribute) : undefined;
    return entry ? { literal: entry } : notFound('the map', attribute, place);
  }
  const { scalar } = literal;
  if ('union' in scalar) return literalAttribute(scalar.union.value, attribute, place);
  if ('generic' in scalar) return jsonAttribute(scalar.generic, attribute, place);
  return notFound(`the ${Object.keys(scalar).join()} value`, attribute, place);
}

function jsonAttribute(json: JsonValue, attribute: Attribute, place: Place): AttributeValue | undefined {
  const value = memberOf(json, attribute);
  return value === undefined ? notFound(`the ${kindOfPlain(json)}`, attribute, place) : { json: value };
}

function memberOf(json: JsonValue, attribute: Attribute): JsonValue | undefined {
  if (Array.isArray(json)) return typeof attribute === 'number' ? json[attribute] : undefined;
  return isRecord(json) && typeof attribute === 'string' ? entryOf(json, attribute) : undefined;
}

function notFound(where: string, attribute: Attribute, place: Place): undefined {
  return place.report('FieldNotFound', `${where} has no ${attributeText(attribute)}`);
}

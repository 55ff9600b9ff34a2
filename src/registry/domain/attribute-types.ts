import { entryOf, isRecord } from '../../values/json.ts';
import { typeOfJsonSchema } from '../../values/json-schema-types.ts';
import { type LiteralType, typeText } from '../../values/literal-types.ts';
import type { Place } from '../../values/problem-list.ts';
import type { Attribute } from './workflow-templates.ts';

/** UNKNOWN: a value inside a struct whose fields are not declared. Only the value will show its type. */
export type AttributeType = LiteralType | 'UNKNOWN';

/**
 * The type of the value at an attribute path. The path leads through lists (by index), maps (by key) and structs (by
 * field, if a dataclass type or a JSON Schema lists the fields). It leads into a union only if the union has a single
 * variant.
 *
 * Problems: `FieldNotFound` at the attribute that cannot be followed. An index is not checked against a length, because
 * only the value has a length. Source: Flyte v1.16, `flytepropeller/pkg/compiler/validators/bindings.go`. Following
 * JSON Schemas is our addition.
 */
export function typeAtPath(
  type: LiteralType,
  attributes: readonly Attribute[],
  place: Place,
): AttributeType | undefined {
  let current: AttributeType = type;
  for (const [index, attribute] of attributes.entries()) {
    if (current === 'UNKNOWN') return current;
    const next: AttributeType | undefined = typeOfAttribute(current, attribute);
    if (next === undefined) {
      return place
        .at('attrPath', index)
        .report('FieldNotFound', `${typeText(current)} has no ${attributeText(attribute)}`);
    }
    current = next;
  }
  return current;
}

export function attributeText(attribute: Attribute): string {
  return typeof attribute === 'number' ? `index ${attribute}` : `field ${attribute}`;
}

function typeOfAttribute(type: LiteralType, attribute: Attribute): AttributeType | undefined {
  if ('unionType' in type) {
    const [only, ...others] = type.unionType.variants;
    return only && others.length === 0 ? typeOfAttribute(only, attribute) : undefined;
  }
  if ('collectionType' in type) return typeof attribute === 'number' ? type.collectionType : undefined;
  if (typeof attribute === 'number') return undefined;
  if ('mapValueType' in type) return type.mapValueType;
  if (!('simple' in type) || type.simple !== 'STRUCT') return undefined;
  const fields = type.structure?.dataclassType;
  if (fields !== undefined) return entryOf(fields, attribute);
  return typeOfProperty(type.metadata ?? {}, attribute);
}

function typeOfProperty(schema: Readonly<Record<string, unknown>>, name: string): AttributeType | undefined {
  const { properties, additionalProperties } = schema;
  if (!isRecord(properties)) return 'UNKNOWN';
  const property = entryOf(properties, name);
  if (property !== undefined) return typeOfJsonSchema(property) ?? 'UNKNOWN';
  const isOpen = additionalProperties === true || isRecord(additionalProperties);
  return isOpen ? 'UNKNOWN' : undefined;
}

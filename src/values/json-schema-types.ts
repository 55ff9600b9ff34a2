import { isRecord } from './json.ts';
import type { LiteralType } from './literal-types.ts';

/**
 * The literal type of the values that a JSON Schema describes. Undefined if no literal type is the same, so that only a
 * value can be checked: for references, alternatives, and strings with a format.
 */
export function typeOfJsonSchema(schema: unknown): LiteralType | undefined {
  if (!isRecord(schema)) return undefined;
  switch (schema['type']) {
    case 'integer':
      return { simple: 'INTEGER' };
    case 'number':
      return { simple: 'FLOAT' };
    case 'boolean':
      return { simple: 'BOOLEAN' };
    case 'string':
      return schema['format'] === undefined ? { simple: 'STRING' } : undefined;
    case 'array': {
      const element = typeOfJsonSchema(schema['items']);
      return element && { collectionType: element };
    }
    case 'object':
      // References inside would lose their definitions.
      return hasReferences(schema) ? undefined : { simple: 'STRUCT', metadata: schema as StructMetadata };
    default:
      return undefined;
  }
}

type StructMetadata = NonNullable<LiteralType['metadata']>;

function hasReferences(schema: unknown): boolean {
  if (Array.isArray(schema)) return schema.some(hasReferences);
  if (!isRecord(schema)) return false;
  return '$ref' in schema || Object.values(schema).some(hasReferences);
}

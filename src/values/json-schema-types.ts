import { isRecord } from './json.ts';
import type { LiteralType } from './literal-types.ts';

/**
 * The literal type of what a JSON Schema describes; undefined where none says the same, so that nothing can be
 * judged before there is a value: references, alternatives, and strings with a format.
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
      // References inside would lose the definitions they point to.
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

import { describe, expect, it } from 'vitest';
import { typeAtPath } from '../../src/registry/domain/attribute-types.ts';
import type { LiteralType } from '../../src/values/literal-types.ts';
import { Place } from '../../src/values/problem-list.ts';

/** The type of a field of a struct with one property, `rows`, and more keywords. */
function typeOfField(name: string, more: object): unknown {
  const metadata = { type: 'object', properties: { rows: { type: 'integer' } }, ...more };
  const struct: LiteralType = { simple: 'STRUCT', metadata };
  const place = new Place([]);
  return typeAtPath(struct, [name], place) ?? place.problems.all[0]?.code;
}

describe('a field of a struct', () => {
  it.each([
    ['that its schema names', 'rows', {}, { simple: 'INTEGER' }],
    ['that its schema does not name', 'lines', {}, 'FieldNotFound'],
    ['of a schema that is closed', 'lines', { additionalProperties: false }, 'FieldNotFound'],
    ['of a schema that is open', 'lines', { additionalProperties: true }, 'UNKNOWN'],
    [
      'of a schema that is open for numbers',
      'lines',
      { additionalProperties: { type: 'number' } },
      'UNKNOWN',
    ],
    ['of a schema that names none', 'lines', { properties: null }, 'UNKNOWN'],
    ['that has alternatives', 'rows', { properties: { rows: { anyOf: [] } } }, 'UNKNOWN'],
  ])('%s has a type, may have any, or does not exist', (_what, name, more, expected) => {
    expect(typeOfField(name, more)).toEqual(expected);
  });
});

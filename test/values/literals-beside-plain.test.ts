import { describe, expect, it } from 'vitest';
import type { LiteralType, SimpleType } from '../../src/values/literal-types.ts';
import type { Literal, Primitive, Scalar } from '../../src/values/literals.ts';
import { literalsBesidePlain } from '../../src/values/literals-beside-plain.ts';

const simple = (type: SimpleType): LiteralType => ({ simple: type });
const union = (...variants: LiteralType[]): LiteralType => ({ unionType: { variants } });
const blob = (format: string): LiteralType => ({ blob: { format, dimensionality: 'SINGLE' } });
const scalar = (value: Scalar): Literal => ({ scalar: value });
const primitive = (value: Primitive): Literal => scalar({ primitive: value });
const inUnion = (type: LiteralType, value: Literal): Literal => scalar({ union: { type, value } });
const file = (format: string): Literal =>
  scalar({ blob: { uri: 's3://b/f', metadata: { type: { format, dimensionality: 'SINGLE' } } } });
const bytes = (tag: string): Literal => scalar({ binary: { value: 'aGk=', tag } });
const listOf = (...literals: Literal[]): Literal => ({ collection: { literals } });
const mapTo = (literal: Literal): Literal => ({ map: { literals: { key: literal } } });

const text = primitive({ stringValue: 'a' });
const three = primitive({ floatValue: 3 });
const list = (type: LiteralType): LiteralType => ({ collectionType: type });
const number = union(simple('INTEGER'), simple('FLOAT'));
const optional = union(simple('FLOAT'), simple('NONE'));

describe('the literals beside plain values', () => {
  const beside = (type: LiteralType, value: Literal) => literalsBesidePlain({ x: { type } }, { x: value });

  it.each<[string, LiteralType, Literal]>([
    ['a text', simple('STRING'), text],
    ['a struct', simple('STRUCT'), scalar({ generic: { a: [1, null] } })],
    ['an error', simple('ERROR'), scalar({ error: { failedNodeId: 'n', message: 'lost' } })],
    ['nothing', simple('NONE'), scalar({ noneType: {} })],
    ['bytes without a format', simple('BINARY'), bytes('')],
    ['a file of the declared format', blob('csv'), file('csv')],
    ['a value that fits one variant only', optional, inUnion(simple('FLOAT'), three)],
    ['lists and maps of such values', list({ mapValueType: blob('csv') }), listOf(mapTo(file('csv')))],
  ])('leave out %s', (_what, type, value) => {
    expect(beside(type, value)).toEqual({});
  });

  it.each<[string, LiteralType, Literal]>([
    ['a value that fits several variants', number, inUnion(simple('FLOAT'), three)],
    ['a file of a narrower format', blob(''), file('csv')],
    ['bytes of a format', simple('BINARY'), bytes('msgpack')],
    ['a hash', simple('STRING'), { ...text, hash: 'h' }],
    ['metadata', simple('STRING'), { ...text, metadata: { a: 'b' } }],
    ['a list with such a value', list(simple('STRING')), listOf(text, { ...text, hash: 'h' })],
    ['a map with such a value', { mapValueType: blob('') }, mapTo(file('csv'))],
  ])('have %s', (_what, type, value) => {
    expect(beside(type, value)).toEqual({ x: value });
  });

  it('have the values that nothing declares', () => {
    expect(literalsBesidePlain({}, { x: text })).toEqual({ x: text });
  });
});

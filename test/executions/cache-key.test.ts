import { describe, expect, it } from 'vitest';
import { cacheKeyOf } from '../../src/executions/domain/cache-key.ts';
import type { LiteralType } from '../../src/values/literal-types.ts';
import type { Literal } from '../../src/values/literals.ts';

const INTEGER: LiteralType = { simple: 'INTEGER' };
const integer = (value: number): Literal => ({ scalar: { primitive: { integer: String(value) } } });
const text = (value: string): Literal => ({ scalar: { primitive: { stringValue: value } } });

const call = {
  task: { project: 'p', domain: 'd', name: 'train', version: 'v1' },
  interface: { inputs: { x: { type: INTEGER }, y: { type: INTEGER } }, outputs: { z: { type: INTEGER } } },
  cacheVersion: '1',
  ignoredInputs: [] as string[],
  inputs: { x: integer(1), y: integer(2) } as Record<string, Literal>,
};
type Call = typeof call;
const keyOf = (changes: Partial<Call> = {}) => cacheKeyOf({ ...call, ...changes });

describe('the key of cached outputs', () => {
  it.each<[string, Partial<Call>]>([
    ['project', { task: { ...call.task, project: 'q' } }],
    ['domain', { task: { ...call.task, domain: 'e' } }],
    ['name', { task: { ...call.task, name: 'test' } }],
    ['cache version', { cacheVersion: '2' }],
    [
      'type of an input',
      {
        interface: { ...call.interface, inputs: { x: { type: { simple: 'FLOAT' } }, y: { type: INTEGER } } },
      },
    ],
    [
      'type of an output',
      { interface: { ...call.interface, outputs: { z: { type: { simple: 'FLOAT' } } } } },
    ],
    ['name of an output', { interface: { ...call.interface, outputs: { w: { type: INTEGER } } } as never }],
    ['value of an input', { inputs: { ...call.inputs, y: integer(3) } }],
    ['kind of an input', { inputs: { ...call.inputs, y: text('2') } }],
    ['set of inputs', { inputs: { x: integer(1) } }],
    ['hash of an input', { inputs: { ...call.inputs, y: { ...integer(2), hash: 'h' } } }],
  ])('is another one with another %s', (_what, changes) => {
    expect(keyOf(changes)).not.toBe(keyOf());
  });

  it.each<[string, Partial<Call>]>([
    ['version of the task', { task: { ...call.task, version: 'v2' } }],
    ['order of the inputs', { inputs: { y: integer(2), x: integer(1) } }],
    [
      'description of a variable',
      {
        interface: { ...call.interface, outputs: { z: { type: INTEGER, description: 'the sum' } } } as never,
      },
    ],
    ['metadata of a value', { inputs: { ...call.inputs, y: { ...integer(2), metadata: { a: 'b' } } } }],
  ])('is the same with another %s', (_what, changes) => {
    expect(keyOf(changes)).toBe(keyOf());
  });

  it('does not depend on ignored inputs, whether they are there or not', () => {
    const ignoring = { ignoredInputs: ['y'] };
    const key = keyOf(ignoring);
    expect(keyOf({ ...ignoring, inputs: { x: integer(1), y: integer(9) } })).toBe(key);
    expect(keyOf({ ...ignoring, inputs: { x: integer(1) } })).toBe(key);
    expect(keyOf({ ...ignoring, inputs: { x: integer(9), y: integer(2) } })).not.toBe(key);
  });

  it('takes the hash of a literal for its value, also inside of lists, maps and unions', () => {
    const hashed = (value: number): Literal => ({ ...integer(value), hash: 'same' });
    const wrap: Record<string, (literal: Literal) => Literal> = {
      alone: (literal) => literal,
      list: (literal) => ({ collection: { literals: [literal] } }),
      map: (literal) => ({ map: { literals: { a: literal } } }),
      union: (value) => ({ scalar: { union: { value, type: INTEGER } } }),
    };
    const keys = Object.values(wrap).map((around) => {
      expect(keyOf({ inputs: { x: around(hashed(1)) } })).toBe(keyOf({ inputs: { x: around(hashed(2)) } }));
      expect(keyOf({ inputs: { x: around(integer(1)) } })).not.toBe(
        keyOf({ inputs: { x: around(integer(2)) } }),
      );
      return keyOf({ inputs: { x: around(hashed(1)) } });
    });
    expect(new Set(keys).size).toBe(4);
  });

  it('keeps the variants of a union apart', () => {
    const variant = (type: LiteralType): Literal => ({ scalar: { union: { value: integer(1), type } } });
    expect(keyOf({ inputs: { x: variant(INTEGER) } })).not.toBe(
      keyOf({ inputs: { x: variant({ simple: 'STRING' }) } }),
    );
  });
});

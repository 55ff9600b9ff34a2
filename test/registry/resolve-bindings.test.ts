import { describe, expect, it } from 'vitest';
import { compileBindings, type Output } from '../../src/registry/domain/compile-bindings.ts';
import { readWorkflowTemplate } from '../../src/registry/domain/read-workflow-templates.ts';
import { resolveBindings, type UpstreamValues } from '../../src/registry/domain/resolve-bindings.ts';
import type { LiteralType } from '../../src/values/literal-types.ts';
import { coerceToLiteral, toPlain } from '../../src/values/plain-values.ts';
import { Place } from '../../src/values/problem-list.ts';
import { faultsOf, valueIn } from './outcomes.ts';
import {
  bindings,
  integer,
  listOf,
  mapOf,
  none,
  promise,
  string,
  unionOf,
  value,
  variables,
} from './workflows.ts';

const float: LiteralType = { simple: 'FLOAT' };
const struct: LiteralType = { simple: 'STRUCT' };
const upstreamTypes: Record<string, LiteralType> = {
  rows: integer,
  list: listOf(mapOf(integer)),
  info: struct,
  maybe: unionOf(integer, none),
  single: unionOf(integer),
  boxed: unionOf(listOf(integer)),
  missing: integer,
};
const upstreamPlain: Record<string, unknown> = {
  rows: '9223372036854775807',
  list: [{}, JSON.parse('{"__proto__": 7}')],
  info: { deep: [{ rate: 3, name: null, tags: ['a'] }] },
  maybe: null,
  single: 4,
  boxed: [8],
};

const literals = Object.fromEntries(
  Object.entries(upstreamPlain).map(([name, plain]) => [
    name,
    valueIn(coerceToLiteral(upstreamTypes[name] ?? none, plain, [])),
  ]),
);
const upstream: UpstreamValues = { inputs: literals, outputs: new Map([['load', literals]]) };

/** Compiles bindings with the types above and resolves them with the values. */
function resolve(types: Record<string, LiteralType>, bound: Record<string, unknown>) {
  const outputs = new Map(
    Object.entries(upstreamTypes).map(([name, type]): [string, Output] => [name, { var: name, type }]),
  );
  const place = new Place([]);
  const template = readWorkflowTemplate({ interface: {}, outputs: bindings(bound) });
  const sources = new Map([
    ['load', outputs],
    ['start-node', outputs],
  ]);
  const compiled = compileBindings(template.outputs, variables(types), sources, place);
  expect(place.problems.all).toEqual([]);
  return resolveBindings(compiled, variables(types), upstream);
}

describe('resolveBindings', () => {
  it.each<[string, LiteralType, unknown, unknown]>([
    ['a value', string, value('x'), 'x'],
    ['an output, to the last digit', integer, promise('load', 'rows'), '9223372036854775807'],
    ['an input of the workflow', integer, promise('', 'single'), 4],
    ['an index and a key', integer, promise('load', 'list', 1, '__proto__'), 7],
    ['an index inside a union of one variant', integer, promise('load', 'boxed', 0), 8],
    ['a field inside a struct', float, promise('load', 'info', 'deep', 0, 'rate'), 3],
    ['a list inside a struct', listOf(string), promise('load', 'info', 'deep', 0, 'tags'), ['a']],
    ['null inside a struct', unionOf(string, none), promise('load', 'info', 'deep', 0, 'name'), null],
    [
      'lists of bindings',
      listOf(integer),
      { collection: { bindings: [promise('load', 'single'), value(5)] } },
      [4, 5],
    ],
    ['maps of bindings', mapOf(integer), { map: { bindings: { a: promise('load', 'single') } } }, { a: 4 }],
    ['an optional that is none', unionOf(string, integer, none), promise('load', 'maybe'), null],
  ])('resolves %s', (_what, type, binding, expected) => {
    expect(
      toPlain(valueIn(resolve({ x: type }, { x: binding }))['x'] ?? { scalar: { noneType: {} } }),
    ).toEqual(expected);
  });

  const four = { scalar: { primitive: { integer: '4' } } };
  const wrapped = (type: LiteralType, literal: object) => ({ scalar: { union: { value: literal, type } } });

  it('wraps and unwraps unions as the target type needs', () => {
    const to = (type: LiteralType, binding: unknown) => valueIn(resolve({ x: type }, { x: binding }))['x'];
    expect(to(unionOf(string, integer), promise('load', 'single'))).toEqual(wrapped(integer, four));
    expect(to(integer, promise('load', 'single'))).toEqual(four);
    const list = { collection: { bindings: [promise('load', 'single')] } };
    expect(to(unionOf(integer, listOf(integer)), list)).toEqual(
      wrapped(listOf(integer), { collection: { literals: [four] } }),
    );
    expect(to(unionOf(string, mapOf(integer)), promise('load', 'list', 0))).toEqual(
      wrapped(mapOf(integer), { map: { literals: {} } }),
    );
  });

  it('gives none, as a variant of the union, for an optional input that is not bound', () => {
    const tagged: LiteralType = { simple: 'NONE', structure: { tag: 'none' } };
    expect(valueIn(resolve({ x: unionOf(string, tagged) }, {}))).toEqual({
      x: wrapped(tagged, { scalar: { noneType: {} } }),
    });
    expect(valueIn(resolve({ x: unionOf(integer, none) }, { x: promise('load', 'missing') }))).toEqual({
      x: wrapped(none, { scalar: { noneType: {} } }),
    });
  });

  it.each<[string, LiteralType, unknown, string]>([
    ['an output that was not given', integer, promise('load', 'missing'), 'ValueRequired x'],
    ['an index past the end', integer, promise('load', 'list', 2, 'a'), 'FieldNotFound x.attrPath.0'],
    ['a key that is not there', integer, promise('load', 'list', 0, 'a'), 'FieldNotFound x.attrPath.1'],
    [
      'a name of the prototype',
      integer,
      promise('load', 'list', 0, 'toString'),
      'FieldNotFound x.attrPath.1',
    ],
    ['a field that is not there', integer, promise('load', 'info', 'shallow'), 'FieldNotFound x.attrPath.0'],
    [
      'a field of a number',
      integer,
      promise('load', 'info', 'deep', 0, 'rate', 'x'),
      'FieldNotFound x.attrPath.3',
    ],
    ['a field of another type', string, promise('load', 'info', 'deep', 0, 'rate'), 'MismatchingTypes x'],
  ])('refuses %s and names the variable', (_what, type, binding, fault) => {
    const outcome = resolve({ x: type }, { x: binding });
    expect(faultsOf(outcome)).toEqual([fault]);
    expect(outcome.ok ? '' : outcome.problems[0]?.message).toMatch(/^x: /);
  });

  it('refuses a variable that is not bound', () => {
    expect(faultsOf(resolveBindings([], variables({ x: integer }), upstream))).toEqual([
      'ParameterNotBound x',
    ]);
  });
});

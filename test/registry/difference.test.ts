import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compare, differences } from '../../src/registry/domain/difference.ts';
import { canonicalJson } from '../../src/values/canonical-json.ts';

const json = fc.jsonValue({ maxDepth: 4 });
const allDifferences = (before: unknown, after: unknown) => differences(before, after, 10_000);

describe('differences', () => {
  it('names each path with its old and new value', () => {
    const before = { image: 'a', env: [{ key: 'x' }, { key: 'y' }], gone: { a: 1 }, kind: [] };
    const after = { image: 'b', env: [{ key: 'x' }, { key: 'z' }, null], kind: {}, added: true };
    expect(allDifferences(before, after)).toEqual([
      { path: ['added'], oldValue: null, newValue: 'true' },
      { path: ['env', '1', 'key'], oldValue: '"y"', newValue: '"z"' },
      { path: ['env', '2'], oldValue: null, newValue: 'null' },
      { path: ['gone'], oldValue: '{"a":1}', newValue: null },
      { path: ['image'], oldValue: '"a"', newValue: '"b"' },
      { path: ['kind'], oldValue: '[]', newValue: '{}' },
    ]);
  });

  it('finds a difference exactly when the documents differ', () => {
    fc.assert(
      fc.property(json, json, (one, other) => {
        expect(allDifferences(one, other).length > 0).toBe(canonicalJson(one) !== canonicalJson(other));
        expect(allDifferences(one, one)).toEqual([]);
      }),
    );
  });

  it('sees keys with the names of prototype members', () => {
    expect(allDifferences(JSON.parse('{"__proto__": 1}'), { constructor: 1 })).toEqual([
      { path: ['__proto__'], oldValue: '1', newValue: null },
      { path: ['constructor'], oldValue: null, newValue: '1' },
    ]);
  });

  it('cuts its text at the limit', () => {
    const long = { a: 'x'.repeat(1000), b: 'y'.repeat(1000) };
    const [first, ...others] = differences(long, {}, 100);
    expect(first?.oldValue).toHaveLength(99);
    expect(others).toEqual([]);
    expect(differences({ ab: 1 }, { ab: 2 }, 2)).toEqual([]);
    fc.assert(
      fc.property(json, json, fc.nat(50), (one, other, limit) => {
        const text = differences(one, other, limit).flatMap(({ path, oldValue, newValue }) => [
          ...path,
          oldValue ?? '',
          newValue ?? '',
        ]);
        expect(text.join('').length).toBeLessThanOrEqual(limit);
      }),
    );
  });
});

describe('a comparison', () => {
  const before = { a: 12, b: 1 };
  const after = { a: 34, b: 2 };
  const a = { path: ['a'], oldValue: '12', newValue: '34' };

  it.each([
    ['leaves nothing out if all paths and values are as long as the limit', 8, [a, ['1', '2']], true],
    ['says that a value is cut', 7, [a, ['1', '']], false],
    ['leaves out a difference of which only the path would fit', 6, [a], false],
    ['says that a difference is left out', 5, [a], false],
    ['cuts the second value of a difference', 4, [{ ...a, newValue: '3' }], false],
  ])('%s', (_what, limit, expected, isComplete) => {
    const differences = expected.map((one) =>
      Array.isArray(one) ? { path: ['b'], oldValue: one[0], newValue: one[1] } : one,
    );
    expect(compare(before, after, limit)).toEqual({ differences, isComplete });
  });

  it('of equal documents is complete', () => {
    expect(compare(before, before, 0)).toEqual({ differences: [], isComplete: true });
  });
});

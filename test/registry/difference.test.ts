import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { differences } from '../../src/registry/domain/difference.ts';
import { canonicalJson } from '../../src/values/canonical-json.ts';

const json = fc.jsonValue({ maxDepth: 4 });

describe('differences', () => {
  it('names each path with its old and new value', () => {
    const before = { image: 'a', env: [{ key: 'x' }, { key: 'y' }], gone: { a: 1 }, kind: [] };
    const after = { image: 'b', env: [{ key: 'x' }, { key: 'z' }, null], kind: {}, added: true };
    expect(differences(before, after)).toEqual([
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
        expect(differences(one, other).length > 0).toBe(canonicalJson(one) !== canonicalJson(other));
        expect(differences(one, one)).toEqual([]);
      }),
    );
  });

  it('sees keys with the names of prototype members', () => {
    expect(differences(JSON.parse('{"__proto__": 1}'), { constructor: 1 })).toEqual([
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

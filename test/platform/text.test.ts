import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isId, newId } from '../../src/platform/ids.ts';
import { depthFault, jsonFault, MAX_JSON_DEPTH, roundingFault } from '../../src/platform/storable-json.ts';
import { isStorable, nameKey, storable } from '../../src/platform/text.ts';

const nested = (levels: number, inner: unknown = 1) => {
  let value = inner;
  for (let level = 0; level < levels; level += 1) value = level % 2 ? [value] : { a: value };
  return value;
};

describe('isStorable', () => {
  it.each(['', 'a', 'é✓🚀', '\uFFFD', '\u0001'])('accepts %j', (text) => expect(isStorable(text)).toBe(true));
  it.each(['\u0000', 'a\u0000b', '\uD83D', '\uDE00', 'a\uDE00\uD83Db'])('refuses %j', (text) =>
    expect(isStorable(text)).toBe(false),
  );
});

describe('storable', () => {
  it('replaces characters that cannot be stored, and keeps the rest', () => {
    expect(storable('a\u0000b\uD83Dc😀')).toBe('a\uFFFDb\uFFFDc😀');
  });

  it('cuts before a surrogate pair, not inside it', () => {
    expect(storable(`${'a'.repeat(7)}😀`, 8)).toBe('a'.repeat(7));
    expect(storable(`${'a'.repeat(6)}😀b`, 8)).toBe(`${'a'.repeat(6)}😀`);
    expect(storable('abc', 0)).toBe('');
  });

  it('always answers text that can be stored, no longer than the limit', () => {
    const texts = fc.string({ unit: 'binary' }).map((text) => text.slice(1));
    fc.assert(
      fc.property(texts, fc.nat(20), (text, max) => {
        const kept = storable(text, max);
        expect(isStorable(kept)).toBe(true);
        expect(kept.length).toBeLessThanOrEqual(max);
        if (isStorable(text) && text.length <= max) expect(kept).toBe(text);
      }),
    );
  });
});

describe('jsonFault', () => {
  it('names the path of a text that cannot be stored, also of a key', () => {
    expect(jsonFault({ a: [1, { b: 'x\u0000' }] })?.path).toEqual(['a', '1', 'b']);
    expect(jsonFault({ a: { 'k\uD800': 1 } })?.message).toContain('cannot be stored');
    expect(jsonFault({ a: [1, null, true, 'é', new Date()], b: 5n })).toBeNull();
  });

  it('accepts 64 levels and refuses one more, however many follow', () => {
    expect(jsonFault(nested(64))).toBeNull();
    expect(jsonFault(nested(65))?.message).toContain('too deep');
    expect(jsonFault(nested(100_000))?.message).toContain('too deep');
    expect(depthFault(nested(64, '\u0000'))).toBeNull();
    expect(depthFault(nested(100_000))?.message).toContain('too deep');
  });
});

describe('roundingFault', () => {
  it('names the path of a whole number above 2^53, and accepts every other value', () => {
    expect(roundingFault({ a: [1, 2 ** 53] }, MAX_JSON_DEPTH)?.path).toEqual(['a', '1']);
    expect(roundingFault({ a: [2 ** 53 - 1, 0.5, '9007199254740993', null] }, MAX_JSON_DEPTH)).toBeNull();
  });
});

describe('nameKey', () => {
  it('compares names of up to 255 characters, and gives all longer texts the same key, which no name has', () => {
    expect(nameKey('X'.repeat(255))).toBe('x'.repeat(255));
    expect(nameKey('x'.repeat(256))).toBe(nameKey('y'.repeat(256)));
  });
});

describe('isId', () => {
  it('accepts an id in lower case, as the API answers it', () => {
    const id = newId();
    expect(isId(id)).toBe(true);
    expect(isId('01890A5D-AC96-774B-BCCE-B302099A8057')).toBe(false);
    expect(isId('01890a5d-ac96-774b-bcce-b302099a8057')).toBe(true);
  });

  it.each(['', 'x', '01890a5d-ac96-474b-bcce-b302099a8057', '01890a5d-ac96-774b-ccce-b302099a8057'])(
    'refuses %j',
    (text) => expect(isId(text)).toBe(false),
  );
});

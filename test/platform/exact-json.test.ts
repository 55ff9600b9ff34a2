import { describe, expect, it } from 'vitest';
import { keepsDigits, parseExactJson } from '../../src/platform/exact-json.ts';

describe('keepsDigits', () => {
  it.each(['0', '-0', '9007199254740991', '9007199254740994', '9223372036854776000', `1${'0'.repeat(21)}`])(
    'is true for %s',
    (digits) => expect(keepsDigits(digits)).toBe(true),
  );

  it.each(['9007199254740993', '-9223372036854775807', '9'.repeat(400)])('is false for %.30s', (digits) =>
    expect(keepsDigits(digits)).toBe(false),
  );
});

describe('parseExactJson', () => {
  it('reads the numbers that Python writes and JSON does not have', () => {
    expect(parseExactJson('{"a": [NaN, -Infinity, 0.5], "b": "NaN"}')).toEqual({
      a: [Number.NaN, Number.NEGATIVE_INFINITY, 0.5],
      b: 'NaN',
    });
  });

  it.each(['1e999', '-1e999', '9'.repeat(311)])(
    'refuses a number out of the range of floats: %.20s',
    (text) => {
      expect(() => parseExactJson(`[${text}]`)).toThrow('a number is out of range');
    },
  );

  it('reads whole numbers of 310 digits', () => {
    expect(parseExactJson('9'.repeat(310))).toBe(10n ** 310n - 1n);
  });
});

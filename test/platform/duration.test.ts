import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from '../../src/platform/duration.ts';

describe('durations', () => {
  it.each([
    ['PT30S', 30_000],
    ['PT1M30S', 90_000],
    ['PT0.25S', 250],
    ['PT0.0004S', 0],
    ['P1DT2H', 93_600_000],
    ['P2W', 1_209_600_000],
    ['-PT1S', -1000],
    ['PT0S', 0],
  ])('%s is %i ms', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });

  it.each(['', 'P', 'PT', '30', 'PT30', '1h', 'P1Y', 'P1M', 'PT1.S', 'P1DT', `P${'9'.repeat(20)}D`])(
    '%j is not a duration',
    (text) => {
      expect(parseDuration(text)).toBeNull();
    },
  );

  it.each([
    [0, 'PT0S'],
    [5, 'PT0.005S'],
    [250, 'PT0.250S'],
    [90_000, 'PT1M30S'],
    [5_400_000, 'PT1H30M'],
    [86_400_000, 'PT24H'],
    [-1000, '-PT1S'],
  ])('of %i ms are written as %s', (milliseconds, text) => {
    expect(formatDuration(milliseconds)).toBe(text);
  });

  it('are read as they were written', () => {
    const lengths = fc.integer({ min: -(10 ** 13), max: 10 ** 13 });
    fc.assert(fc.property(lengths, (length) => parseDuration(formatDuration(length)) === length));
  });
});

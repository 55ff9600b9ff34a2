/** Instants between PostgreSQL's text, `Date` and the text of answers. */
import fc from 'fast-check';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { readInstant } from '../../src/platform/database/stored-instants.ts';
import { formatInstant } from '../../src/platform/instants.ts';

const instants = fc.oneof(
  fc.date({
    min: new Date('0001-01-01T00:00:00.000Z'),
    max: new Date('9999-12-31T23:59:59.999Z'),
    noInvalidDate: true,
  }),
  // Many of the same days, and both ends of a day.
  fc
    .tuple(
      fc.constantFrom('1969-12-31', '2000-02-29', '2026-11-22'),
      fc.constantFrom(0, 1, 43_200_500, 86_399_999),
    )
    .map(([day, time]) => new Date(new Date(`${day}T00:00:00Z`).getTime() + time)),
);

/** As PostgreSQL writes it: without zeros at the end of the fraction. */
const stored = (instant: Date): string =>
  `${instant
    .toISOString()
    .replace('T', ' ')
    .replace(/\.?0*Z$/, '')}+00`;

describe('readInstant', () => {
  it('reads what PostgreSQL writes for every instant in the years 1 to 9999', () => {
    fc.assert(
      fc.property(instants, (instant) => {
        expect(readInstant(stored(instant))).toEqual(instant);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['2026-11-22 08:30:00+00', '2026-11-22T08:30:00.000Z'],
    ['2026-11-22 08:30:00.1+00', '2026-11-22T08:30:00.100Z'],
    ['2026-11-22 08:30:00.12+00', '2026-11-22T08:30:00.120Z'],
    ['2026-11-22 08:30:00.123456+00', '2026-11-22T08:30:00.123Z'],
    ['2026-11-22 08:30:00.999999+00', '2026-11-22T08:30:00.999Z'],
    ['2026-11-22 10:30:00.5+02', '2026-11-22T08:30:00.500Z'],
    ['2026-11-22 14:00:00+05:30', '2026-11-22T08:30:00.000Z'],
    ['2026-11-21 22:30:00.25-10', '2026-11-22T08:30:00.250Z'],
    ['0099-03-01 00:00:00+00', '0099-03-01T00:00:00.000Z'],
    ['12026-11-22 08:30:00+00', '+012026-11-22T08:30:00.000Z'],
    ['0044-03-15 12:00:00+00 BC', '-000043-03-15T12:00:00.000Z'],
  ])('reads %s', (text, expected) => {
    expect(readInstant(text).toISOString()).toBe(expected);
  });

  it.each(['infinity', '-infinity'])('leaves %s to pg', (text) => {
    const parse = pg.types.getTypeParser(pg.types.builtins.TIMESTAMPTZ, 'text');
    expect(readInstant(text)).toEqual(parse(text));
  });
});

describe('formatInstant', () => {
  it('writes what toISOString writes', () => {
    fc.assert(
      fc.property(instants, (instant) => {
        expect(formatInstant(instant)).toBe(instant.toISOString());
      }),
      { numRuns: 2000 },
    );
  });

  it.each([8.64e15, -8.64e15, -62_198_755_200_001, 253_402_300_800_000])(
    'writes also years that have not four digits: %d',
    (time) => {
      expect(formatInstant(new Date(time))).toBe(new Date(time).toISOString());
      expect(formatInstant(new Date(time))).toBe(new Date(time).toISOString());
    },
  );

  it('refuses a date that is none', () => {
    formatInstant(new Date(0));
    expect(() => formatInstant(new Date(Number.NaN))).toThrow(RangeError);
  });
});

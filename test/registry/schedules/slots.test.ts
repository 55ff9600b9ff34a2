/** When schedules have their slots: cron in time zones, rates, what is made up for. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isTimeZone, readExpression } from '../../../src/registry/domain/cron.ts';
import { hasSlots, rateUnits, type Schedule } from '../../../src/registry/domain/schedules.ts';
import { dueSlots, nextSlots, type Slots, slotsOf } from '../../../src/registry/domain/slots.ts';

const at = (text: string) => new Date(`${text}Z`);
const iso = (dates: readonly Date[]) => dates.map((date) => date.toISOString().slice(0, 16));
const cron = (expression: string, timeZone?: string, offset?: string): Schedule => ({
  cron: { expression, ...(timeZone ? { timeZone } : {}), ...(offset ? { offset } : {}) },
});
const anchor = at('2026-01-01T00:00:00');
const next = (schedule: Schedule, from: string, count: number) =>
  iso(nextSlots(slotsOf(schedule, anchor), at(from), count));

describe('a cron expression', () => {
  it.each([
    ['*/20 8-9 * * *', ['2026-03-01T08:00', '2026-03-01T08:20', '2026-03-01T08:40', '2026-03-01T09:00']],
    ['5/25 * * * *', ['2026-03-01T00:05', '2026-03-01T00:30', '2026-03-01T00:55', '2026-03-01T01:05']],
    ['0 0 1,15 * ?', ['2026-03-15T00:00', '2026-04-01T00:00', '2026-04-15T00:00', '2026-05-01T00:00']],
    [
      '0 12 * jun-jul fri-sun',
      ['2026-06-05T12:00', '2026-06-06T12:00', '2026-06-07T12:00', '2026-06-12T12:00'],
    ],
    ['0 0 13 * FRI', ['2026-03-06T00:00', '2026-03-13T00:00', '2026-03-20T00:00', '2026-03-27T00:00']],
    ['0 0 ? * SUN', ['2026-03-08T00:00', '2026-03-15T00:00', '2026-03-22T00:00', '2026-03-29T00:00']],
    ['*/1 * * * *', ['2026-03-01T00:01', '2026-03-01T00:02', '2026-03-01T00:03', '2026-03-01T00:04']],
    ['*/59 * * * *', ['2026-03-01T00:59', '2026-03-01T01:00', '2026-03-01T01:59', '2026-03-01T02:00']],
    ['0 0 31 * *', ['2026-03-31T00:00', '2026-05-31T00:00', '2026-07-31T00:00', '2026-08-31T00:00']],
    ['0 0 * * 7', ['2026-03-08T00:00', '2026-03-15T00:00', '2026-03-22T00:00', '2026-03-29T00:00']],
    ['0 0 29 2 *', ['2028-02-29T00:00', '2032-02-29T00:00', '2036-02-29T00:00', '2040-02-29T00:00']],
    ['@hourly', ['2026-03-01T01:00', '2026-03-01T02:00', '2026-03-01T03:00', '2026-03-01T04:00']],
    ['@midnight', ['2026-03-02T00:00', '2026-03-03T00:00', '2026-03-04T00:00', '2026-03-05T00:00']],
    ['@weekly', ['2026-03-08T00:00', '2026-03-15T00:00', '2026-03-22T00:00', '2026-03-29T00:00']],
    ['@monthly', ['2026-04-01T00:00', '2026-05-01T00:00', '2026-06-01T00:00', '2026-07-01T00:00']],
    ['@annually', ['2027-01-01T00:00', '2028-01-01T00:00', '2029-01-01T00:00', '2030-01-01T00:00']],
  ])('has slots: %s', (expression, expected) => {
    expect(next(cron(expression), '2026-03-01T00:00:00', 4)).toEqual(expected);
  });

  it.each([
    ['six fields', '0 0 * * ? *'],
    ['four fields', '0 0 * *'],
    ['the first Monday', '0 0 * * MON#1'],
    ['the last day', '0 0 L * *'],
    ['the nearest workday', '0 0 15W * *'],
    ['both days at once', '0 0 1 * +MON'],
    ['an hour that does not exist', '0 24 * * *'],
    ['a minute that does not exist', '60 0 * * *'],
    ['a day that does not exist', '0 0 0 * *'],
    ['a day after the last one', '0 0 32 * *'],
    ['a month that does not exist', '0 0 1 13 *'],
    ['a weekday that does not exist', '0 0 * * 8'],
    ['a range that goes back', '30-10 * * * *'],
    ['hours that go back to midnight', '0 5-0 * * *'],
    ['a weekend that goes back', '0 0 * * FRI-MON'],
    ['a range without an end that exists', '0-99 * * * *'],
    ['a range without a beginning that exists', '99-5 * * * *'],
    ['a range with three ends', '1-2-3 * * * *'],
    ['a step of zero', '*/0 * * * *'],
    ['a step as long as the hour', '*/60 * * * *'],
    ['a name in another field', 'MON 0 * * *'],
    ['a question mark for hours', '0 ? * * *'],
    ['an empty item of a list', '0 0 1, * *'],
    ['nothing', ''],
    ['31 February', '0 0 31 2 *'],
    ['30 and 31 in short months', '0 0 31 4,6,9,11 *'],
    ['a restart', '@reboot'],
    ['a word of the prototype', '@toString'],
    ['no duration', '@every '],
    ['a duration that is too short', '@every 999ms'],
    ['a duration that is too long', '@every 87841h'],
    ['a duration a second longer than ten years', '@every 87840h1s'],
    ['a duration in days', '@every 1d'],
    ['256 characters', `0 0 1 *${' '.repeat(248)}*`],
  ])('is refused: %s', (_name, expression) => {
    expect(readExpression(expression)).toHaveProperty('fault');
  });

  it('has at most 255 characters, blanks around it not counted', () => {
    expect(readExpression(` 0 0 1 *${' '.repeat(247)}* `)).toEqual({ pattern: '0 0 1 * *' });
  });

  it.each([
    ['1000h', 3_600_000],
    ['1000m', 60_000],
    ['1000s', 1000],
    ['1s', 1],
    ['1999ms', 1],
    ['1h1m1s', 3661],
    ['87840h', 3660 * 86_400],
  ])('may be a distance: @every %s', (text, seconds) => {
    expect(readExpression(`@every ${text}`)).toEqual({ everyMs: seconds * 1000 });
  });

  it('is about UTC unless it names a time zone', () => {
    expect(next(cron('0 9 * * *'), '2026-07-01T00:00:00', 1)).toEqual(['2026-07-01T09:00']);
    expect(next(cron('0 9 * * *', 'Asia/Kolkata'), '2026-07-01T00:00:00', 1)).toEqual(['2026-07-01T03:30']);
  });

  it('with one time a day runs after the gap when the clock goes forward, on the same day', () => {
    const daily = cron('30 2 * * *', 'Europe/Berlin');
    expect(next(daily, '2026-03-28T00:00:00', 3)).toEqual([
      '2026-03-28T01:30',
      '2026-03-29T01:00',
      '2026-03-30T00:30',
    ]);
  });

  it('with one time a day runs once, at the first time, when the clock goes back', () => {
    const daily = cron('30 2 * * *', 'Europe/Berlin');
    expect(next(daily, '2026-10-24T12:00:00', 2)).toEqual(['2026-10-25T00:30', '2026-10-26T01:30']);
  });

  it('with several times a day follows the clock', () => {
    const often = cron('*/30 2 * * *', 'Europe/Berlin');
    expect(next(often, '2026-03-28T12:00:00', 2)).toEqual(['2026-03-30T00:00', '2026-03-30T00:30']);
    expect(next(often, '2026-10-24T12:00:00', 5)).toEqual([
      '2026-10-25T00:00',
      '2026-10-25T00:30',
      '2026-10-25T01:00',
      '2026-10-25T01:30',
      '2026-10-26T01:00',
    ]);
  });

  it('has no slots after the year 3000', () => {
    expect(next(cron('0 0 31 12 *'), '2999-01-01T00:00:00', 9)).toEqual(['2999-12-31T00:00']);
  });

  it('may have an offset, by which all slots are later', () => {
    expect(next(cron('0 0 * * *', undefined, 'PT90M'), '2026-03-01T01:00:00', 2)).toEqual([
      '2026-03-01T01:30',
      '2026-03-02T01:30',
    ]);
  });

  it.each(['Mars/Olympus', '+02:00', '02:00', '', 'Europe/Berlin; x', '../etc'])(
    'has no such time zone: %s',
    (name) => expect(isTimeZone(name)).toBe(false),
  );
  it.each(['UTC', 'Europe/Berlin', 'America/Argentina/Buenos_Aires', 'Etc/GMT+5'])(
    'has the time zone %s',
    (name) => expect(isTimeZone(name)).toBe(true),
  );
});

describe('@every and a rate', () => {
  it('count from the activation, which is no slot itself', () => {
    const activated = at('2026-01-01T00:17:23');
    const slots = slotsOf(cron('@every 1h30m'), activated);
    expect(iso(nextSlots(slots, activated, 2))).toEqual(['2026-01-01T01:47', '2026-01-01T03:17']);
    expect(slots.newest(10, activated, activated)).toEqual([]);
    const rate = slotsOf({ rate: { value: 2, unit: 'DAY' } }, activated);
    expect(iso(nextSlots(rate, activated, 2))).toEqual(['2026-01-03T00:17', '2026-01-05T00:17']);
  });

  it('have 24 slots in a day at one an hour, and a cron expression once a day has one', () => {
    const hourly = slotsOf({ rate: { value: 1, unit: 'HOUR' } }, anchor);
    const day = new Date(anchor.getTime() + 86_400_000);
    expect(hourly.newest(1000, anchor, day)).toHaveLength(24);
    const evening = slotsOf(cron('0 19 * * *'), anchor);
    expect(iso(evening.newest(1000, at('2026-01-27T19:00:00'), at('2026-01-28T19:00:00')))).toEqual([
      '2026-01-28T19:00',
    ]);
  });

  it('have their last slot before the last day of 9999', () => {
    const daily = slotsOf({ rate: { value: 1, unit: 'DAY' } }, at('9999-12-28T00:00:00'));
    expect(iso(nextSlots(daily, at('9999-12-28T12:00:00'), 9))).toEqual([
      '9999-12-29T00:00',
      '9999-12-30T00:00',
    ]);
  });

  it('have no slots at zero', () => {
    expect(() => slotsOf({ rate: { value: 0, unit: 'HOUR' } }, anchor)).toThrow('the schedule has no slots');
    expect(hasSlots({ rate: { value: 0, unit: 'HOUR' } })).toBe(false);
    expect(hasSlots({ kickoffTimeInput: 'at' })).toBe(false);
    expect(hasSlots(null)).toBe(false);
    expect(hasSlots(cron('@hourly'))).toBe(true);
    expect(hasSlots({ rate: { value: 1, unit: 'DAY' } })).toBe(true);
  });
});

const zones = fc.constantFrom(
  ...['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata', 'America/Santiago'],
);
const number = (least: number, most: number) => fc.integer({ min: least, max: most }).map(String);
const field = (least: number, most: number) =>
  fc.oneof(
    fc.constant('*'),
    number(least, most),
    fc.integer({ min: 2, max: 20 }).map((step) => `*/${Math.min(step, most)}`),
    fc.tuple(number(least, most), number(least, most)).map((two) => two.join(',')),
  );
/** Days from 1 to 28, so that each expression has slots. */
const expression = fc
  .tuple(field(0, 59), field(0, 23), field(1, 28), field(1, 12), field(0, 6))
  .map((fields) => fields.join(' '));
const instant = fc
  .integer({ min: Date.UTC(2025, 0, 1), max: Date.UTC(2028, 0, 1) })
  .map((milliseconds) => new Date(milliseconds));
const schedule: fc.Arbitrary<Schedule> = fc.oneof(
  fc.tuple(expression, zones).map(([text, zone]) => cron(text, zone)),
  fc
    .record({ value: fc.integer({ min: 1, max: 90 }), unit: fc.constantFrom(...rateUnits) })
    .map((rate) => ({ rate })),
);

/** What a clock on the wall shows. */
function wallTime(date: Date, timeZone: string) {
  const parts = new Intl.DateTimeFormat('en', {
    ...{ timeZone, hourCycle: 'h23', weekday: 'short', month: 'numeric', day: 'numeric' },
    ...{ hour: 'numeric', minute: 'numeric' },
  } as Intl.DateTimeFormatOptions).formatToParts(date);
  const part = (type: string) => parts.find((one) => one.type === type)?.value ?? '';
  const weekday = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'].indexOf(part('weekday'));
  return [Number(part('minute')), Number(part('hour')), Number(part('day')), Number(part('month')), weekday];
}

/** Whether a field written by `field` has a value, by the rules of cron and without croner. */
const matches = (text: string, value: number, least: number) =>
  text === '*' ||
  (text.startsWith('*/')
    ? (value - least) % Number(text.slice(2)) === 0
    : text.split(',').map(Number).includes(value));

function isWanted(text: string, wall: readonly number[]): boolean {
  const least = [0, 0, 1, 1, 0];
  const [minute, hour, day, month, weekday] = text
    .split(' ')
    .map((one, index) => matches(one, wall[index] ?? -1, least[index] ?? 0));
  const [, , dayText, , weekdayText] = text.split(' ');
  const isDay = dayText !== '*' && weekdayText !== '*' ? day || weekday : day && weekday;
  return Boolean(minute && hour && month && isDay);
}

describe('slots', () => {
  it('are the minutes that the expression means, for expressions that follow the clock', () => {
    fc.assert(
      fc.property(expression, zones, instant, (text, zone, from) => {
        fc.pre(/^(\S*[*,/]|\S+ \S*[*,/])/.test(text));
        const slots = slotsOf(cron(text, zone), anchor);
        const hour = Array.from(
          { length: 240 },
          (_, index) => new Date(Math.floor(from.getTime() / 60_000 + index) * 60_000),
        );
        const [first, last] = [hour[0] as Date, hour.at(-1) as Date];
        const wanted = hour.slice(1).filter((minute) => isWanted(text, wallTime(minute, zone)));
        expect(slots.newest(240, first, last)).toEqual(wanted);
      }),
      { numRuns: 60 },
    );
  });

  it('are the same forward and backward, open at the left and closed at the right', () => {
    const forward = (slots: Slots, from: Date, to: Date, limit: number) =>
      nextSlots(slots, from, limit).filter((slot) => slot <= to);
    fc.assert(
      fc.property(schedule, instant, (one, from) => {
        const slots = slotsOf(one, anchor);
        const some = nextSlots(slots, from, 12);
        const to = some.at(-1) as Date;
        expect(slots.newest(100, from, to)).toEqual(some);
        expect(slots.newest(100, some[0] as Date, to)).toEqual(some.slice(1));
        expect(slots.newest(5, from, to)).toEqual(some.slice(-5));
        expect(forward(slots, from, to, 100)).toEqual(some);
        const before = new Date(to.getTime() - 1);
        expect(slots.newest(100, from, before)).toEqual(some.slice(0, -1));
      }),
      { numRuns: 150 },
    );
  });

  it('are never counted twice or left out, wherever a scheduler stops and goes on', () => {
    fc.assert(
      fc.property(schedule, instant, fc.array(fc.nat(11), { maxLength: 6 }), (one, from, stops) => {
        const slots = slotsOf(one, anchor);
        const some = nextSlots(slots, from, 12);
        const borders = [...new Set([...stops, 11])]
          .sort((a, b) => a - b)
          .map((index) => some[index] as Date);
        let last = from;
        const taken = borders.flatMap((border) => {
          const part = dueSlots(slots, one, last, border).slots;
          last = border;
          return part;
        });
        expect(taken).toEqual(some);
      }),
      { numRuns: 100 },
    );
  });
});

describe('missed slots', () => {
  const from = at('2026-01-01T00:00:00');
  const due = (catchUp: Schedule['catchUp'], now: string) => {
    const one: Schedule = { ...cron('0 * * * *'), ...(catchUp ? { catchUp } : {}) };
    const { slots, skipped } = dueSlots(slotsOf(one, from), one, from, at(now));
    return { slots: iso(slots), skipped: skipped && iso([skipped])[0] };
  };

  it('are all made up for by default', () => {
    expect(due(undefined, '2026-01-01T03:30:00').slots).toEqual([
      '2026-01-01T01:00',
      '2026-01-01T02:00',
      '2026-01-01T03:00',
    ]);
    const week = due(undefined, '2026-02-28T00:00:00');
    expect(week.slots).toHaveLength(1000);
    expect(week.skipped).toBe('2026-01-17T08:00');
  });

  it('are made up for up to a limit: the newest ones', () => {
    expect(due({ policy: 'ALL', limit: 2 }, '2026-01-01T03:30:00')).toEqual({
      slots: ['2026-01-01T02:00', '2026-01-01T03:00'],
      skipped: '2026-01-01T01:00',
    });
    expect(due({ policy: 'ALL', limit: 3 }, '2026-01-01T03:30:00').skipped).toBeNull();
  });

  it('are given up by NONE, but a slot of this minute is not missed', () => {
    expect(due({ policy: 'NONE', limit: 1 }, '2026-01-01T03:30:00')).toEqual({
      slots: [],
      skipped: '2026-01-01T03:00',
    });
    expect(due({ policy: 'NONE', limit: 1 }, '2026-01-01T03:01:00')).toEqual({
      slots: [],
      skipped: '2026-01-01T03:00',
    });
    expect(due({ policy: 'NONE', limit: 1 }, '2026-01-01T03:00:59.999')).toEqual({
      slots: ['2026-01-01T03:00'],
      skipped: '2026-01-01T02:00',
    });
    expect(due({ policy: 'NONE', limit: 1 }, '2026-01-01T01:00:00')).toEqual({
      slots: ['2026-01-01T01:00'],
      skipped: null,
    });
  });

  it('come down to one by LAST', () => {
    expect(due({ policy: 'LAST', limit: 1 }, '2026-01-01T03:30:00')).toEqual({
      slots: ['2026-01-01T03:00'],
      skipped: '2026-01-01T02:00',
    });
    expect(due({ policy: 'LAST', limit: 1 }, '2026-01-01T03:00:30')).toEqual({
      slots: ['2026-01-01T03:00'],
      skipped: '2026-01-01T02:00',
    });
    expect(due({ policy: 'LAST', limit: 1 }, '2026-01-01T01:30:00').skipped).toBeNull();
  });
});

import { Cron } from 'croner';
import { MAX_INTERVAL_DAYS } from './schedules.ts';

/**
 * Cron expressions: five fields (minute, hour, day of the month, month, day of the week), or one of the words below.
 * croner computes their times. What it accepts beyond this, such as seconds, `L`, `W` and `MON#1`, is refused, because
 * Flyte refuses it.
 *
 * Days: if both fields of days are restricted, a day has to match only one of them.
 *
 * Changes of the clock: an expression with one minute and one hour, such as `30 2 * * *`, has one slot each day. If its
 * time does not exist, the slot is at the first moment after the gap; if it comes twice, the slot is at the first. All
 * other expressions follow the clock: times that do not exist have no slot, and times that come twice have two.
 */

/** The words that stand for an expression. Source: Flyte's scheduler, which uses robfig/cron. */
const words: Readonly<Record<string, string>> = {
  '@hourly': '0 * * * *',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@weekly': '0 0 * * 0',
  '@monthly': '0 0 1 * *',
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
};

interface CronField {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  /** The names of the values, from the least one. */
  readonly names?: readonly string[];
  /** Whether `?` means any value, too. */
  readonly hasQuestionMark?: boolean;
}

const cronFields: readonly CronField[] = [
  { name: 'minute', least: 0, most: 59 },
  { name: 'hour', least: 0, most: 23 },
  { name: 'day of the month', least: 1, most: 31, hasQuestionMark: true },
  {
    name: 'month',
    least: 1,
    most: 12,
    names: ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'],
  },
  {
    name: 'day of the week',
    least: 0,
    most: 7,
    names: ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'],
    hasQuestionMark: true,
  },
];

const MAX_EXPRESSION = 255;
/** Every date that exists at all comes within 28 years of this one. */
const START = new Date('2000-01-01T00:00:00Z');

/** The expression in the form that croner takes, or what is wrong with it. */
type ReadExpression =
  | { readonly pattern: string }
  | { readonly everyMs: number }
  | { readonly fault: string };

/** Reads a cron expression. It finds all faults except for an unknown time zone. */
export function readExpression(text: string): ReadExpression {
  const expression = text.trim();
  if (expression.length > MAX_EXPRESSION) return { fault: `must have at most ${MAX_EXPRESSION} characters` };
  if (expression.startsWith('@every ')) return readEvery(expression.slice('@every '.length).trim());
  if (expression.startsWith('@')) {
    const pattern = Object.hasOwn(words, expression) ? words[expression] : undefined;
    if (pattern !== undefined) return { pattern };
    return { fault: `must be one of ${Object.keys(words).join(', ')} or @every with a duration` };
  }
  const parts = expression.split(/\s+/);
  if (parts.length !== cronFields.length)
    return {
      fault: 'must have five fields: minute, hour, day of the month, month and day of the week',
    };
  const read = cronFields.map((field, index) => readField(field, parts[index] ?? ''));
  const wrong = cronFields.find((_, index) => read[index] === null);
  if (wrong)
    return {
      fault: `the ${wrong.name} must be *, a number from ${wrong.least} to ${wrong.most}${wrong.names ? ` or a name such as ${wrong.names[1]}` : ''}, a range, a step, or a list of these`,
    };
  const pattern = read.join(' ');
  const first = cronOf(pattern, 'UTC').nextRun(START);
  return first ? { pattern } : { fault: 'these days never occur' };
}

/** One field in croner's form; null if it is not valid. */
function readField(field: CronField, text: string): string | null {
  const items = text.split(',').map((item) => readItem(field, item));
  return items.includes(null) ? null : items.join(',');
}

function readItem(field: CronField, item: string): string | null {
  const [, range = '', step] = /^([^/]+)(?:\/(\d{1,2}))?$/.exec(item) ?? [];
  const stepText = step === undefined ? '' : `/${Number(step)}`;
  const distance = Number(step ?? '1');
  if (distance < 1 || distance > field.most) return null;
  if (range === '*' || (range === '?' && field.hasQuestionMark)) return `*${stepText}`;
  const [from = '', to, ...more] = range.split('-');
  const least = valueIn(field, from);
  // A number with a step begins a range, as in Flyte.
  const most = to === undefined ? (step === undefined ? least : field.most) : valueIn(field, to);
  if (least === null || most === null || more.length > 0) return null;
  // The week may end with Sunday: FRI-SUN.
  const end = most < least && field.name === 'day of the week' && most === 0 ? 7 : most;
  if (end < least) return null;
  return least === end ? String(least) : `${least}-${end}${stepText}`;
}

function valueIn({ least, most, names = [] }: CronField, text: string): number | null {
  const named = names.indexOf(text.toUpperCase());
  if (named >= 0) return named + least;
  const value = /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN;
  return value >= least && value <= most ? value : null;
}

const goUnits: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/** A duration of Go, as in `1h30m`. As in Flyte, parts of a second do not count. */
function readEvery(text: string): ReadExpression {
  const form = /^(?:\d{1,9}(?:\.\d{1,9})?(?:h|ms|m|s))+$/;
  if (!form.test(text)) return { fault: 'the duration after @every must be such as 1h30m, 90s or 1.5h' };
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/g)];
  const total = parts.reduce(
    (sum, [, amount = '0', unit = '']) => sum + Number(amount) * (goUnits[unit] ?? 0),
    0,
  );
  const everyMs = Math.floor(total / 1000) * 1000;
  if (everyMs < 1000 || everyMs > MAX_INTERVAL_DAYS * 86_400_000)
    return { fault: `the duration after @every must be from 1s to ${MAX_INTERVAL_DAYS} days` };
  return { everyMs };
}

/** Whether this is the name of a time zone in the IANA database, such as `Europe/Berlin`. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** The times of a valid pattern. */
export const cronOf = (pattern: string, timeZone: string): Cron =>
  new Cron(pattern, { mode: '5-part', timezone: timeZone });

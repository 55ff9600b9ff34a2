import { parseDuration } from '../../platform/duration.ts';
import { cronOf, readExpression } from './cron.ts';
import { defaultCatchUp, rateMs, type Schedule } from './schedules.ts';

/** The slots of a schedule: the nominal times of its executions. */
export interface Slots {
  /** The first slot after an instant; null if there is none any more. */
  after(instant: Date): Date | null;
  /** The newest slots in (from, to], at most `limit` of them, oldest first. */
  newest(limit: number, from: Date, to: Date): Date[];
}

/** No date of JavaScript or of our API is later than this. */
const END_MS = Date.UTC(9999, 11, 31);

/**
 * The slots of a schedule that has some (`hasSlots`) and was checked when it was registered.
 *
 * @param anchor  the activation of the launch plan: a rate counts from there.
 */
export function slotsOf({ cron, rate }: Schedule, anchor: Date): Slots {
  if (!cron) return every(rate ? rateMs(rate) : 0, anchor, 0);
  const read = readExpression(cron.expression);
  if ('fault' in read) throw new Error(`the schedule ${cron.expression} is not valid: ${read.fault}`);
  const offsetMs = parseDuration(cron.offset ?? 'PT0S') ?? 0;
  if ('everyMs' in read) return every(read.everyMs, anchor, offsetMs);
  const times = cronOf(read.pattern, cron.timeZone ?? 'UTC');
  const later = (date: Date) => new Date(date.getTime() + offsetMs);
  const earlier = (date: Date) => new Date(date.getTime() - offsetMs);
  return {
    after(instant) {
      // croner finds none after the year 3000.
      const next = times.nextRun(earlier(instant));
      return next && later(next);
    },
    newest(limit, from, to) {
      const found: Date[] = [];
      // croner gives the times before its argument, and looks at whole seconds. One at a time: it does not know `from`,
      // and would go back for centuries.
      let [slot] = times.previousRuns(1, new Date(earlier(to).getTime() + 1)).map(later);
      while (slot && slot > from && found.length < limit) {
        if (slot <= to) found.push(slot);
        [slot] = times.previousRuns(1, earlier(slot)).map(later);
      }
      return found.reverse();
    },
  };
}

/** Slots at equal distances after an anchor, which is no slot itself. */
function every(intervalMs: number, anchor: Date, offsetMs: number): Slots {
  if (intervalMs <= 0) throw new Error('the schedule has no slots');
  const start = anchor.getTime() + offsetMs;
  const at = (index: number) => new Date(start + index * intervalMs);
  /** The number of slots up to an instant. */
  const upTo = (instant: Date) => Math.max(0, Math.floor((instant.getTime() - start) / intervalMs));
  return {
    after(instant) {
      const next = at(upTo(instant) + 1);
      return next.getTime() < END_MS ? next : null;
    },
    newest(limit, from, to) {
      const last = upTo(to);
      const first = Math.max(upTo(from) + 1, last - limit + 1);
      return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => at(first + index));
    },
  };
}

/** A slot is missed if nobody has started its execution this long after its time. */
export const MISSED_AFTER_MS = 60_000;

export interface DueSlots {
  /** Oldest first. */
  readonly slots: readonly Date[];
  /** The newest slot that is given up because of the policy for missed slots; null if there is none. */
  readonly skipped: Date | null;
}

/**
 * The slots in (last, now] that get an execution. Slots that are not yet missed always get one. Of the missed ones, NONE
 * gives all up, LAST gives up all if a later slot is there and otherwise all but the newest, and ALL gives up all but the
 * newest `limit` slots.
 */
export function dueSlots(slots: Slots, { catchUp }: Schedule, last: Date, now: Date): DueSlots {
  const { policy, limit } = catchUp ?? defaultCatchUp;
  if (policy === 'ALL') {
    const found = slots.newest(limit + 1, last, now);
    const extra = found.length > limit ? found[0] : undefined;
    return { slots: extra ? found.slice(1) : found, skipped: extra ?? null };
  }
  const border = new Date(Math.max(last.getTime(), now.getTime() - MISSED_AFTER_MS));
  // Not too many, because slots are at least one second apart.
  const recent = slots.newest(Number.POSITIVE_INFINITY, border, now);
  const missed = slots.newest(2, last, border);
  const newestMissed = missed.at(-1) ?? null;
  if (policy === 'LAST' && recent.length === 0 && newestMissed)
    return { slots: [newestMissed], skipped: missed.length > 1 ? (missed[0] ?? null) : null };
  return { slots: recent, skipped: newestMissed };
}

/** The next slots after an instant, at most `limit`. */
export function nextSlots(slots: Slots, after: Date, limit: number): Date[] {
  const next: Date[] = [];
  for (let at = slots.after(after); at && next.length < limit; at = slots.after(at)) next.push(at);
  return next;
}

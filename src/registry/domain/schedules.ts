/**
 * When a launch plan starts executions by itself. This is the stored form; without a schedule, the document of a launch
 * plan has no such field.
 */
export interface Schedule {
  /** The times, by a cron expression. At most one of `cron` and `rate` is there. */
  readonly cron?: CronTimes;
  /** The times, at equal distances from the activation. */
  readonly rate?: RateTimes;
  /** The input that gets the nominal time of each slot. */
  readonly kickoffTimeInput?: string;
  /** Absent: as `defaultCatchUp`. */
  readonly catchUp?: CatchUp;
}

export interface CronTimes {
  readonly expression: string;
  /** An IANA time zone; absent: UTC. */
  readonly timeZone?: string;
  /** An ISO 8601 duration by which each slot is later than the expression says. */
  readonly offset?: string;
}

export const rateUnits = ['MINUTE', 'HOUR', 'DAY'] as const;
export type RateUnit = (typeof rateUnits)[number];

export interface RateTimes {
  readonly value: number;
  readonly unit: RateUnit;
}

export const catchUpPolicies = ['NONE', 'LAST', 'ALL'] as const;
export type CatchUpPolicy = (typeof catchUpPolicies)[number];

/** What happens to slots whose time passed while no scheduler ran, or while the schedule was paused. */
export interface CatchUp {
  readonly policy: CatchUpPolicy;
  /** How many slots ALL makes up for: the newest ones. */
  readonly limit: number;
}

export const MAX_CATCH_UP = 1000;

/** Flyte makes up for all slots, without a limit. */
export const defaultCatchUp: CatchUp = { policy: 'ALL', limit: MAX_CATCH_UP };

const MINUTE_MS = 60_000;

export const rateMs = ({ value, unit }: RateTimes): number =>
  value * { MINUTE: MINUTE_MS, HOUR: 60 * MINUTE_MS, DAY: 24 * 60 * MINUTE_MS }[unit];

/** The longest distance between two slots of a rate. */
export const MAX_INTERVAL_DAYS = 3660;

/**
 * Whether a schedule starts anything. Flyte's tools may send one without an expression, with a rate of 0, or with only a
 * kickoff input; it is stored, but an activation does not start it. Source: Flyte's UpdateLaunchPlan.
 */
export const hasSlots = (schedule: Schedule | null | undefined): schedule is Schedule =>
  (schedule?.cron?.expression ?? '') !== '' || (schedule?.rate?.value ?? 0) > 0;

import { builder } from '../../graphql/builder.ts';
import { enumOf } from '../../graphql/enum.ts';
import {
  type CatchUpPolicy,
  type CronTimes,
  defaultCatchUp,
  MAX_CATCH_UP,
  type RateTimes,
  type RateUnit,
  type Schedule,
} from '../domain/schedules.ts';

const CatchUpPolicyEnum = enumOf<CatchUpPolicy>(
  'CatchUpPolicy',
  'What happens to slots that a schedule has missed, because no scheduler ran or because the schedule was paused. A slot is missed one minute after its time.',
  {
    NONE: 'Missed slots are given up.',
    LAST: 'Of several missed slots, only the newest one gets an execution.',
    ALL: 'All missed slots get executions, up to `catchUpLimit`: the newest ones.',
  },
);

const RateUnitEnum = enumOf<RateUnit>('RateUnit', 'The unit of a rate.', {
  MINUTE: 'A minute has 60 seconds.',
  HOUR: 'An hour has 60 minutes.',
  DAY: 'A day has 24 hours, also when the clock changes.',
});

const expressionText =
  'Five fields (minute, hour, day of the month, month, day of the week), or `@hourly`, `@daily`, `@midnight`, `@weekly`, `@monthly`, `@yearly`, `@annually`, or `@every` with a duration such as `1h30m`, which counts from the activation.';
const timeZoneText =
  'The time zone of the expression in the IANA database, such as `Europe/Berlin`. If an expression with one minute and one hour names a time that does not exist on a day, because the clock goes forward, the slot is at the first moment after the gap; if the time comes twice, the slot is at the first. Other expressions follow the clock: no slot at a time that does not exist, two at a time that comes twice.';
const offsetText = 'By how much each slot is later than the expression says.';
const kickoffText =
  'The input that gets the nominal time of each slot. It has the type DATETIME and is not fixed. The other inputs need defaults or fixed values.';
const limitText = `How many missed slots \`ALL\` makes up for, from 1 to ${MAX_CATCH_UP}.`;

const CronTimesType = builder.objectRef<CronTimes>('CronTimes').implement({
  description: 'Times by a cron expression.',
  fields: (t) => ({
    expression: t.exposeString('expression', { description: expressionText }),
    timeZone: t.string({
      description: timeZoneText,
      resolve: ({ timeZone }) => timeZone ?? 'UTC',
    }),
    offset: t.string({
      description: `${offsetText} An ISO 8601 duration.`,
      resolve: ({ offset }) => offset ?? 'PT0S',
    }),
  }),
});

const RateTimesType = builder.objectRef<RateTimes>('RateTimes').implement({
  description: 'Times at equal distances, counted from the activation of the launch plan.',
  fields: (t) => ({
    value: t.field({
      type: 'BigInt',
      description: 'The distance in units. A rate of 0 starts nothing.',
      resolve: ({ value }) => BigInt(value),
    }),
    unit: t.expose('unit', { type: RateUnitEnum, description: 'The unit of the distance.' }),
  }),
});

export const ScheduleType = builder.objectRef<Schedule>('Schedule').implement({
  description: 'When a launch plan starts executions by itself. It does so while the version is ACTIVE.',
  fields: (t) => ({
    cron: t.field({
      type: CronTimesType,
      nullable: true,
      description: 'The times by a cron expression; null if the times are at a rate.',
      resolve: ({ cron }) => cron ?? null,
    }),
    rate: t.field({
      type: RateTimesType,
      nullable: true,
      description: 'The times at a rate; null if they are by a cron expression.',
      resolve: ({ rate }) => rate ?? null,
    }),
    kickoffTimeInput: t.string({
      nullable: true,
      description: 'The input that gets the nominal time of each slot; null if there is none.',
      resolve: ({ kickoffTimeInput }) => kickoffTimeInput ?? null,
    }),
    catchUp: t.field({
      type: CatchUpPolicyEnum,
      description: 'What happens to missed slots.',
      resolve: ({ catchUp }) => (catchUp ?? defaultCatchUp).policy,
    }),
    catchUpLimit: t.int({
      description: limitText,
      resolve: ({ catchUp }) => (catchUp ?? defaultCatchUp).limit,
    }),
  }),
});

const CronTimesInput = builder.inputType('CronTimesInput', {
  description: 'Times by a cron expression.',
  fields: (t) => ({
    expression: t.string({ required: true, description: expressionText }),
    timeZone: t.string({ description: `${timeZoneText} UTC if left out.` }),
    offset: t.string({ description: `${offsetText} An ISO 8601 duration of at most 31 days.` }),
  }),
});

const RateTimesInput = builder.inputType('RateTimesInput', {
  description: 'Times at equal distances, counted from the activation of the launch plan.',
  fields: (t) => ({
    value: t.int({ required: true, description: 'The distance in units, at least 1.' }),
    unit: t.field({ type: RateUnitEnum, required: true, description: 'The unit of the distance.' }),
  }),
});

const ScheduleTimesInput = builder.inputType('ScheduleTimesInput', {
  description: 'The times of a schedule. Give exactly one of the fields.',
  isOneOf: true,
  fields: (t) => ({
    cron: t.field({ type: CronTimesInput, description: 'Times by a cron expression.' }),
    rate: t.field({ type: RateTimesInput, description: 'Times at equal distances.' }),
  }),
});

export const ScheduleInput = builder.inputType('ScheduleInput', {
  description: 'When a launch plan starts executions by itself.',
  fields: (t) => ({
    times: t.field({ type: ScheduleTimesInput, required: true, description: 'The times of the executions.' }),
    kickoffTimeInput: t.string({ description: kickoffText }),
    catchUp: t.field({
      type: CatchUpPolicyEnum,
      defaultValue: defaultCatchUp.policy,
      description: 'What happens to missed slots.',
    }),
    catchUpLimit: t.int({ defaultValue: defaultCatchUp.limit, description: limitText }),
  }),
});

/** The input in the form that the reader of the registry checks. */
export function scheduleOf(input: typeof ScheduleInput.$inferInput): object {
  const { times, kickoffTimeInput, catchUp, catchUpLimit } = input;
  const policy = catchUp ?? defaultCatchUp.policy;
  const limit = catchUpLimit ?? defaultCatchUp.limit;
  const isDefault = policy === defaultCatchUp.policy && limit === defaultCatchUp.limit;
  // The default is not stored, so that the launch plan equals the same one in Flyte's form.
  return { ...times, kickoffTimeInput, ...(isDefault ? {} : { catchUp: { policy, limit } }) };
}

import { parseDuration } from '../../platform/duration.ts';
import { InvalidArgumentError } from '../../platform/errors.ts';
import { entryOf, isRecord } from '../../values/json.ts';
import { Place } from '../../values/problem-list.ts';
import {
  checked,
  choice,
  fields,
  integer,
  isAbsent,
  name,
  optional,
  type Reader,
  required,
  text,
} from '../../values/readers.ts';
import { isTimeZone, readExpression } from './cron.ts';
import type { LaunchPlanInputs } from './launch-plan.ts';
import { type Notification, notifications } from './notifications.ts';
import {
  type CatchUp,
  type CronTimes,
  catchUpPolicies,
  hasSlots,
  MAX_CATCH_UP,
  MAX_INTERVAL_DAYS,
  type RateTimes,
  rateMs,
  rateUnits,
  type Schedule,
} from './schedules.ts';

/** What a launch plan does by itself. Its document has this part only if one of the two is there. */
export interface EntityMetadata {
  readonly schedule?: Schedule;
  readonly notifications?: readonly Notification[];
}

/** The entity metadata in a stored document of a launch plan. */
export const entityMetadataIn = (document: unknown): EntityMetadata =>
  (document as { readonly entityMetadata?: EntityMetadata }).entityMetadata ?? {};

const DAY_MS = 86_400_000;
const MAX_OFFSET_DAYS = 31;

const expression: Reader<string> = (value, place) => {
  const given = text(value, place);
  // Flyte's form may have a schedule without an expression. It is stored and has no slots.
  if (given === undefined || given === '') return given;
  const read = readExpression(given);
  return 'fault' in read
    ? place.report('InvalidValue', `the cron expression is not valid: ${read.fault}`)
    : given;
};

const timeZone = checked(text, (value, place) => {
  if (!isTimeZone(value))
    place.report(
      'InvalidValue',
      'expected the name of a time zone in the IANA database, such as Europe/Berlin',
    );
});

const offset = checked(text, (value, place) => {
  const length = parseDuration(value);
  if (length === null || length < 0 || length > MAX_OFFSET_DAYS * DAY_MS)
    place.report('InvalidValue', `expected an ISO 8601 duration from PT0S to P${MAX_OFFSET_DAYS}D`);
});

const cron = checked(
  fields<CronTimes>({
    expression: required(expression),
    timeZone: optional(timeZone),
    offset: optional(offset),
  }),
  (value, place) => {
    if (value.timeZone !== undefined && value.expression.trim().startsWith('@every'))
      place
        .at('timeZone')
        .report('InvalidValue', '@every counts from the activation, so a time zone has no effect');
  },
);

const rate = checked(
  fields<RateTimes>({
    value: required(integer(0, Number.MAX_SAFE_INTEGER)),
    unit: required(choice(...rateUnits)),
  }),
  (value, place) => {
    if (rateMs(value) > MAX_INTERVAL_DAYS * DAY_MS)
      place.at('value').report('InvalidValue', `a rate is at most ${MAX_INTERVAL_DAYS} days`);
  },
);

const catchUp = fields<CatchUp>({
  policy: required(choice(...catchUpPolicies)),
  limit: required(integer(1, MAX_CATCH_UP)),
});

/** Flyte's old field. It has AWS's six fields, which Flyte's own scheduler does not understand. */
const cronExpression: Reader<never> = (_value, place) =>
  place.report('InvalidValue', 'cronExpression is not supported; use cronSchedule with five fields');

const schedule = checked(
  fields<Schedule & { cronExpression?: never }>({
    cron: optional(cron),
    rate: optional(rate),
    cronExpression: optional(cronExpression),
    kickoffTimeInput: optional(name),
    catchUp: optional(catchUp),
  }),
  (value, place) => {
    if (value.cron && value.rate) place.report('InvalidValue', 'give either cron or rate');
  },
);

/**
 * Reads the schedule and the notifications of a launch plan. A scheduled launch plan must run without a user: each
 * expected input but the kickoff input needs a default.
 *
 * @param given  `schedule`, `notifications` and `launchConditions`, unchecked.
 * @param path  where the spec of Flyte stands; without it, the fields stand in an input of our own API.
 * @returns undefined if there is neither.
 * @throws InvalidArgumentError with all problems. Source: Flyte v1.16,
 * `flyteadmin/pkg/manager/impl/validation/launch_plan_validator.go` and `notifications_validator.go`.
 */
export function compileEntityMetadata(
  given: unknown,
  inputs: Pick<LaunchPlanInputs, 'expectedInputs'>,
  path?: readonly string[],
): EntityMetadata | undefined {
  if (!isRecord(given)) return undefined;
  const place = new Place(path ? [...path, 'entityMetadata'] : ['input']);
  if (!isAbsent(given['launchConditions']))
    place.at('launchConditions').report('InvalidValue', 'launch conditions are not supported');
  const scheduleRead = readOptional(schedule, given['schedule'], place.at('schedule'));
  const notificationsRead = readOptional(notifications, given['notifications'], place.at('notifications'));
  if (hasSlots(scheduleRead)) checkInputs(scheduleRead, inputs, place.at('schedule'));
  else if (scheduleRead && !path)
    place.at('schedule').report('InvalidValue', 'a schedule needs an expression, or a rate of at least 1');
  if (place.problems.size > 0)
    throw new InvalidArgumentError(
      place.problems.all.map((one) => ({ ...one, path: givenPath(one.path, path) })),
    );
  const hasNotifications = notificationsRead !== undefined && notificationsRead.length > 0;
  if (!scheduleRead && !hasNotifications) return undefined;
  return {
    ...(scheduleRead ? { schedule: scheduleRead } : {}),
    ...(hasNotifications ? { notifications: notificationsRead } : {}),
  };
}

/** Flyte's names of our fields. */
const flyteNames: Readonly<Record<string, readonly string[]>> = {
  cron: ['cronSchedule'],
  expression: ['schedule'],
  kickoffTimeInput: ['kickoffTimeInputArg'],
  recipients: ['recipientsEmail'],
};

/** The names of our fields in the input of a mutation, where the times of a schedule are one field, and a catch-up is two. */
const inputNames: Readonly<Record<string, readonly string[]>> = {
  cron: ['times', 'cron'],
  rate: ['times', 'rate'],
  catchUp: [],
  limit: ['catchUpLimit'],
};

/** The path of a problem as the caller wrote the fields, in Flyte's form or in that of our API. */
function givenPath(path: readonly string[], flyte: readonly string[] | undefined): readonly string[] {
  const names = flyte ? flyteNames : inputNames;
  return path.flatMap((name) => entryOf(names, name) ?? name);
}

const readOptional = <T>(read: Reader<T>, value: unknown, place: Place): T | undefined =>
  isAbsent(value) ? undefined : read(value, place);

function checkInputs(
  { kickoffTimeInput }: Schedule,
  { expectedInputs }: Pick<LaunchPlanInputs, 'expectedInputs'>,
  place: Place,
): void {
  for (const [input, expected] of Object.entries(expectedInputs))
    if ('required' in expected && input !== kickoffTimeInput)
      place.report(
        'MissingField',
        `a schedule cannot give the input ${input}: it needs a default or a fixed value`,
      );
  if (kickoffTimeInput === undefined) return;
  const expected = entryOf(expectedInputs, kickoffTimeInput);
  const at = place.at('kickoffTimeInput');
  if (!expected)
    at.report('VariableNameNotFound', `there is no input ${kickoffTimeInput} that an execution may give`);
  else if (!('simple' in expected.var.type) || expected.var.type.simple !== 'DATETIME')
    at.report('MismatchingTypes', `the input ${kickoffTimeInput} must have the type DATETIME`);
}

import { isRecord } from '../values/json.ts';
import { always, type Form, given, listOf, message, named, same, unless } from './form.ts';

/** Source: Flyte v1.16, `flyteidl/admin/launch_plan.proto`, `schedule.proto` and `common.proto`. */

const cronTimes = message({ expression: named('schedule', always('')), offset: unless('') });

/** Flyte has no field for the time zone. Its cron library takes it in front of the expression, and so do we. */
const cronSchedule: Form = {
  toOurs(flyte, place) {
    const ours = cronTimes.toOurs(flyte, place);
    if (!isRecord(ours) || typeof ours['expression'] !== 'string') return ours;
    const [, timeZone, expression] = /^CRON_TZ=(\S+) (.*)$/s.exec(ours['expression']) ?? [];
    return timeZone === undefined ? ours : { ...ours, expression, timeZone };
  },
  toFlyte(ours) {
    if (!isRecord(ours)) return ours;
    const { timeZone, expression } = ours;
    return cronTimes.toFlyte(
      timeZone === undefined ? ours : { ...ours, expression: `CRON_TZ=${timeZone} ${expression}` },
    );
  },
};

/** Flyte's form has no policy for missed slots, so ours leaves it out. */
const schedule = message({
  cron: named('cronSchedule', given(cronSchedule)),
  rate: given(message({ value: always(0), unit: always('MINUTE') })),
  cronExpression: unless(''),
  kickoffTimeInput: named('kickoffTimeInputArg', unless('')),
});

const recipients = message({ recipients: named('recipientsEmail', always([])), template: unless('') });

const notificationList = listOf(
  message({
    phases: always([]),
    email: given(recipients),
    pagerDuty: given(recipients),
    slack: given(recipients),
  }),
);

/** Flyte has no webhooks, so its form leaves them out. */
const notifications: Form = {
  toOurs: notificationList.toOurs,
  toFlyte: (ours) => {
    const all: readonly unknown[] = Array.isArray(ours) ? ours : [];
    const theirs = all.filter((one) => !(isRecord(one) && 'webhook' in one));
    return theirs.length > 0 ? notificationList.toFlyte(theirs) : undefined;
  },
};

export const entityMetadata = message({
  schedule: given(schedule),
  notifications: unless([], notifications),
  launchConditions: given(same),
});

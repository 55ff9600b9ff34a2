import {
  checked,
  choice,
  fields,
  list,
  optional,
  type Reader,
  required,
  text,
  wrongKind,
} from '../../values/readers.ts';

/** The phases in which an execution ends. */
export const notificationPhases = ['SUCCEEDED', 'FAILED', 'ABORTED', 'TIMED_OUT'] as const;
export type NotificationPhase = (typeof notificationPhases)[number];

/** Whom to tell about the end of an execution: exactly one of `email`, `pagerDuty`, `slack` and `webhook` is there. */
export interface Notification {
  readonly phases: readonly NotificationPhase[];
  readonly email?: Recipients;
  readonly pagerDuty?: Recipients;
  readonly slack?: Recipients;
  readonly webhook?: Webhook;
}

/** As in Flyte, all three services get e-mails. */
export interface Recipients {
  readonly recipients: readonly string[];
  readonly template?: string;
}

export interface Webhook {
  readonly url: string;
  readonly template?: string;
}

export const emailSinks = ['email', 'pagerDuty', 'slack'] as const;
export const notificationSinks = [...emailSinks, 'webhook'] as const;

export const MAX_NOTIFICATIONS = 20;
export const MAX_RECIPIENTS = 50;
export const MAX_TEMPLATE = 10_000;
export const MAX_URL = 2048;

const phase = choice(...notificationPhases);

const template = checked(text, (value, place) => {
  if (value.length > MAX_TEMPLATE)
    place.report('InvalidValue', `must have at most ${MAX_TEMPLATE} characters`);
});

const MAX_ADDRESS = 320;

/** One plain address. Names, lists and comments are none: a mail program would read more than one address in them. */
export const isEmailAddress = (text: string): boolean =>
  text.length <= MAX_ADDRESS && /^[^\s\p{C}@,;:<>()[\]"\\]+@[^\s\p{C}@,;:<>()[\]"\\]+$/u.test(text);

/** As Flyte, which takes any text for PagerDuty and Slack, such as the name of a channel. */
const isOneName = (text: string): boolean =>
  text.length <= MAX_ADDRESS && /^[^\s\p{C},;:<>()[\]"\\]+$/u.test(text);

const recipientWith =
  (isGood: (text: string) => boolean): Reader<string> =>
  (value, place) => {
    if (typeof value !== 'string') return wrongKind('an e-mail address', value, place);
    if (value.trim() === '') return place.report('MissingField', 'a recipient must not be blank');
    return isGood(value)
      ? value
      : place.report('InvalidValue', 'expected an e-mail address such as ada@example.com');
  };

const url: Reader<string> = (value, place) => {
  if (typeof value !== 'string') return wrongKind('a URL', value, place);
  const parsed = value.length <= MAX_URL && URL.canParse(value) ? new URL(value) : null;
  const isGood =
    parsed && ['http:', 'https:'].includes(parsed.protocol) && !parsed.username && !parsed.password;
  if (isGood) return value;
  return place.report(
    'InvalidValue',
    `expected a URL with http or https, without a user name and with at most ${MAX_URL} characters`,
  );
};

const bounded =
  (most: number, noun: string) =>
  (values: readonly unknown[], place: Parameters<Reader<unknown>>[1]): void => {
    if (values.length === 0) place.report('MissingField', `give at least one ${noun}`);
    if (values.length > most) place.report('InvalidValue', `give at most ${most} ${noun}s`);
  };

const recipientsWith = (isGood: (text: string) => boolean) =>
  fields<Recipients>({
    recipients: required(checked(list(recipientWith(isGood)), bounded(MAX_RECIPIENTS, 'recipient'))),
    template: optional(template),
  });

const notification = checked(
  fields<Notification>({
    phases: required(checked(list(phase), bounded(notificationPhases.length, 'phase'))),
    email: optional(recipientsWith(isEmailAddress)),
    pagerDuty: optional(recipientsWith(isOneName)),
    slack: optional(recipientsWith(isOneName)),
    webhook: optional(fields<Webhook>({ url: required(url), template: optional(template) })),
  }),
  (value, place) => {
    if (notificationSinks.filter((sink) => value[sink] !== undefined).length !== 1)
      place.report('InvalidValue', `give exactly one of ${notificationSinks.join(', ')}`);
  },
);

/** The notifications of a launch plan or an execution. Source: Flyte's validateNotifications. */
export const notifications: Reader<Notification[]> = checked(list(notification), (values, place) => {
  if (values.length > MAX_NOTIFICATIONS)
    place.report('InvalidValue', `give at most ${MAX_NOTIFICATIONS} notifications`);
});

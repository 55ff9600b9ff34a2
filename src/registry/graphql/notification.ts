import { builder } from '../../graphql/builder.ts';
import { enumOf } from '../../graphql/enum.ts';
import type { Notification, NotificationPhase, Recipients, Webhook } from '../domain/notifications.ts';

export const NotificationPhaseEnum = enumOf<NotificationPhase>(
  'NotificationPhase',
  'The phases of an execution that can be notified: those in which it ends.',
  {
    SUCCEEDED: 'All its work is done.',
    FAILED: 'Its work has failed.',
    ABORTED: 'Somebody has aborted it, and its work has stopped.',
    TIMED_OUT: 'Its time was over.',
  },
);

const templateText =
  'The text, in place of the standard one. It may contain `{{ project }}`, `{{ domain }}`, `{{ name }}`, `{{ phase }}` (in lower case), `{{ error }}` (empty unless the execution failed), and `{{ workflow.project }}`, `{{ launch_plan.project }}` and the same with `domain`, `name` and `version`.';
const urlText =
  'The URL that gets a POST with JSON. Everybody who may read the launch plan or the execution can see it. The server refuses addresses of private networks unless its operator allows them.';

const RecipientsType = builder.objectRef<Recipients>('NotificationRecipients').implement({
  description: 'Who gets an e-mail.',
  fields: (t) => ({
    recipients: t.stringList({
      description: 'The e-mail addresses.',
      resolve: ({ recipients }) => [...recipients],
    }),
    template: t.string({
      nullable: true,
      description: 'The text of the e-mail; null for the standard text.',
      resolve: ({ template }) => template ?? null,
    }),
  }),
});

const WebhookType = builder.objectRef<Webhook>('NotificationWebhook').implement({
  description: 'A program that gets a signed request.',
  fields: (t) => ({
    url: t.exposeString('url', { description: urlText }),
    template: t.string({
      nullable: true,
      description: 'The field `text` of the request; null for the standard text.',
      resolve: ({ template }) => template ?? null,
    }),
  }),
});

export const NotificationType = builder.objectRef<Notification>('Notification').implement({
  description:
    'Whom to tell about the end of an execution. Exactly one of `email`, `pagerDuty`, `slack` and `webhook` is not null.',
  fields: (t) => ({
    phases: t.field({
      type: [NotificationPhaseEnum],
      description: 'The phases that are notified.',
      resolve: ({ phases }) => [...phases],
    }),
    email: t.field({
      type: RecipientsType,
      nullable: true,
      description: 'Who gets an e-mail.',
      resolve: ({ email }) => email ?? null,
    }),
    pagerDuty: t.field({
      type: RecipientsType,
      nullable: true,
      description: 'The addresses at which PagerDuty takes e-mails.',
      resolve: ({ pagerDuty }) => pagerDuty ?? null,
    }),
    slack: t.field({
      type: RecipientsType,
      nullable: true,
      description: 'The addresses at which Slack takes e-mails.',
      resolve: ({ slack }) => slack ?? null,
    }),
    webhook: t.field({
      type: WebhookType,
      nullable: true,
      description: 'The program that gets a request.',
      resolve: ({ webhook }) => webhook ?? null,
    }),
  }),
});

const RecipientsInput = builder.inputType('NotificationRecipientsInput', {
  description: 'Who gets an e-mail.',
  fields: (t) => ({
    recipients: t.stringList({
      required: true,
      description:
        'The e-mail addresses, 1 to 50. For PagerDuty and Slack, other names are taken too, as in Flyte; they get nothing.',
    }),
    template: t.string({ description: templateText }),
  }),
});

const WebhookInput = builder.inputType('NotificationWebhookInput', {
  description: 'A program that gets a signed request.',
  fields: (t) => ({
    url: t.string({ required: true, description: urlText }),
    template: t.string({
      description: `${templateText} The request has it in the field \`text\`, where Slack's incoming webhooks look for it.`,
    }),
  }),
});

export const NotificationInput = builder.inputType('NotificationInput', {
  description:
    'Whom to tell about the end of an execution. Give exactly one of `email`, `pagerDuty`, `slack` and `webhook`.',
  fields: (t) => ({
    phases: t.field({
      type: [NotificationPhaseEnum],
      required: true,
      description: 'The phases to notify, at least one.',
    }),
    email: t.field({ type: RecipientsInput, description: 'Who gets an e-mail.' }),
    pagerDuty: t.field({
      type: RecipientsInput,
      description: 'The addresses at which PagerDuty takes e-mails.',
    }),
    slack: t.field({ type: RecipientsInput, description: 'The addresses at which Slack takes e-mails.' }),
    webhook: t.field({ type: WebhookInput, description: 'The program that gets a request.' }),
  }),
});

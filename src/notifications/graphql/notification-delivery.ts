import { ExecutionType } from '../../executions/graphql/execution.ts';
import type { DeliveryState, NotificationSink } from '../../generated/prisma/enums.ts';
import { builder } from '../../graphql/builder.ts';
import { connectionType } from '../../graphql/connection.ts';
import { enumOf } from '../../graphql/enum.ts';
import { inputOf } from '../../graphql/input.ts';
import { pagedList } from '../../graphql/keyset.ts';
import { payload } from '../../graphql/payload.ts';
import { FailedPreconditionError, NotFoundError } from '../../platform/errors.ts';
import { getProject } from '../../projects/loaders.ts';
import type { NotificationPhase } from '../../registry/domain/notifications.ts';
import { NotificationPhaseEnum } from '../../registry/graphql/notification.ts';
import { redeliverNotification } from '../commands/redeliver-notification.ts';
import { MAX_ATTEMPTS } from '../domain/retries.ts';
import { webhookSigningKeys } from '../signing-keys.ts';
import { type DeliveryAttempt, type DeliveryRow, deliveriesOfExecutions } from '../store/deliveries.ts';

const NotificationSinkEnum = enumOf<NotificationSink>('NotificationSink', 'Where a notification goes.', {
  EMAIL: 'To people, by e-mail.',
  PAGER_DUTY: 'To PagerDuty, by e-mail.',
  SLACK: 'To Slack, by e-mail.',
  WEBHOOK: 'To a program, by a signed request.',
});

const DeliveryStateEnum = enumOf<DeliveryState>('DeliveryState', 'What became of a notification.', {
  PENDING: 'It waits to be sent, for the first time or again.',
  DELIVERED: 'The receiver has accepted it.',
  DEAD: 'It was given up. `redeliverNotification` sends it again.',
});

const DeliveryAttemptType = builder.objectRef<DeliveryAttempt>('DeliveryAttempt').implement({
  description: 'One attempt to send a notification.',
  fields: (t) => ({
    at: t.field({
      type: 'DateTime',
      description: 'When the attempt ended.',
      resolve: ({ at }) => new Date(at),
    }),
    statusCode: t.exposeInt('statusCode', {
      nullable: true,
      description: 'The HTTP status that a webhook answered; null if it did not answer, and for e-mails.',
    }),
    error: t.exposeString('error', {
      nullable: true,
      description: 'What went wrong, for people; null if nothing did.',
    }),
  }),
});

const NotificationDeliveryType = builder.objectRef<DeliveryRow>('NotificationDelivery').implement({
  description:
    'A notification about the end of an execution. It is tried 10 times, after 10 seconds and then after longer and longer pauses, and is then given up. A receiver may get it twice, with the same id.',
  fields: (t) => ({
    id: t.exposeID('id', {
      description:
        'Unique over all notifications. A webhook gets it in the header `Slipway-Delivery`, and an e-mail has it in its message id.',
    }),
    phase: t.field({
      type: NotificationPhaseEnum,
      description: 'The phase in which the execution ended.',
      resolve: ({ phase }) => phase as NotificationPhase,
    }),
    sink: t.expose('sink', { type: NotificationSinkEnum, description: 'Where it goes.' }),
    url: t.exposeString('url', { nullable: true, description: 'The URL of a webhook; null for e-mails.' }),
    recipients: t.stringList({
      description: 'The addresses of e-mails; empty for a webhook.',
      resolve: ({ recipients }) => [...recipients],
    }),
    state: t.expose('state', { type: DeliveryStateEnum, description: 'What became of it.' }),
    nextAttemptAt: t.expose('nextAttemptAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it is tried next; null unless it is PENDING.',
    }),
    deliveredAt: t.expose('deliveredAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the receiver accepted it; null before that.',
    }),
    attempts: t.field({
      type: [DeliveryAttemptType],
      extensions: { listSize: MAX_ATTEMPTS },
      description: 'The latest 20 attempts, oldest first.',
      resolve: ({ log }) => [...log],
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was written.' }),
  }),
});

const NotificationDeliveryConnection = connectionType(NotificationDeliveryType);

builder.objectField(ExecutionType, 'notificationDeliveries', (t) =>
  t.connection(
    {
      type: NotificationDeliveryType,
      description: 'What became of the notifications about its end, newest first. Empty before the end.',
      resolve: ({ id: parentId }, args, { loaders }) =>
        pagedList(
          args,
          deliveriesOfExecutions.order,
          (page) => loaders.deliveriesOfExecution.load({ parentId, page }),
          () => loaders.deliveryCount.load(parentId, null),
        ),
    },
    NotificationDeliveryConnection,
  ),
);

const WebhookSigningKeysType = builder
  .objectRef<{ readonly keys: readonly string[] }>('WebhookSigningKeys')
  .implement({
    description: 'How to check that a webhook comes from this server.',
    fields: (t) => ({
      keys: t.stringList({
        description:
          "The keys that sign the webhooks of the project. A webhook has the header `Slipway-Signature: t=<seconds since 1970>,v1=<signature>`, with one `v1` for each key: the HMAC-SHA-256, in hexadecimal, of the time, a full stop and the body, with the key as text. Accept a request if one `v1` is right and the time is not old. There are several keys while the operator replaces the server's secret.",
        resolve: ({ keys }) => [...keys],
      }),
    }),
  });

builder.queryField('webhookSigningKeys', (t) =>
  t.field({
    type: WebhookSigningKeysType,
    nullable: true,
    description: 'The keys that sign the webhooks of a project. Requires MANAGE on the project.',
    args: {
      project: t.arg.string({ required: true, description: 'The identifier of the project.' }),
    },
    resolve: async (_root, { project }, { loaders }) => ({
      keys: webhookSigningKeys((await getProject(project, loaders)).id),
    }),
  }),
);

const RedeliverNotificationPayload = payload(
  'RedeliverNotificationPayload',
  'notificationDelivery',
  NotificationDeliveryType,
);

const RedeliverNotificationInput = builder.inputType('RedeliverNotificationInput', {
  description: 'A notification to send again.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The id of the notification.' }),
  }),
});

builder.mutationField('redeliverNotification', (t) =>
  t.field({
    type: RedeliverNotificationPayload,
    nullable: true,
    description:
      'Sends a notification again that was delivered or given up. Requires EDIT on the workflow of its execution. The content and the id stay the same.',
    errors: { types: [FailedPreconditionError] },
    args: inputOf(RedeliverNotificationInput),
    resolve: async (_root, { input: { id } }, { loaders }) => {
      const delivery = await loaders.delivery.load(id);
      if (!delivery) throw new NotFoundError('notification', id, ['input', 'id']);
      await redeliverNotification(delivery);
      loaders.delivery.clear(id);
      return { notificationDelivery: (await loaders.delivery.load(id)) ?? delivery };
    },
  }),
);

import { builder } from '../../graphql/builder.ts';
import { NotificationType } from '../../registry/graphql/notification.ts';
import { ExecutionType } from './execution.ts';

builder.objectField(ExecutionType, 'notifications', (t) =>
  t.field({
    type: [NotificationType],
    extensions: { listSize: 10 },
    description:
      'Whom to tell about its end, as decided when it was created. `notificationDeliveries` tells what became of it.',
    resolve: async ({ id }, _args, { loaders }) => [...(await loaders.executionNotifications.load(id))],
  }),
);

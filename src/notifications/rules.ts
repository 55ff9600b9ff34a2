import { executionTarget } from '../executions/domain/targets.ts';
import { can, type Finder, type RootRules } from '../graphql/rules.ts';
import { ofProject } from '../projects/rules.ts';

/** A notification. The grants on the workflow of its execution decide about it, and then those on the project. */
const ofDelivery: Finder = {
  kind: 'notification',
  key: (args) => (args as unknown as { input: { id: string } }).input.id,
  async target(args, { loaders }) {
    const delivery = await loaders.delivery.load((args as unknown as { input: { id: string } }).input.id);
    const execution = delivery && (await loaders.execution.load({ id: delivery.executionId }));
    return execution && executionTarget(execution);
  },
};

export const notificationRules: RootRules = {
  Query: {
    webhookSigningKeys: can(
      'webhookKey:read',
      ofProject(({ project }: { project: string }) => project),
    ),
  },
  Mutation: {
    redeliverNotification: can('notification:redeliver', ofDelivery),
  },
};

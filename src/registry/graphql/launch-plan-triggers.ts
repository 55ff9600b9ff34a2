import { builder } from '../../graphql/builder.ts';
import { MAX_TRIGGERS, triggersIn } from '../domain/triggers.ts';
import { LaunchPlanType } from './launch-plan.ts';
import { LaunchPlanTriggerType, type ShownTrigger } from './trigger.ts';

builder.objectField(LaunchPlanType, 'triggers', (t) =>
  t.field({
    type: [LaunchPlanTriggerType],
    extensions: { listSize: MAX_TRIGGERS },
    description: 'After which executions of other launch plans it starts an execution by itself.',
    resolve: async ({ id }, _args, { loaders }): Promise<ShownTrigger[]> => {
      const [document, rows] = await Promise.all([
        loaders.launchPlanSpec.load(id),
        loaders.launchPlanTriggers.load(id),
      ]);
      return triggersIn(document?.spec ?? {}).map((trigger, position) => ({
        ...trigger,
        status: rows.find((row) => row.position === position) ?? null,
      }));
    },
  }),
);

import { builder } from '../../graphql/builder.ts';
import { callerOf } from '../../graphql/context.ts';
import { inputOf } from '../../graphql/input.ts';
import { addressText } from '../../platform/address-text.ts';
import { InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { type Promoted, type PromotedEntity, promoteLaunchPlan } from '../commands/promote-launch-plan.ts';
import { DifferentStructureError } from '../domain/different-structure.ts';
import type { VersionBy } from '../store.ts';
import { EntityKeyType, LaunchPlanByInput } from './entity-key.ts';
import { LaunchPlanType } from './launch-plan.ts';
import { EntityTypeEnum } from './named-entity.ts';
import { RegistrationOutcomeEnum } from './registration.ts';

const PromoteLaunchPlanInput = builder.inputType('PromoteLaunchPlanInput', {
  description: 'A version of a launch plan to copy into another domain, and where the copy goes.',
  fields: (t) => ({
    by: t.field({ type: LaunchPlanByInput, required: true, description: 'Which version to copy.' }),
    domain: t.string({ required: true, description: 'The domain of the copies, such as `production`.' }),
    project: t.string({
      description:
        'The identifier of the project of the copies. If left out: the project of the launch plan.',
    }),
    version: t.string({
      description:
        'The version of the copied launch plan. If left out: the same version. All other copies keep their versions.',
    }),
    dryRun: t.boolean({
      defaultValue: false,
      description:
        'True: everything is checked, and nothing is stored. The answer says what the promotion would do.',
    }),
  }),
});

const PromotedEntityType = builder.objectRef<PromotedEntity>('PromotedEntity').implement({
  description: 'One version that a promotion copies.',
  fields: (t) => ({
    type: t.expose('type', { type: EntityTypeEnum, description: 'What the key is the key of.' }),
    key: t.expose('key', { type: EntityKeyType, description: 'The key of the copy.' }),
    outcome: t.expose('outcome', {
      type: RegistrationOutcomeEnum,
      description: 'What the promotion has done, or would do. A copy that is IDENTICAL existed before.',
    }),
  }),
});

const PromoteLaunchPlanPayload = builder.objectRef<Promoted>('PromoteLaunchPlanPayload').implement({
  description: 'What `promoteLaunchPlan` answers when it succeeds.',
  fields: (t) => ({
    launchPlan: t.expose('launchPlan', {
      type: LaunchPlanType,
      nullable: true,
      description: 'The copy of the launch plan. Null only with `dryRun`, if it does not exist.',
    }),
    entities: t.field({
      type: [PromotedEntityType],
      extensions: { listSize: 10 },
      description:
        'All copies, each after those that it refers to. The last one is the launch plan. There are at most 500.',
      resolve: ({ entities }) => [...entities],
    }),
  }),
});

builder.mutationField('promoteLaunchPlan', (t) =>
  t.field({
    type: PromoteLaunchPlanPayload,
    nullable: true,
    // It reads and compiles all documents, and each may have megabytes.
    extensions: { cost: 100 },
    description:
      'Copies a version of a launch plan into another domain or project, with its workflow, the tasks of the workflow, and the launch plans that the workflow starts. It copies only what belongs to the project and domain of the launch plan; references to other projects and domains stay as they are. The copy of the launch plan is INACTIVE. Requires READ on all that is copied, and EDIT on the project of the copies and on each workflow that exists there. Everything is checked before anything is stored: if a copy exists with another content, the answer is `DifferentStructureError` with the differences. If storing fails in the middle, some copies may exist; call it again to complete the promotion.',
    errors: { types: [NotFoundError, InvalidArgumentError, DifferentStructureError] },
    args: inputOf(PromoteLaunchPlanInput),
    resolve: async (_root, { input }, context) => {
      const { by, domain, project = null, version = null, dryRun } = input;
      const plan = await context.loaders.launchPlan.load(by as VersionBy);
      if (!plan) throw new NotFoundError('launch plan', addressText(by), ['input', 'by']);
      const isDryRun = dryRun === true;
      const to = { project, domain, version, isDryRun };
      const promoted = await promoteLaunchPlan(callerOf(context), plan, to);
      // An earlier read of the same request may have found nothing.
      for (const { type, key } of promoted.entities)
        if (type === 'LAUNCH_PLAN') context.loaders.launchPlan.clear({ key });
      return promoted;
    },
  }),
);

import {
  type ExecutionConfigInput,
  executionConfigFields,
  executionConfigInputs,
  executionConfigOf,
} from '../../attributes/graphql/execution-config.ts';
import {
  ClusterAssignmentInput,
  QualityOfServiceInput,
  qualityOfServiceOf,
} from '../../attributes/graphql/payload-inputs.ts';
import * as texts from '../../attributes/graphql/payload-texts.ts';
import { ClusterAssignmentType, QualityOfServiceType } from '../../attributes/graphql/payload-types.ts';
import { builder } from '../../graphql/builder.ts';
import type { Context } from '../../graphql/context.ts';
import { enumOf } from '../../graphql/enum.ts';
import { NotFoundError } from '../../platform/errors.ts';
import {
  type ConcurrencyPolicy,
  type LaunchPlanSettings,
  settingsIn,
} from '../domain/launch-plan-settings.ts';
import type { LaunchPlanRow } from '../store.ts';

const policyTexts = {
  description:
    'How many executions of a launch plan may run at the same time, in all its versions together. It is stored and has no effect yet.',
  max: 'How many executions may run; 0 means no limit.',
  behavior: 'What happens to further executions.',
};

const ConcurrencyLimitBehaviorEnum = enumOf<ConcurrencyPolicy['behavior']>(
  'ConcurrencyLimitBehavior',
  'What happens to a new execution if as many run as the launch plan allows.',
  {
    UNSPECIFIED: 'It starts in spite of the limit.',
    SKIP: 'It is not created: ALREADY_EXISTS.',
  },
);

const ConcurrencyPolicyType = builder.objectRef<ConcurrencyPolicy>('ConcurrencyPolicy').implement({
  description: policyTexts.description,
  fields: (t) => ({
    max: t.exposeInt('max', { description: policyTexts.max }),
    behavior: t.expose('behavior', {
      type: ConcurrencyLimitBehaviorEnum,
      description: policyTexts.behavior,
    }),
  }),
});

const ConcurrencyPolicyInput = builder.inputType('ConcurrencyPolicyInput', {
  description: policyTexts.description,
  fields: (t) => ({
    max: t.int({ required: true, description: policyTexts.max }),
    behavior: t.field({
      type: ConcurrencyLimitBehaviorEnum,
      defaultValue: 'UNSPECIFIED',
      description: policyTexts.behavior,
    }),
  }),
});

type ObjectFields = PothosSchemaTypes.ObjectFieldBuilder<typeof builder.$inferSchemaTypes, LaunchPlanRow>;
type InputFields = PothosSchemaTypes.InputFieldBuilder<typeof builder.$inferSchemaTypes, 'InputObject'>;

/** The settings are read only if they are selected. */
async function settingsOf({ id }: LaunchPlanRow, { loaders }: Context): Promise<LaunchPlanSettings> {
  const row = await loaders.launchPlanSpec.load(id);
  if (!row) throw new NotFoundError('launch plan', id);
  return settingsIn(row.spec);
}

const { maxParallelism, interruptible, overwriteCache } = texts.workflowExecutionConfig;

/** The settings as fields of a launch plan. */
export const launchPlanSettingFields = (t: ObjectFields) => ({
  ...executionConfigFields(t, settingsOf),
  maxParallelism: t.int({
    nullable: true,
    description: `${maxParallelism} Null if not set.`,
    resolve: async (plan, _args, context) => (await settingsOf(plan, context)).maxParallelism ?? null,
  }),
  interruptible: t.boolean({
    nullable: true,
    description: `${interruptible} Null if not set, which is not the same as false.`,
    resolve: async (plan, _args, context) => (await settingsOf(plan, context)).interruptible ?? null,
  }),
  overwriteCache: t.boolean({
    description: `${overwriteCache} False is the same as not set.`,
    resolve: async (plan, _args, context) => (await settingsOf(plan, context)).overwriteCache ?? false,
  }),
  qualityOfService: t.field({
    type: QualityOfServiceType,
    nullable: true,
    description: `${texts.qualityOfService.description} Null if not set.`,
    resolve: async (plan, _args, context) => (await settingsOf(plan, context)).qualityOfService ?? null,
  }),
  clusterAssignment: t.field({
    type: ClusterAssignmentType,
    nullable: true,
    description: `${texts.clusterAssignment.description} Null if not set.`,
    resolve: async (plan, _args, context) => (await settingsOf(plan, context)).clusterAssignment ?? null,
  }),
  concurrencyPolicy: t.field({
    type: ConcurrencyPolicyType,
    nullable: true,
    description: `${policyTexts.description} Null if not set.`,
    resolve: async (plan, _args, context) => (await settingsOf(plan, context)).concurrencyPolicy ?? null,
  }),
});

/** The settings as inputs of `createLaunchPlan`. */
export const launchPlanSettingInputs = (t: InputFields) => ({
  maxParallelism: t.int({ description: maxParallelism }),
  ...executionConfigInputs(t),
  qualityOfService: t.field({ type: QualityOfServiceInput, description: texts.qualityOfService.description }),
  clusterAssignment: t.field({
    type: ClusterAssignmentInput,
    description: texts.clusterAssignment.description,
  }),
  concurrencyPolicy: t.field({ type: ConcurrencyPolicyInput, description: policyTexts.description }),
});

interface LaunchPlanSettingsInput extends ExecutionConfigInput {
  readonly qualityOfService?: typeof QualityOfServiceInput.$inferInput | null | undefined;
  readonly clusterAssignment?: typeof ClusterAssignmentInput.$inferInput | null | undefined;
  readonly concurrencyPolicy?: typeof ConcurrencyPolicyInput.$inferInput | null | undefined;
}

/** These inputs as settings. @throws InvalidArgumentError if a map has a key twice. */
export function launchPlanSettingsOf(given: LaunchPlanSettingsInput): LaunchPlanSettings {
  const { qualityOfService, clusterAssignment, concurrencyPolicy } = given;
  return {
    ...executionConfigOf(given, ['input']),
    ...(qualityOfService && { qualityOfService: qualityOfServiceOf(qualityOfService) }),
    ...(clusterAssignment && { clusterAssignment }),
    ...(concurrencyPolicy && {
      concurrencyPolicy: {
        max: concurrencyPolicy.max,
        behavior: concurrencyPolicy.behavior ?? 'UNSPECIFIED',
      },
    }),
  };
}

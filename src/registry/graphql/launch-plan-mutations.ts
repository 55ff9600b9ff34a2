import { flyteLaunchPlan, launchPlanInputs } from '../../flyte/flyte-json.ts';
import { builder } from '../../graphql/builder.ts';
import { callerOf } from '../../graphql/context.ts';
import { inputOf } from '../../graphql/input.ts';
import { payload } from '../../graphql/payload.ts';
import { addressText } from '../../platform/address-text.ts';
import { AlreadyExistsError, InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { getProject } from '../../projects/loaders.ts';
import { Place, valueOrThrow } from '../../values/problem-list.ts';
import { createLaunchPlan, type NewLaunchPlan } from '../commands/create-launch-plan.ts';
import { updateLaunchPlan } from '../commands/update-launch-plan.ts';
import { DifferentStructureError } from '../domain/different-structure.ts';
import { flytePath, readFlyteSpec, requireOneForm } from '../domain/flyte-specs.ts';
import { launchPlanSettings } from '../domain/launch-plan-settings.ts';
import { entityKey } from '../domain/read-nodes.ts';
import { MAX_TRIGGERS } from '../domain/triggers.ts';
import type { VersionBy } from '../store.ts';
import { EntityKeyInput, LaunchPlanByInput, WorkflowByInput } from './entity-key.ts';
import { LaunchPlanStateEnum, LaunchPlanType } from './launch-plan.ts';
import { launchPlanSettingInputs, launchPlanSettingsOf } from './launch-plan-settings.ts';
import { NotificationInput } from './notification.ts';
import { dryRunField, registrationPayload } from './registration.ts';
import { ScheduleInput, scheduleOf } from './schedule.ts';
import { LaunchPlanTriggerInput } from './trigger.ts';

const CreateLaunchPlanInput = builder.inputType('CreateLaunchPlanInput', {
  description:
    'A version of a launch plan to register. Every execution must give the inputs of the workflow that are neither fixed nor have a default.',
  fields: (t) => ({
    key: t.field({ type: EntityKeyInput, required: true, description: 'The key of the new version.' }),
    workflow: t.field({
      type: WorkflowByInput,
      description: 'The version of the workflow that it launches. Required without `flyte`.',
    }),
    flyte: t.field({
      type: 'JSON',
      description:
        "In place of all other fields but `key` and `dryRun`: Flyte's LaunchPlanSpec in protobuf JSON. What has no effect here is stored too.",
    }),
    defaultInputs: t.field({
      type: 'JSON',
      description:
        'The default inputs as plain values, as an object with the name of each input. Executions may replace them.',
    }),
    defaultInputLiterals: t.field({
      type: 'JSON',
      description:
        "The default inputs as Flyte's literals, as an object with the name of each input. Give each input here or in `defaultInputs`, but not in both.",
    }),
    requiredInputs: t.stringList({
      defaultValue: [],
      description:
        'The names of inputs that every execution must give. Inputs without a default or a fixed value are required too.',
    }),
    fixedInputs: t.field({
      type: 'JSON',
      description:
        'The fixed inputs as plain values, as an object with the name of each input. Executions cannot replace them.',
    }),
    fixedInputLiterals: t.field({
      type: 'JSON',
      description:
        "The fixed inputs as Flyte's literals, as an object with the name of each input. Give each input here or in `fixedInputs`, but not in both.",
    }),
    ...launchPlanSettingInputs(t),
    schedule: t.field({
      type: ScheduleInput,
      description: 'When it starts executions by itself, while it is ACTIVE.',
    }),
    notifications: t.field({
      type: [NotificationInput],
      description:
        'Whom to tell about the end of its executions, at most 20. Each execution can replace them.',
    }),
    triggers: t.field({
      type: [LaunchPlanTriggerInput],
      description: `After which executions of other launch plans it starts an execution by itself, while it is ACTIVE: at most ${MAX_TRIGGERS} launch plans.`,
    }),
    ...dryRunField(t),
  }),
});

function newLaunchPlanOf({
  key,
  flyte,
  ...own
}: Omit<typeof CreateLaunchPlanInput.$inferInput, 'dryRun'>): Omit<NewLaunchPlan, 'isDryRun'> {
  requireOneForm(flyte, own, 'workflow');
  const { schedule, notifications, ...inputs } = own;
  if (own.workflow) {
    const entityMetadata = { schedule: schedule && scheduleOf(schedule), notifications };
    const settings = launchPlanSettingsOf(own);
    return { ...inputs, key, workflow: own.workflow as VersionBy, settings, entityMetadata };
  }
  const { ours, leftovers } = readFlyteSpec(flyteLaunchPlan, flyte);
  const { workflowId, expectedInputs, fixedInputs, entityMetadata, ...given } = ours;
  const place = new Place([...flytePath, 'workflowId']);
  const workflow = valueOrThrow(entityKey(workflowId, place), place);
  const at = new Place(flytePath);
  const settings = valueOrThrow(launchPlanSettings(given, at), at);
  return {
    key,
    workflow: { key: workflow },
    ...launchPlanInputs(ours),
    settings,
    entityMetadata,
    path: flytePath,
    leftovers,
  };
}

const CreateLaunchPlanPayload = registrationPayload(
  'CreateLaunchPlanPayload',
  'launchPlan',
  'launch plan',
  LaunchPlanType,
);
const UpdateLaunchPlanPayload = payload('UpdateLaunchPlanPayload', 'launchPlan', LaunchPlanType);

const UpdateLaunchPlanInput = builder.inputType('UpdateLaunchPlanInput', {
  description: 'A version of a launch plan to activate or deactivate.',
  fields: (t) => ({
    by: t.field({ type: LaunchPlanByInput, required: true, description: 'Which version to change.' }),
    state: t.field({
      type: LaunchPlanStateEnum,
      required: true,
      description: 'The new state.',
    }),
  }),
});

builder.mutationFields((t) => ({
  createLaunchPlan: t.field({
    type: CreateLaunchPlanPayload,
    nullable: true,
    description:
      'Registers a version of a launch plan. Requires EDIT on the project and READ on the workflow. The version is INACTIVE.',
    errors: { types: [InvalidArgumentError, DifferentStructureError, AlreadyExistsError, NotFoundError] },
    args: inputOf(CreateLaunchPlanInput),
    resolve: async (_root, { input }, context) => {
      const project = await getProject(input.key.project, context.loaders);
      const { dryRun, ...plan } = input;
      const isDryRun = dryRun === true;
      const made = await createLaunchPlan(callerOf(context), project, { ...newLaunchPlanOf(plan), isDryRun });
      // An earlier read of the same request may have found nothing.
      context.loaders.launchPlan.clear({ key: input.key });
      return made;
    },
  }),
  updateLaunchPlan: t.field({
    type: UpdateLaunchPlanPayload,
    nullable: true,
    description:
      'Activates or deactivates a version of a launch plan. Activating a version deactivates the version that was active. Requires EDIT on the workflow of each version that changes.',
    errors: { types: [NotFoundError, InvalidArgumentError] },
    args: inputOf(UpdateLaunchPlanInput),
    resolve: async (_root, { input }, context) => {
      const plan = await context.loaders.launchPlan.load(input.by as VersionBy);
      if (!plan) throw new NotFoundError('launch plan', addressText(input.by), ['input', 'by']);
      const launchPlan = await updateLaunchPlan(callerOf(context), plan, input.state);
      context.loaders.launchPlanSchedule.clear(launchPlan.id);
      return { launchPlan };
    },
  }),
}));

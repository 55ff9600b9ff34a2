import { obstacleTo } from '../../authorization/domain/permissions.ts';
import { flyteLaunchPlan, launchPlanInputs } from '../../flyte/flyte-json.ts';
import type { LaunchPlanState } from '../../generated/prisma/enums.ts';
import { builder, type Json } from '../../graphql/builder.ts';
import { connectionType } from '../../graphql/connection.ts';
import { type Context, callerOf, type Loaders } from '../../graphql/context.ts';
import { enumOf } from '../../graphql/enum.ts';
import { filtersArgument } from '../../graphql/filters-argument.ts';
import { guardedEdge } from '../../graphql/guarded-edge.ts';
import { addressOf, inputOf } from '../../graphql/input.ts';
import { type PageArguments, pagedList } from '../../graphql/keyset.ts';
import { NodeInterface } from '../../graphql/node.ts';
import { payload } from '../../graphql/payload.ts';
import { addressText } from '../../platform/address-text.ts';
import { AlreadyExistsError, InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { NO_ID } from '../../platform/ids.ts';
import { projectTarget } from '../../projects/domain/targets.ts';
import { ProjectType } from '../../projects/graphql/project.ts';
import { getIdentifier, getProject } from '../../projects/loaders.ts';
import { mapRecord } from '../../values/json.ts';
import { toPlain } from '../../values/plain-values.ts';
import { Place, valueOrThrow } from '../../values/problem-list.ts';
import { createLaunchPlan, type NewLaunchPlan } from '../commands/create-launch-plan.ts';
import { updateLaunchPlan } from '../commands/update-launch-plan.ts';
import { DifferentStructureError } from '../domain/different-structure.ts';
import { flytePath, leftoversIn, readFlyteSpec, requireOneForm } from '../domain/flyte-specs.ts';
import { launchPlanSettings } from '../domain/launch-plan-settings.ts';
import { entityKey } from '../domain/read-nodes.ts';
import { launchPlanTarget, workflowTarget } from '../domain/targets.ts';
import { launchPlanFilters } from '../store/filter-columns.ts';
import {
  countLaunchPlans,
  listLaunchPlans,
  type VersionFilter,
  versionOrder,
} from '../store/version-lists.ts';
import type { LaunchPlanInputsRow, LaunchPlanRow, VersionBy } from '../store.ts';
import {
  EntityKeyInput,
  EntityNameInput,
  innerListArguments,
  LaunchPlanByInput,
  versionsIn,
  WorkflowByInput,
} from './entity-key.ts';
import { domainArgument } from './entity-names.ts';
import { ExpectedInputType, expectedInputsOf } from './expected-input.ts';
import { WorkflowReferenceType } from './graph-node.ts';
import {
  launchPlanSettingFields,
  launchPlanSettingInputs,
  launchPlanSettingsOf,
} from './launch-plan-settings.ts';
import { NotificationInput } from './notification.ts';
import { dryRunField, registrationPayload } from './registration.ts';
import { ScheduleInput, scheduleOf } from './schedule.ts';
import { VariableType, variablesOf } from './typed-interface.ts';
import { orderArgument, termsOf, versionConditions } from './version-lists.ts';
import { WorkflowType } from './workflow.ts';

const LaunchPlanStateEnum = enumOf<LaunchPlanState>(
  'LaunchPlanState',
  'Whether a version of a launch plan is in use. Executions can be created from ACTIVE and INACTIVE versions.',
  {
    INACTIVE:
      'The version is not in use: `activeLaunchPlan` does not find it, and its schedule does not run.',
    ACTIVE:
      'The version is in use: `activeLaunchPlan` finds it. At most one version with the same name is ACTIVE.',
  },
);

/** The inputs, which are read only if they are selected. */
async function inputsOf({ id }: LaunchPlanRow, loaders: Loaders): Promise<LaunchPlanInputsRow> {
  const row = await loaders.launchPlanInputs.load(id);
  if (!row) throw new NotFoundError('launch plan', id);
  return row;
}

/** The workflow of a plan; null if it is hidden from the caller. */
export const shownWorkflow = guardedEdge(
  'workflow:read',
  ({ workflowId }: { readonly workflowId: string }, { loaders }) => loaders.workflow.load({ id: workflowId }),
  workflowTarget,
);

export const LaunchPlanType = builder.objectRef<LaunchPlanRow>('LaunchPlan').implement({
  description:
    'One registered version of a launch plan: a workflow with default and fixed inputs. Only its state can change.',
  interfaces: [NodeInterface],
  fields: (t) => ({
    project: t.field({
      type: ProjectType,
      nullable: true,
      description: 'The project in which it is registered; null if the project is hidden from you.',
      resolve: guardedEdge(
        'project:read',
        (plan, { loaders }) => loaders.project.load({ id: plan.projectId }),
        projectTarget,
      ),
    }),
    projectIdentifier: t.string({
      description: 'The identifier of the project. It is shown even if the project is hidden from you.',
      resolve: ({ projectId }, _args, { loaders }) => getIdentifier(projectId, loaders),
    }),
    domain: t.exposeString('domain', {
      description: 'The domain in which it is registered, such as `development`.',
    }),
    name: t.exposeString('name', { description: 'The name that all versions of the launch plan share.' }),
    version: t.exposeString('version', {
      description: 'The version, unique among the versions with this name.',
    }),
    workflow: t.field({
      type: WorkflowType,
      nullable: true,
      description: 'The version of the workflow that it launches; null if it is hidden from you.',
      resolve: shownWorkflow,
    }),
    expectedInputs: t.field({
      type: [ExpectedInputType],
      extensions: { listSize: 10 },
      description: 'The inputs that an execution may give: all inputs of the workflow except the fixed ones.',
      resolve: async (plan, _args, { loaders }) =>
        expectedInputsOf((await inputsOf(plan, loaders)).expectedInputs),
    }),
    expectedOutputs: t.field({
      type: [VariableType],
      extensions: { listSize: 10 },
      description: 'The outputs that an execution returns: the outputs of the workflow.',
      resolve: async (plan, _args, { loaders }) =>
        variablesOf((await inputsOf(plan, loaders)).expectedOutputs),
    }),
    fixedInputs: t.field({
      type: 'JSON',
      description:
        'The fixed inputs as plain values, as an object with the name of each input. Executions cannot give them.',
      resolve: async (plan, _args, { loaders }) =>
        mapRecord((await inputsOf(plan, loaders)).fixedInputs, toPlain),
    }),
    flyte: t.field({
      type: 'JSON',
      nullable: true,
      description:
        "The launch plan as Flyte's LaunchPlanSpec in protobuf JSON, with all that was registered: also what has no effect here. Null if the workflow, which it names, is hidden from you.",
      resolve: async (plan, args, context) => {
        const workflow = await shownWorkflow(plan, args, context);
        const row = workflow && (await context.loaders.launchPlanSpec.load(plan.id));
        return row && (flyteLaunchPlan.toFlyte(row.spec, leftoversIn(row.spec)) as Json);
      },
    }),
    ...launchPlanSettingFields(t),
    state: t.expose('state', {
      type: LaunchPlanStateEnum,
      description: 'Whether this version is in use.',
    }),
    digest: t.exposeString('digest', {
      description:
        'The SHA-256 of the launch plan in its canonical form: two launch plans are equal if their digests are equal.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the version was registered.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When its state last changed.' }),
  }),
});

builder.objectField(WorkflowReferenceType, 'launchPlan', (t) =>
  t.field({
    type: LaunchPlanType,
    nullable: true,
    description: 'The version of the launch plan; null for a workflow, or if it is hidden from you.',
    resolve: guardedEdge(
      'launchPlan:read',
      async (reference, { loaders }) =>
        'launchplanRef' in reference ? await loaders.launchPlan.load({ key: reference.launchplanRef }) : null,
      launchPlanTarget,
    ),
  }),
);

export const LaunchPlanConnection = connectionType(LaunchPlanType);

builder.objectField(ProjectType, 'launchPlans', (t) =>
  t.connection(
    {
      type: LaunchPlanType,
      nullable: true,
      description:
        'Versions of launch plans in the project that you may read, newest first; null if your scopes do not include `launchPlan:read`.',
      args: innerListArguments,
      resolve: versionsIn('launchPlan:read', projectTarget, ({ loaders }) => loaders.launchPlansOfProject),
    },
    LaunchPlanConnection,
  ),
);

builder.objectField(WorkflowType, 'launchPlans', (t) =>
  t.connection(
    {
      type: LaunchPlanType,
      nullable: true,
      description:
        'Versions of launch plans that launch this version and that you may read, in all projects, newest first; null if your scopes do not include `launchPlan:read`.',
      args: innerListArguments,
      resolve: versionsIn('launchPlan:read', workflowTarget, ({ loaders }) => loaders.launchPlansOfWorkflow),
    },
    LaunchPlanConnection,
  ),
);

const LaunchPlanFilterInput = builder.inputType('LaunchPlanFilterInput', {
  description: 'Which versions of launch plans a list shows: the versions that meet all of these conditions.',
  fields: (t) => ({
    ...versionConditions(t),
    state: t.field({ type: LaunchPlanStateEnum, description: 'Only versions in this state.' }),
    workflow: t.field({
      type: WorkflowByInput,
      description:
        'Only versions that launch this version of a workflow. The list is empty if it does not exist or you may not see it.',
    }),
  }),
});

const readableWorkflow = guardedEdge(
  'workflow:read',
  (by: VersionBy, { loaders }) => loaders.workflow.load(by),
  workflowTarget,
);

function pageOfLaunchPlans(shown: VersionFilter, args: PageArguments, context: Context) {
  const caller = callerOf(context);
  return pagedList(
    args,
    versionOrder(shown),
    (page) => listLaunchPlans(caller, shown, page),
    () => countLaunchPlans(caller, shown),
  );
}

builder.queryFields((t) => ({
  launchPlan: t.field({
    type: LaunchPlanType,
    nullable: true,
    description:
      'One version of a launch plan. Null and NOT_FOUND if it does not exist or you may not see it.',
    args: addressOf(LaunchPlanByInput, 'version of a launch plan'),
    resolve: (_root, { by }, { loaders }) => loaders.launchPlan.load(by as VersionBy),
  }),
  launchPlans: t.connection(
    {
      type: LaunchPlanType,
      description: 'Versions of launch plans that you may read.',
      args: {
        filter: t.arg({
          type: LaunchPlanFilterInput,
          required: true,
          description: 'Which versions to list.',
        }),
        ...orderArgument,
        ...filtersArgument(launchPlanFilters),
      },
      resolve: async (_root, { filter, filters, orderBy, ...args }, context) => {
        const workflow = filter.workflow as VersionBy | null | undefined;
        const workflowId = workflow
          ? ((await readableWorkflow(workflow, {}, context))?.id ?? NO_ID)
          : undefined;
        const seesWorkflows = obstacleTo(callerOf(context), 'workflow:read') === null;
        return pageOfLaunchPlans(
          { ...filter, workflowId, filters: termsOf({ filters }), seesWorkflows, orderBy },
          args,
          context,
        );
      },
    },
    LaunchPlanConnection,
  ),
  activeLaunchPlans: t.connection(
    {
      type: LaunchPlanType,
      description: 'The ACTIVE versions of launch plans that you may read, at most one of each name.',
      args: { ...domainArgument, ...orderArgument },
      resolve: (_root, { filter, orderBy, ...args }, context) =>
        pageOfLaunchPlans({ ...filter, state: 'ACTIVE', orderBy }, args, context),
    },
    LaunchPlanConnection,
  ),
  activeLaunchPlan: t.field({
    type: LaunchPlanType,
    nullable: true,
    description:
      'The ACTIVE version of a launch plan. Null and NOT_FOUND if there is none or you may not see it.',
    args: {
      key: t.arg({ type: EntityNameInput, required: true, description: 'The name of the launch plan.' }),
    },
    resolve: (_root, { key }, { loaders }) => loaders.activeLaunchPlan.load(key),
  }),
}));

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
    ...dryRunField(t),
  }),
});

function newLaunchPlanOf({
  key,
  flyte,
  ...own
}: Omit<typeof CreateLaunchPlanInput.$inferInput, 'dryRun'>): NewLaunchPlan {
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
      const isDryRun = dryRun ?? false;
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

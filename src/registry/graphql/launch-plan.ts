import { noteReadable } from '../../authorization/can.ts';
import { obstacleTo } from '../../authorization/domain/permissions.ts';
import { flyteLaunchPlan } from '../../flyte/flyte-json.ts';
import type { LaunchPlanState } from '../../generated/prisma/enums.ts';
import { builder, type Json } from '../../graphql/builder.ts';
import { connectionType } from '../../graphql/connection.ts';
import { type Context, callerOf, type Loaders } from '../../graphql/context.ts';
import { enumOf } from '../../graphql/enum.ts';
import { filtersArgument } from '../../graphql/filters-argument.ts';
import { guardedEdge } from '../../graphql/guarded-edge.ts';
import { addressOf } from '../../graphql/input.ts';
import { type PageArguments, pagedList } from '../../graphql/keyset.ts';
import { NodeInterface } from '../../graphql/node.ts';
import { NotFoundError } from '../../platform/errors.ts';
import { NO_ID } from '../../platform/ids.ts';
import { projectTarget } from '../../projects/domain/targets.ts';
import { ProjectType } from '../../projects/graphql/project.ts';
import { getIdentifier } from '../../projects/loaders.ts';
import { mapRecord } from '../../values/json.ts';
import { toPlain } from '../../values/plain-values.ts';
import { leftoversIn } from '../domain/flyte-specs.ts';
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
  EntityNameInput,
  innerListArguments,
  LaunchPlanByInput,
  versionsIn,
  WorkflowByInput,
} from './entity-key.ts';
import { domainArgument } from './entity-names.ts';
import { ExpectedInputType, expectedInputsOf } from './expected-input.ts';
import { WorkflowReferenceType } from './graph-node.ts';
import { launchPlanSettingFields } from './launch-plan-settings.ts';
import { VariableType, variablesOf } from './typed-interface.ts';
import { orderArgument, termsOf, versionConditions } from './version-lists.ts';
import { WorkflowType } from './workflow.ts';

export const LaunchPlanStateEnum = enumOf<LaunchPlanState>(
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
    async (page) => noteReadable(caller, await listLaunchPlans(caller, shown, page), launchPlanTarget),
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

import type { LaunchPlanState } from '../../generated/prisma/enums.ts';
import { builder } from '../../graphql/builder.ts';
import { connectionType } from '../../graphql/connection.ts';
import { callerOf } from '../../graphql/context.ts';
import { enumOf } from '../../graphql/enum.ts';
import { guardedEdge } from '../../graphql/guarded-edge.ts';
import { addressOf, inputOf } from '../../graphql/input.ts';
import { pagedList } from '../../graphql/keyset.ts';
import { NodeInterface } from '../../graphql/node.ts';
import { payload } from '../../graphql/payload.ts';
import { addressText } from '../../platform/address-text.ts';
import { AlreadyExistsError, InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { projectTarget } from '../../projects/domain/targets.ts';
import { ProjectType } from '../../projects/graphql/project.ts';
import { getIdentifier, getProject } from '../../projects/loaders.ts';
import type { Literal } from '../../values/literals.ts';
import { toPlain } from '../../values/plain-values.ts';
import { createLaunchPlan } from '../commands/create-launch-plan.ts';
import { updateLaunchPlan } from '../commands/update-launch-plan.ts';
import type { ExpectedInput } from '../domain/launch-plan.ts';
import { workflowTarget } from '../domain/targets.ts';
import { countLaunchPlans, listLaunchPlans, type VersionBy, versionOrder } from '../store.ts';
import {
  EntityKeyInput,
  EntityNameInput,
  innerListArguments,
  LaunchPlanByInput,
  VersionFilterInput,
  versionsIn,
  WorkflowByInput,
} from './entity-key.ts';
import { WorkflowType } from './workflow.ts';

const LaunchPlanStateEnum = enumOf<LaunchPlanState>(
  'LaunchPlanState',
  'Whether a version of a launch plan is the one in use. Executions may be created from either.',
  {
    INACTIVE: 'It is not in use: `activeLaunchPlan` does not answer it, and its schedule does not run.',
    ACTIVE: 'It is in use: `activeLaunchPlan` answers it. At most one version of a name is ACTIVE.',
  },
);

type NamedInput = ExpectedInput & { readonly name: string };

const ExpectedInputType = builder.objectRef<NamedInput>('ExpectedInput').implement({
  description: 'An input that an execution of a launch plan may give, or must.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'The name of the input, as the workflow declares it.' }),
    type: t.field({
      type: 'JSON',
      description: "The type of the input as Flyte's LiteralType.",
      resolve: (input) => input.var.type,
    }),
    required: t.boolean({
      description: 'Whether every execution must give it: it has no default.',
      resolve: (input) => 'required' in input,
    }),
    default: t.field({
      type: 'JSON',
      nullable: true,
      description: 'The plain value that is used when an execution does not give it; null when it must.',
      resolve: (input) => ('default' in input ? toPlain(input.default) : null),
    }),
  }),
});

export const LaunchPlanType = builder.prismaObject('LaunchPlan', {
  description:
    'One registered version of a launch plan: a workflow with default and fixed inputs. Only its state ever changes.',
  interfaces: [NodeInterface],
  fields: (t) => ({
    project: t.field({
      type: ProjectType,
      nullable: true,
      description: 'The project that it is registered in; null when it is hidden from you.',
      resolve: guardedEdge(
        'project:read',
        (plan, { loaders }) => loaders.project.load({ id: plan.projectId }),
        projectTarget,
      ),
    }),
    projectIdentifier: t.string({
      description: "The project's identifier, shown even when the project itself is hidden from you.",
      resolve: ({ projectId }, _args, { loaders }) => getIdentifier(projectId, loaders),
    }),
    domain: t.exposeString('domain', {
      description: 'The domain that it is registered in, such as `development`.',
    }),
    name: t.exposeString('name', { description: 'The name that all versions of the launch plan share.' }),
    version: t.exposeString('version', { description: 'The version, unique under the name.' }),
    workflow: t.field({
      type: WorkflowType,
      nullable: true,
      description: 'The version of the workflow that it launches; null when it is hidden from you.',
      resolve: guardedEdge(
        'workflow:read',
        (plan, { loaders }) => loaders.workflow.load({ id: plan.workflowId }),
        workflowTarget,
      ),
    }),
    expectedInputs: t.field({
      type: [ExpectedInputType],
      extensions: { listSize: 10 },
      description: 'The inputs that an execution may give: all of the workflow but the fixed ones.',
      resolve: (plan) =>
        Object.entries(plan.expectedInputs as unknown as Record<string, ExpectedInput>).map(
          ([name, input]) => ({ name, ...input }),
        ),
    }),
    fixedInputs: t.field({
      type: 'JSON',
      description:
        'An object from the name of each fixed input to its plain value. No execution may give them.',
      resolve: (plan) =>
        Object.fromEntries(
          Object.entries(plan.fixedInputs as unknown as Record<string, Literal>).map(([name, literal]) => [
            name,
            toPlain(literal),
          ]),
        ),
    }),
    state: t.expose('state', {
      type: LaunchPlanStateEnum,
      description: 'Whether this version is the one in use.',
    }),
    digest: t.exposeString('digest', {
      description: 'SHA-256 of the launch plan in its canonical form: equal digests mean equal launch plans.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the version was registered.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When its state last changed.' }),
  }),
});

const LaunchPlanConnection = connectionType(LaunchPlanType);

builder.objectField(ProjectType, 'launchPlans', (t) =>
  t.connection(
    {
      type: LaunchPlanType,
      nullable: true,
      description:
        'Versions of launch plans in the project that you may read, newest first; null when your scopes do not include `launchPlan:read`.',
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
        'Versions of launch plans that launch this version and that you may read, in all projects, newest first; null when your scopes do not include `launchPlan:read`.',
      args: innerListArguments,
      resolve: versionsIn('launchPlan:read', workflowTarget, ({ loaders }) => loaders.launchPlansOfWorkflow),
    },
    LaunchPlanConnection,
  ),
);

builder.queryFields((t) => ({
  launchPlan: t.field({
    type: LaunchPlanType,
    nullable: true,
    description: 'One version of a launch plan; null with NOT_FOUND when it is absent or hidden.',
    args: addressOf(LaunchPlanByInput, 'version of a launch plan'),
    resolve: (_root, { by }, { loaders }) => loaders.launchPlan.load(by as VersionBy),
  }),
  launchPlans: t.connection(
    {
      type: LaunchPlanType,
      description: 'Versions of launch plans that you may read, newest first.',
      args: {
        filter: t.arg({ type: VersionFilterInput, required: true, description: 'Which versions to list.' }),
      },
      resolve: (_root, { filter, ...args }, context) => {
        const caller = callerOf(context);
        return pagedList(
          args,
          versionOrder,
          (page) => listLaunchPlans(caller, filter, page),
          () => countLaunchPlans(caller, filter),
        );
      },
    },
    LaunchPlanConnection,
  ),
  activeLaunchPlan: t.field({
    type: LaunchPlanType,
    nullable: true,
    description:
      'The ACTIVE version of a launch plan; null with NOT_FOUND when there is none, or it is hidden.',
    args: {
      key: t.arg({ type: EntityNameInput, required: true, description: 'The name of the launch plan.' }),
    },
    resolve: (_root, { key }, { loaders }) => loaders.activeLaunchPlan.load(key),
  }),
}));

const CreateLaunchPlanInput = builder.inputType('CreateLaunchPlanInput', {
  description:
    'A version of a launch plan to register. Inputs of the workflow that are neither fixed nor have a default must be given by every execution.',
  fields: (t) => ({
    key: t.field({ type: EntityKeyInput, required: true, description: 'What the version will be called.' }),
    workflow: t.field({
      type: WorkflowByInput,
      required: true,
      description: 'The version of the workflow that it launches.',
    }),
    defaultInputs: t.field({
      type: 'JSON',
      description: 'An object from the name of an input to the plain value that executions may replace.',
    }),
    defaultInputLiterals: t.field({
      type: 'JSON',
      description:
        "Default inputs as Flyte's literals, by name. An input is given here or in `defaultInputs`.",
    }),
    requiredInputs: t.stringList({
      defaultValue: [],
      description:
        'Names of inputs that every execution must give. Inputs that are mentioned nowhere are required too.',
    }),
    fixedInputs: t.field({
      type: 'JSON',
      description: 'An object from the name of an input to the plain value that no execution may replace.',
    }),
    fixedInputLiterals: t.field({
      type: 'JSON',
      description: "Fixed inputs as Flyte's literals, by name. An input is given here or in `fixedInputs`.",
    }),
  }),
});

const CreateLaunchPlanPayload = payload('CreateLaunchPlanPayload', 'launchPlan', LaunchPlanType);
const UpdateLaunchPlanPayload = payload('UpdateLaunchPlanPayload', 'launchPlan', LaunchPlanType);

const UpdateLaunchPlanInput = builder.inputType('UpdateLaunchPlanInput', {
  description: 'A version of a launch plan to activate or deactivate.',
  fields: (t) => ({
    by: t.field({ type: LaunchPlanByInput, required: true, description: 'Which version to change.' }),
    state: t.field({
      type: LaunchPlanStateEnum,
      required: true,
      description: 'The state that it will have.',
    }),
  }),
});

builder.mutationFields((t) => ({
  createLaunchPlan: t.field({
    type: CreateLaunchPlanPayload,
    nullable: true,
    description:
      'Registers a version of a launch plan, which is INACTIVE. Requires EDIT on the project, and that you may read the workflow.',
    errors: { types: [InvalidArgumentError, AlreadyExistsError, NotFoundError] },
    args: inputOf(CreateLaunchPlanInput),
    resolve: async (_root, { input }, context) => {
      const project = await getProject(input.key.project, context.loaders);
      const launchPlan = await createLaunchPlan(callerOf(context), project, {
        ...input,
        workflow: input.workflow as VersionBy,
      });
      // A later field of the operation may have asked for it before it was there.
      context.loaders.launchPlan.clear({ key: input.key });
      return { launchPlan };
    },
  }),
  updateLaunchPlan: t.field({
    type: UpdateLaunchPlanPayload,
    nullable: true,
    description:
      'Activates or deactivates a version of a launch plan. Activating one deactivates the version that was active, in one step. Requires EDIT on the workflows of both.',
    errors: { types: [NotFoundError, InvalidArgumentError] },
    args: inputOf(UpdateLaunchPlanInput),
    resolve: async (_root, { input }, context) => {
      const plan = await context.loaders.launchPlan.load(input.by as VersionBy);
      if (!plan) throw new NotFoundError('launch plan', addressText(input.by), ['input', 'by']);
      return { launchPlan: await updateLaunchPlan(callerOf(context), plan, input.state) };
    },
  }),
}));

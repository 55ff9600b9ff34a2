import { builder } from '../../graphql/builder.ts';
import { callerOf } from '../../graphql/context.ts';
import { guardedEdge } from '../../graphql/guarded-edge.ts';
import { pagedList } from '../../graphql/keyset.ts';
import { addressText } from '../../platform/address-text.ts';
import { AlreadyExistsError, InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { projectTarget } from '../../projects/domain/targets.ts';
import { ProjectType } from '../../projects/graphql/project.ts';
import { getProject } from '../../projects/loaders.ts';
import type { Literal } from '../../values/literals.ts';
import { toPlain } from '../../values/plain-values.ts';
import { createLaunchPlan } from '../commands/create-launch-plan.ts';
import { updateLaunchPlan } from '../commands/update-launch-plan.ts';
import type { ExpectedInput } from '../domain/launch-plan.ts';
import { workflowTarget } from '../domain/targets.ts';
import { listLaunchPlans, type VersionBy, versionOrder } from '../store.ts';
import { EntityKeyInput, EntityNameInput, LaunchPlanByInput, VersionFilterInput } from './entity-key.ts';
import { WorkflowType } from './workflow.ts';

const LaunchPlanState = builder.enumType('LaunchPlanState', {
  values: ['INACTIVE', 'ACTIVE'] as const,
});

type NamedInput = ExpectedInput & { readonly name: string };

const ExpectedInputType = builder.objectRef<NamedInput>('ExpectedInput').implement({
  description: 'An input that an execution may give.',
  fields: (t) => ({
    name: t.exposeString('name'),
    type: t.field({ type: 'JSON', resolve: (input) => input.var.type }),
    required: t.boolean({ resolve: (input) => 'required' in input }),
    default: t.field({
      type: 'JSON',
      nullable: true,
      description: 'As a plain value; null when it must be given.',
      resolve: (input) => ('default' in input ? toPlain(input.default) : null),
    }),
  }),
});

export const LaunchPlanType = builder.prismaObject('LaunchPlan', {
  description:
    'One registered version of a launch plan: a workflow with defaults and fixed inputs. Immutable but for its state; at most one version of a name is ACTIVE.',
  fields: (t) => ({
    id: t.exposeID('id'),
    project: t.field({
      type: ProjectType,
      nullable: true,
      resolve: guardedEdge(
        'project:read',
        (plan, { loaders }) => loaders.project.load({ id: plan.projectId }),
        projectTarget,
      ),
    }),
    domain: t.exposeString('domain'),
    name: t.exposeString('name'),
    version: t.exposeString('version'),
    workflow: t.field({
      type: WorkflowType,
      nullable: true,
      resolve: guardedEdge(
        'workflow:read',
        (plan, { loaders }) => loaders.workflow.load({ id: plan.workflowId }),
        workflowTarget,
      ),
    }),
    expectedInputs: t.field({
      type: [ExpectedInputType],
      extensions: { listSize: 10 },
      resolve: (plan) =>
        Object.entries(plan.expectedInputs as unknown as Record<string, ExpectedInput>).map(
          ([name, input]) => ({
            name,
            ...input,
          }),
        ),
    }),
    fixedInputs: t.field({
      type: 'JSON',
      description: 'Plain values by name; no execution may give them.',
      resolve: (plan) =>
        Object.fromEntries(
          Object.entries(plan.fixedInputs as unknown as Record<string, Literal>).map(([name, literal]) => [
            name,
            toPlain(literal),
          ]),
        ),
    }),
    state: t.field({
      type: LaunchPlanState,
      resolve: (plan) => plan.state,
    }),
    digest: t.exposeString('digest'),
    createdAt: t.field({
      type: 'DateTime',
      resolve: (plan) => plan.createdAt,
    }),
    updatedAt: t.field({
      type: 'DateTime',
      resolve: (plan) => plan.updatedAt,
    }),
  }),
});

builder.queryFields((t) => ({
  launchPlan: t.field({
    type: LaunchPlanType,
    nullable: true,
    description: 'One version; null with NOT_FOUND when it is absent or hidden.',
    args: { by: t.arg({ type: LaunchPlanByInput, required: true }) },
    resolve: (_root, { by }, { loaders }) => loaders.launchPlan.load(by as VersionBy),
  }),
  launchPlans: t.connection(
    {
      type: LaunchPlanType,
      description: 'Versions of launch plans, newest first.',
      args: { filter: t.arg({ type: VersionFilterInput, required: true }) },
      resolve: (_root, { filter, ...args }, context) =>
        pagedList(args, versionOrder, (page) => listLaunchPlans(callerOf(context), filter, page)),
    },
    { name: 'LaunchPlanConnection' },
    { name: 'LaunchPlanEdge' },
  ),
  activeLaunchPlan: t.field({
    type: LaunchPlanType,
    nullable: true,
    description: 'The active version of a name; null with NOT_FOUND when none is, or when it is hidden.',
    args: { key: t.arg({ type: EntityNameInput, required: true }) },
    resolve: (_root, { key }, { loaders }) => loaders.activeLaunchPlan.load(key),
  }),
}));

const CreateLaunchPlanInput = builder.inputType('CreateLaunchPlanInput', {
  fields: (t) => ({
    id: t.field({ type: EntityKeyInput, required: true }),
    workflowId: t.field({ type: EntityKeyInput, required: true }),
    defaultInputs: t.field({
      type: 'JSON',
      description: 'Plain values by name, which an execution may replace.',
    }),
    defaultInputLiterals: t.field({
      type: 'JSON',
      description: "The same as Flyte's literals.",
    }),
    requiredInputs: t.stringList({
      description: 'Inputs that must be given. Those not mentioned anywhere are, too.',
    }),
    fixedInputs: t.field({
      type: 'JSON',
      description: 'Plain values by name, which an execution may not replace.',
    }),
    fixedInputLiterals: t.field({
      type: 'JSON',
      description: "The same as Flyte's literals.",
    }),
  }),
});

const planPayload = (name: string) =>
  builder.objectRef<{ launchPlan: typeof LaunchPlanType.$inferType }>(name).implement({
    fields: (t) => ({
      launchPlan: t.field({
        type: LaunchPlanType,
        resolve: ({ launchPlan }) => launchPlan,
      }),
    }),
  });
const CreateLaunchPlanPayload = planPayload('CreateLaunchPlanPayload');
const UpdateLaunchPlanPayload = planPayload('UpdateLaunchPlanPayload');

const UpdateLaunchPlanInput = builder.inputType('UpdateLaunchPlanInput', {
  fields: (t) => ({
    by: t.field({ type: LaunchPlanByInput, required: true }),
    state: t.field({ type: LaunchPlanState, required: true }),
  }),
});

builder.mutationFields((t) => ({
  createLaunchPlan: t.field({
    type: CreateLaunchPlanPayload,
    nullable: true,
    description: 'Registers a version of a launch plan, INACTIVE.',
    errors: {
      types: [InvalidArgumentError, AlreadyExistsError, NotFoundError],
    },
    args: { input: t.arg({ type: CreateLaunchPlanInput, required: true }) },
    resolve: async (_root, { input }, context) => {
      const project = await getProject(input.id.project, context.loaders);
      return { launchPlan: await createLaunchPlan(callerOf(context), project, input) };
    },
  }),
  updateLaunchPlan: t.field({
    type: UpdateLaunchPlanPayload,
    nullable: true,
    description:
      'Activates or deactivates a version. Activating one deactivates the version that was active, in one step. Requires EDIT on both.',
    errors: { types: [NotFoundError, InvalidArgumentError] },
    args: { input: t.arg({ type: UpdateLaunchPlanInput, required: true }) },
    resolve: async (_root, { input }, context) => {
      const plan = await context.loaders.launchPlan.load(input.by as VersionBy);
      if (!plan) throw new NotFoundError('launch plan', addressText(input.by), ['input', 'by']);
      return { launchPlan: await updateLaunchPlan(callerOf(context), plan, input.state) };
    },
  }),
}));

import type { Target } from '../authorization/domain/resources.ts';
import { callerOf, type Loaders } from '../graphql/context.ts';
import { can, type Finder, type RootRules } from '../graphql/rules.ts';
import { addressText } from '../platform/address-text.ts';
import { projectTarget } from '../projects/domain/targets.ts';
import { ofProject } from '../projects/rules.ts';
import type { EntityKey } from './domain/entity-keys.ts';
import { launchPlanTarget, taskTarget, workflowTarget } from './domain/targets.ts';
import { findNamedEntity, hasReadableWorkflow, type VersionBy } from './store.ts';

type ByArguments = { by: VersionBy };
type FilterArguments = { filter: { project: string } };
type CreateArguments = { input: { id: EntityKey } };

const ofVersion = (
  kind: string,
  find: (by: VersionBy, loaders: Loaders) => Promise<Target | null>,
  by: (args: never) => VersionBy = ({ by: address }: ByArguments) => address,
): Finder => ({
  kind,
  key: (args) => addressText(by(args as never)),
  target: (args, { loaders }) => find(by(args as never), loaders),
});

const findTask = async (by: VersionBy, { taskBy }: Loaders) => {
  const task = await taskBy.load(by);
  return task && taskTarget(task);
};
const findWorkflow = async (by: VersionBy, { workflowBy }: Loaders) => {
  const workflow = await workflowBy.load(by);
  return workflow && workflowTarget(workflow);
};
const findLaunchPlan = async (by: VersionBy, { launchPlanBy }: Loaders) => {
  const plan = await launchPlanBy.load(by);
  return plan && launchPlanTarget(plan);
};
const ofTask = ofVersion('task', findTask);
const ofWorkflow = ofVersion('workflow', findWorkflow);

const ofListed = ofProject(({ filter }: FilterArguments) => filter.project);
const ofCreated = ofProject(({ input }: CreateArguments) => input.id.project);

/** A project, for what hangs on its workflows: seen also by who may read only some of these. */
export const ofProjectWithWorkflows = (identifier: (args: never) => string): Finder => ({
  ...ofProject(identifier),
  within: (target, _args, context) =>
    hasReadableWorkflow(callerOf(context), target?.resources[0]?.id ?? null),
});

const ofListedWorkflows = ofProjectWithWorkflows(({ filter }: FilterArguments) => filter.project);

/** The workflow whose version is to be made; its name may have grants of its own. */
const ofCreatedWorkflow: Finder = {
  ...ofCreated,
  async target(args, { loaders }) {
    const { id } = (args as unknown as CreateArguments).input;
    const project = await loaders.project.load({ identifier: id.project });
    const entity = await findNamedEntity(project?.id ?? null, id);
    if (!project) return null;
    return entity
      ? workflowTarget({ tenantId: project.tenantId, projectId: project.id, entityId: entity.id })
      : projectTarget(project);
  },
};

export const registryRules: RootRules = {
  Query: {
    task: can('task:read', ofTask),
    tasks: can('task:read', ofListed),
    workflow: can('workflow:read', ofWorkflow),
    workflows: can('workflow:read', ofListedWorkflows),
    launchPlan: can('launchPlan:read', ofVersion('launch plan', findLaunchPlan)),
    launchPlans: can('launchPlan:read', ofListedWorkflows),
    activeLaunchPlan: can(
      'launchPlan:read',
      ofProjectWithWorkflows(({ key }: { key: { project: string } }) => key.project),
    ),
  },
  Mutation: {
    createTask: can('task:create', ofCreated),
    createWorkflow: can('workflow:create', ofCreatedWorkflow),
    createLaunchPlan: can('launchPlan:create', ofCreated),
    updateLaunchPlan: can(
      'launchPlan:update',
      ofVersion('launch plan', findLaunchPlan, ({ input }: { input: ByArguments }) => input.by),
    ),
  },
};

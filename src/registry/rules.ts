import type { Target } from '../authorization/domain/resources.ts';
import type { EntityType } from '../generated/prisma/enums.ts';
import { callerOf, type Loaders } from '../graphql/context.ts';
import { can, type Finder, type RootRules } from '../graphql/rules.ts';
import { addressText } from '../platform/address-text.ts';
import type { ObjectKind } from '../platform/object-kinds.ts';
import { ofProject } from '../projects/rules.ts';
import type { EntityKey } from './domain/entity-keys.ts';
import { launchPlanTarget, nameTarget, taskTarget, workflowTarget } from './domain/targets.ts';
import type { DescriptionBy } from './store/descriptions.ts';
import type { NamedEntityBy } from './store/named-entities.ts';
import { type EntityName, hasReadableWorkflow, type VersionBy } from './store.ts';

type ByArguments = { by: VersionBy };
type FilterArguments = { filter: { project: string } };
type TypeArguments = { filter: { project: string; type: EntityType } };
type CreateArguments = { input: { key: EntityKey } };

const ofVersion = (
  kind: ObjectKind,
  find: (by: VersionBy, loaders: Loaders) => Promise<Target | null>,
  by: (args: never) => VersionBy = ({ by: address }: ByArguments) => address,
): Finder => ({
  kind,
  key: (args) => addressText(by(args as never)),
  target: (args, { loaders }) => find(by(args as never), loaders),
});

const findTask = async (by: VersionBy, loaders: Loaders) => {
  const task = await loaders.task.load(by);
  return task && taskTarget(task);
};
const findWorkflow = async (by: VersionBy, loaders: Loaders) => {
  const workflow = await loaders.workflow.load(by);
  return workflow && workflowTarget(workflow);
};
const findLaunchPlan = async (by: VersionBy, loaders: Loaders) => {
  const plan = await loaders.launchPlan.load(by);
  return plan && launchPlanTarget(plan);
};
const ofTask = ofVersion('task', findTask);
const ofWorkflow = ofVersion('workflow', findWorkflow);

const ofListed = ofProject(({ filter }: FilterArguments) => filter.project);
const ofCreated = ofProject(({ input }: CreateArguments) => input.key.project);

/**
 * A project, for lists of objects that belong to its workflows. Callers who may read only some of the workflows may use
 * it too.
 */
export const ofProjectWithWorkflows = (identifier: (args: never) => string): Finder => ({
  ...ofProject(identifier),
  within: (target, _args, context) =>
    hasReadableWorkflow(callerOf(context), target?.resources[0]?.id ?? null),
});

/**
 * A project, for a new object that belongs to a workflow. A level on the workflow is enough, so the command checks it
 * after it has found the workflow. If the workflow is hidden, it looks absent.
 */
export const ofProjectWithNew = (identifier: (args: never) => string): Finder => ({
  ...ofProjectWithWorkflows(identifier),
  levelIsAskedLater: true,
});

const ofListedWorkflows = ofProjectWithWorkflows(({ filter }: FilterArguments) => filter.project);

/** A project, for a list of objects of one kind. Grants on workflows do not open lists about tasks. */
const ofListedOfType: Finder = {
  ...ofListed,
  within: async (target, args, context) => {
    const isWithin = await hasReadableWorkflow(callerOf(context), target?.resources[0]?.id ?? null);
    return isWithin && (args as unknown as TypeArguments).filter.type !== 'TASK';
  },
};

const ofNamedEntity = (by: (args: never) => NamedEntityBy): Finder => ({
  kind: 'named entity',
  key: (args) => addressText(by(args as never)),
  async target(args, { loaders }) {
    const entity = await loaders.namedEntity.load(by(args as never));
    return entity && nameTarget(entity);
  },
});

const ofDescription: Finder = {
  kind: 'description entity',
  key: (args) => addressText(args['by'] as DescriptionBy),
  async target(args, { loaders }) {
    const description = await loaders.description.load(args['by'] as DescriptionBy);
    return description && nameTarget(description);
  },
};

/** The active version of a name, if there is one. Callers who may not read it learn nothing about it. */
const ofActiveLaunchPlan: Finder = {
  kind: 'launch plan',
  key: (args) => `${addressText(args)} (active)`,
  async target(args, { loaders }) {
    const plan = await loaders.activeLaunchPlan.load((args as unknown as { key: EntityName }).key);
    return plan && launchPlanTarget(plan);
  },
};

const inputBy = ({ input }: { input: ByArguments }) => input.by;

const ofChangedPlan = ofVersion('launch plan', findLaunchPlan, inputBy);

export const registryRules: RootRules = {
  Query: {
    task: can('task:read', ofTask),
    tasks: can('task:read', ofListed),
    workflow: can('workflow:read', ofWorkflow),
    workflows: can('workflow:read', ofListedWorkflows),
    launchPlan: can('launchPlan:read', ofVersion('launch plan', findLaunchPlan)),
    launchPlans: can('launchPlan:read', ofListedWorkflows),
    activeLaunchPlan: can('launchPlan:read', ofActiveLaunchPlan),
    activeLaunchPlans: can('launchPlan:read', ofListedWorkflows),
    taskIds: can('task:read', ofListed),
    workflowIds: can('workflow:read', ofListedWorkflows),
    launchPlanIds: can('launchPlan:read', ofListedWorkflows),
    namedEntity: can(
      'namedEntity:read',
      ofNamedEntity(({ by }: { by: NamedEntityBy }) => by),
    ),
    namedEntities: can('namedEntity:read', ofListedOfType),
    descriptionEntity: can('descriptionEntity:read', ofDescription),
    descriptionEntities: can('descriptionEntity:read', ofListedOfType),
  },
  Mutation: {
    createTask: can('task:create', ofCreated),
    createWorkflow: can(
      'workflow:create',
      ofProjectWithNew(({ input }: CreateArguments) => input.key.project),
    ),
    createLaunchPlan: can('launchPlan:create', ofCreated),
    deleteTask: can('task:delete', ofVersion('task', findTask, inputBy)),
    deleteWorkflow: can('workflow:delete', ofVersion('workflow', findWorkflow, inputBy)),
    deleteLaunchPlan: can('launchPlan:delete', ofChangedPlan),
    updateLaunchPlan: can('launchPlan:update', ofChangedPlan),
    pauseLaunchPlanSchedule: can('launchPlan:update', ofChangedPlan),
    resumeLaunchPlanSchedule: can('launchPlan:update', ofChangedPlan),
    pauseLaunchPlanTriggers: can('launchPlan:update', ofChangedPlan),
    resumeLaunchPlanTriggers: can('launchPlan:update', ofChangedPlan),
    // The command checks the project that gets the copies.
    promoteLaunchPlan: can('launchPlan:create', { ...ofChangedPlan, levelIsAskedLater: true }),
    updateNamedEntity: can(
      'namedEntity:update',
      ofNamedEntity(({ input }: { input: { by: NamedEntityBy } }) => input.by),
    ),
  },
};

import type { EntityState, EntityType } from '../../generated/prisma/enums.ts';
import { builder } from '../../graphql/builder.ts';
import { connectionType } from '../../graphql/connection.ts';
import { type Context, callerOf } from '../../graphql/context.ts';
import { enumOf } from '../../graphql/enum.ts';
import { filtersArgument } from '../../graphql/filters-argument.ts';
import { guardedEdge, type ListInside } from '../../graphql/guarded-edge.ts';
import { addressOf, inputOf } from '../../graphql/input.ts';
import { pagedList } from '../../graphql/keyset.ts';
import { NodeInterface } from '../../graphql/node.ts';
import { payload } from '../../graphql/payload.ts';
import { addressText } from '../../platform/address-text.ts';
import { InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { projectTarget } from '../../projects/domain/targets.ts';
import { ProjectType } from '../../projects/graphql/project.ts';
import { updateNamedEntity } from '../commands/update-named-entity.ts';
import { launchPlanTarget, nameTarget, taskTarget, workflowTarget } from '../domain/targets.ts';
import { namedEntityFilters } from '../store/filter-columns.ts';
import {
  countNamedEntities,
  listNamedEntities,
  type NamedEntityBy,
  type NamedEntityRow,
  nameOrder,
} from '../store/named-entities.ts';
import type { VersionFilter } from '../store/version-lists.ts';
import { innerListArguments, versionsIn } from './entity-key.ts';
import { nameOrderArgument } from './entity-names.ts';
import { LaunchPlanConnection, LaunchPlanType } from './launch-plan.ts';
import { TaskConnection, TaskType } from './task.ts';
import { termsOf } from './version-lists.ts';
import { WorkflowConnection, WorkflowType } from './workflow.ts';

export const EntityTypeEnum = enumOf<EntityType>('EntityType', 'What a name is the name of.', {
  TASK: 'Versions of a task.',
  WORKFLOW: 'Versions of a workflow.',
  LAUNCH_PLAN: 'Versions of a launch plan.',
});

const EntityStateEnum = enumOf<EntityState>(
  'EntityState',
  'How people regard a name. It is only for lists: whatever the state, versions can be registered, launched and scheduled.',
  {
    ACTIVE: 'The name is in use.',
    ARCHIVED: 'People do not use the name any more.',
    SYSTEM_GENERATED: 'The platform created the name for itself, for example to run a single task.',
  },
);

/** One of the rows of a launch plan's name; null for the names of tasks and workflows. */
const launchPlanEdge = (
  find: (entity: NamedEntityRow, context: Context) => Promise<NamedLaunchPlan | null>,
) =>
  guardedEdge<NamedEntityRow, NamedLaunchPlan>(
    'launchPlan:read',
    async (entity, context) => (entity.type === 'LAUNCH_PLAN' ? await find(entity, context) : null),
    launchPlanTarget,
  );
type NamedLaunchPlan = typeof LaunchPlanType.$inferType;

const newest = { limit: 1, backward: false, from: null };

/** The version of a name that was registered last, among those that the caller may read. */
async function first<Row>(list: ListInside<VersionFilter, Row>, nameId: string): Promise<Row | null> {
  const [latest = null] = await list.page(nameId, {}, newest);
  return latest;
}

export const NamedEntityType = builder.objectRef<NamedEntityRow>('NamedEntity').implement({
  description:
    'The name that all versions of a task, workflow or launch plan share. You may see it if you may read one of the versions.',
  interfaces: [NodeInterface],
  fields: (t) => ({
    type: t.expose('type', { type: EntityTypeEnum, description: 'What it is the name of.' }),
    project: t.field({
      type: ProjectType,
      nullable: true,
      description: 'The project of the versions; null if the project is hidden from you.',
      resolve: guardedEdge(
        'project:read',
        (entity, { loaders }) => loaders.project.load({ id: entity.projectId }),
        projectTarget,
      ),
    }),
    projectIdentifier: t.exposeString('project', {
      description: 'The identifier of the project. It is shown even if the project is hidden from you.',
    }),
    domain: t.exposeString('domain', {
      description: 'The domain of the versions, such as `development`.',
    }),
    name: t.exposeString('name', { description: 'The name itself.' }),
    description: t.exposeString('description', {
      description: 'What the name is for, in at most 300 characters. It may be empty.',
    }),
    state: t.expose('state', { type: EntityStateEnum, description: 'How people regard the name.' }),
    createdAt: t.expose('createdAt', {
      type: 'DateTime',
      description: 'When the first version was registered.',
    }),
    updatedAt: t.expose('updatedAt', {
      type: 'DateTime',
      description: 'When the description or the state last changed.',
    }),
    tasks: t.connection(
      {
        type: TaskType,
        nullable: true,
        description:
          'The versions of the task that you may read, newest first. Empty if it is not the name of a task; null if your scopes do not include `task:read`.',
        args: innerListArguments,
        resolve: versionsIn('task:read', nameTarget, ({ loaders }) => loaders.tasksOfName),
      },
      TaskConnection,
    ),
    workflows: t.connection(
      {
        type: WorkflowType,
        nullable: true,
        description:
          'The versions of the workflow that you may read, newest first. Empty if it is not the name of a workflow; null if your scopes do not include `workflow:read`.',
        args: innerListArguments,
        resolve: versionsIn('workflow:read', nameTarget, ({ loaders }) => loaders.workflowsOfName),
      },
      WorkflowConnection,
    ),
    launchPlans: t.connection(
      {
        type: LaunchPlanType,
        nullable: true,
        description:
          'The versions of the launch plan that you may read, newest first. Empty if it is not the name of a launch plan; null if your scopes do not include `launchPlan:read`.',
        args: innerListArguments,
        resolve: versionsIn('launchPlan:read', nameTarget, ({ loaders }) => loaders.launchPlansOfName),
      },
      LaunchPlanConnection,
    ),
    latestTask: t.field({
      type: TaskType,
      nullable: true,
      description:
        'The newest version of the task. Null if it is not the name of a task, or if your scopes do not include `task:read`.',
      resolve: guardedEdge(
        'task:read',
        async ({ id, type }: NamedEntityRow, { loaders }) =>
          type === 'TASK' ? await first(loaders.tasksOfName, id) : null,
        taskTarget,
      ),
    }),
    latestWorkflow: t.field({
      type: WorkflowType,
      nullable: true,
      description:
        'The newest version of the workflow. Null if it is not the name of a workflow, or if your scopes do not include `workflow:read`.',
      resolve: guardedEdge(
        'workflow:read',
        async ({ id, type }: NamedEntityRow, { loaders }) =>
          type === 'WORKFLOW' ? await first(loaders.workflowsOfName, id) : null,
        workflowTarget,
      ),
    }),
    latestLaunchPlan: t.field({
      type: LaunchPlanType,
      nullable: true,
      description:
        'The version of the launch plan that was registered last among those that you may read, whether it is ACTIVE or not. Null if it is not the name of a launch plan, or if your scopes do not include `launchPlan:read`.',
      resolve: launchPlanEdge(({ id }, { loaders }) => first(loaders.launchPlansOfName, id)),
    }),
    activeLaunchPlan: t.field({
      type: LaunchPlanType,
      nullable: true,
      description:
        'The ACTIVE version of the launch plan, whether it is the latest or not: the one whose schedule runs. Null if none is active, if it is hidden from you, or if it is not the name of a launch plan.',
      resolve: launchPlanEdge(({ project, domain, name }, { loaders }) =>
        loaders.activeLaunchPlan.load({ project, domain, name }),
      ),
    }),
  }),
});

const NamedEntityConnection = connectionType(NamedEntityType);

const NamedEntityKeyInput = builder.inputType('NamedEntityKeyInput', {
  description: 'What identifies the name of a task, workflow or launch plan.',
  fields: (t) => ({
    type: t.field({ type: EntityTypeEnum, required: true, description: 'What it is the name of.' }),
    project: t.string({ required: true, description: "The project's identifier." }),
    domain: t.string({ required: true, description: 'The domain of the project, such as `development`.' }),
    name: t.string({ required: true, description: 'The name that all versions share.' }),
  }),
});

const NamedEntityByInput = builder.inputType('NamedEntityByInput', {
  description: 'The address of the name of a task, workflow or launch plan.',
  isOneOf: true,
  fields: (t) => ({
    id: t.id({ description: 'The id of the named entity.' }),
    key: t.field({ type: NamedEntityKeyInput, description: 'Its type, project, domain and name.' }),
  }),
});

const NamedEntityFilterInput = builder.inputType('NamedEntityFilterInput', {
  description: 'Which names a list shows: the names that meet all of these conditions.',
  fields: (t) => ({
    type: t.field({ type: EntityTypeEnum, required: true, description: 'Only names of this type.' }),
    project: t.string({ required: true, description: 'Only names in the project with this identifier.' }),
    domain: t.string({ required: true, description: 'Only names in this domain.' }),
    name: t.string({ description: 'Only this name.' }),
    nameContains: t.string({
      description: 'Only names that contain this text. Capitals and small letters are different.',
    }),
    descriptionContains: t.string({
      description:
        'Only names whose description contains this text. Capitals and small letters are different.',
    }),
    states: t.field({ type: [EntityStateEnum], description: 'Only names in one of these states.' }),
  }),
});

builder.queryFields((t) => ({
  namedEntity: t.field({
    type: NamedEntityType,
    nullable: true,
    description:
      'The name of a task, workflow or launch plan. Null and NOT_FOUND if it does not exist or you may not read any version.',
    args: addressOf(NamedEntityByInput, 'name'),
    resolve: (_root, { by }, { loaders }) => loaders.namedEntity.load(by as NamedEntityBy),
  }),
  namedEntities: t.connection(
    {
      type: NamedEntityType,
      description:
        'The names of tasks, workflows or launch plans with at least one version that you may read, in all states. Names that begin with `.flytegen` are left out unless the list has a condition besides type, project and domain.',
      args: {
        filter: t.arg({ type: NamedEntityFilterInput, required: true, description: 'Which names to list.' }),
        ...nameOrderArgument,
        ...filtersArgument(namedEntityFilters),
      },
      resolve: (_root, { filter, filters, orderBy, ...args }, context) => {
        const caller = callerOf(context);
        const asked = { ...filter, filters: termsOf({ filters }) };
        return pagedList(
          args,
          nameOrder(orderBy),
          (page) => listNamedEntities(caller, asked, orderBy, page),
          () => countNamedEntities(caller, asked),
        );
      },
    },
    NamedEntityConnection,
  ),
}));

const UpdateNamedEntityInput = builder.inputType('UpdateNamedEntityInput', {
  description: 'The changes of a name. What is left out or null stays as it is.',
  fields: (t) => ({
    by: t.field({ type: NamedEntityByInput, required: true, description: 'Which name to change.' }),
    description: t.string({
      description: 'The new description, at most 300 characters. An empty text removes the description.',
    }),
    state: t.field({ type: EntityStateEnum, description: 'The new state.' }),
  }),
});

const UpdateNamedEntityPayload = payload('UpdateNamedEntityPayload', 'namedEntity', NamedEntityType);

builder.mutationField('updateNamedEntity', (t) =>
  t.field({
    type: UpdateNamedEntityPayload,
    nullable: true,
    description:
      'Changes the description or the state of a name. Requires EDIT on the project for a task, and on the workflow for a workflow or a launch plan. If the versions of a launch plan launch different workflows, the newest version that you may read decides.',
    errors: { types: [InvalidArgumentError, NotFoundError] },
    args: inputOf(UpdateNamedEntityInput),
    resolve: async (_root, { input }, context) => {
      const by = input.by as NamedEntityBy;
      const entity = await context.loaders.namedEntity.load(by);
      if (!entity) throw new NotFoundError('named entity', addressText(by), ['input', 'by']);
      const changes = { description: input.description ?? undefined, state: input.state ?? undefined };
      const namedEntity = await updateNamedEntity(callerOf(context), entity, changes);
      return { namedEntity };
    },
  }),
);

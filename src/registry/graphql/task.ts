import { flyteTask } from '../../flyte/flyte-json.ts';
import { builder, type Json } from '../../graphql/builder.ts';
import { connectionType } from '../../graphql/connection.ts';
import { callerOf, type Loaders } from '../../graphql/context.ts';
import { filtersArgument } from '../../graphql/filters-argument.ts';
import { guardedEdge } from '../../graphql/guarded-edge.ts';
import { addressOf, inputOf } from '../../graphql/input.ts';
import { pagedList } from '../../graphql/keyset.ts';
import { NodeInterface } from '../../graphql/node.ts';
import { AlreadyExistsError, InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { projectTarget } from '../../projects/domain/targets.ts';
import { ProjectType } from '../../projects/graphql/project.ts';
import { getIdentifier, getProject } from '../../projects/loaders.ts';
import { createTask, type NewTask } from '../commands/create-task.ts';
import { DifferentStructureError } from '../domain/different-structure.ts';
import { flytePath, leftoversIn, readFlyteSpec, requireOneForm } from '../domain/flyte-specs.ts';
import type { TaskTemplate } from '../domain/task-templates.ts';
import { taskFilters } from '../store/filter-columns.ts';
import { countTasks, listTasks, versionOrder } from '../store/version-lists.ts';
import type { TaskRow, VersionBy } from '../store.ts';
import {
  DescriptionEntityType,
  DescriptionInput,
  descriptionFrom,
  descriptionOf,
} from './description-entity.ts';
import { EntityKeyInput, innerListArguments, keyFieldsOf, TaskByInput, versionsIn } from './entity-key.ts';
import { dryRunField, registrationPayload } from './registration.ts';
import { TaskTemplateType } from './task-template.ts';
import { TaskTemplateInput, taskTemplateOf } from './task-template-input.ts';
import { TypedInterfaceType } from './typed-interface.ts';
import { orderArgument, termsOf, versionConditions } from './version-lists.ts';

async function templateOf({ id }: { readonly id: string }, loaders: Loaders): Promise<TaskTemplate> {
  const row = await loaders.taskTemplate.load(id);
  if (!row) throw new NotFoundError('task', id);
  return row.template;
}

export const TaskType = builder.objectRef<TaskRow>('Task').implement({
  description: 'One registered version of a task, which nodes of workflows run. It never changes.',
  interfaces: [NodeInterface],
  fields: (t) => ({
    project: t.field({
      type: ProjectType,
      nullable: true,
      description: 'The project in which it is registered; null if the project is hidden from you.',
      resolve: guardedEdge(
        'project:read',
        (task, { loaders }) => loaders.project.load({ id: task.projectId }),
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
    name: t.exposeString('name', { description: 'The name that all versions of the task share.' }),
    version: t.exposeString('version', {
      description: 'The version, unique among the versions with this name.',
    }),
    type: t.exposeString('type', { description: 'The plugin that runs it, such as `container`.' }),
    interface: t.field({
      type: TypedInterfaceType,
      description: 'The inputs and outputs of the task.',
      resolve: async (task, _args, { loaders }) => (await templateOf(task, loaders)).interface,
    }),
    template: t.field({
      type: 'JSON',
      description: "The compiled template, in the camelCase JSON of Flyte's TaskTemplate.",
      resolve: (task, _args, { loaders }) => templateOf(task, loaders),
    }),
    taskTemplate: t.field({
      type: TaskTemplateType,
      description: 'The compiled template, field by field.',
      resolve: (task, _args, { loaders }) => templateOf(task, loaders),
    }),
    flyte: t.field({
      type: 'JSON',
      description:
        "The task as Flyte's TaskSpec in protobuf JSON, with all that was registered: also what has no effect here.",
      resolve: async (task, _args, { loaders }) => {
        const [project, template] = await Promise.all([
          getIdentifier(task.projectId, loaders),
          templateOf(task, loaders),
        ]);
        return flyteTask.toFlyte(
          {
            template: { ...template, id: { ...keyFieldsOf(task), project } },
            shortDescription: task.shortDescription,
          },
          leftoversIn(template),
        ) as Json;
      },
    }),
    digest: t.exposeString('digest', {
      description:
        'The SHA-256 of the compiled template in its canonical form: two templates are equal if their digests are equal.',
    }),
    shortDescription: t.exposeString('shortDescription', {
      description: 'What the task does, in at most 300 characters. It may be empty.',
    }),
    description: t.field({
      type: DescriptionEntityType,
      nullable: true,
      description:
        'What the version says about itself. Null if it says nothing, or if your scopes do not include `descriptionEntity:read`.',
      resolve: descriptionOf,
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the version was registered.' }),
  }),
});

export const TaskConnection = connectionType(TaskType);

builder.objectField(ProjectType, 'tasks', (t) =>
  t.connection(
    {
      type: TaskType,
      nullable: true,
      description:
        'Versions of tasks in the project that you may read, newest first; null if your scopes do not include `task:read`.',
      args: innerListArguments,
      resolve: versionsIn('task:read', projectTarget, ({ loaders }) => loaders.tasksOfProject),
    },
    TaskConnection,
  ),
);

const TaskFilterInput = builder.inputType('TaskFilterInput', {
  description: 'Which versions of tasks a list shows: the versions that meet all of these conditions.',
  fields: (t) => ({
    ...versionConditions(t),
    type: t.string({ description: 'Only versions that this plugin runs, such as `container`.' }),
  }),
});

builder.queryFields((t) => ({
  task: t.field({
    type: TaskType,
    nullable: true,
    description: 'One version of a task. Null and NOT_FOUND if it does not exist or you may not see it.',
    args: addressOf(TaskByInput, 'version of a task'),
    resolve: (_root, { by }, { loaders }) => loaders.task.load(by as VersionBy),
  }),
  tasks: t.connection(
    {
      type: TaskType,
      description: 'Versions of tasks that you may read.',
      args: {
        filter: t.arg({ type: TaskFilterInput, required: true, description: 'Which versions to list.' }),
        ...orderArgument,
        ...filtersArgument(taskFilters),
      },
      resolve: (_root, { filter, filters, orderBy, ...args }, context) => {
        const caller = callerOf(context);
        const shown = { ...filter, filters: termsOf({ filters }), orderBy };
        return pagedList(
          args,
          versionOrder(shown),
          (page) => listTasks(caller, shown, page),
          () => countTasks(caller, shown),
        );
      },
    },
    TaskConnection,
  ),
}));

const CreateTaskInput = builder.inputType('CreateTaskInput', {
  description: 'A version of a task to register.',
  fields: (t) => ({
    key: t.field({ type: EntityKeyInput, required: true, description: 'The key of the new version.' }),
    template: t.field({
      type: TaskTemplateInput,
      description: 'What the task runs, and how. Required without `flyte`.',
    }),
    flyte: t.field({
      type: 'JSON',
      description:
        "In place of `template`: Flyte's TaskSpec in protobuf JSON. The key in it does not count. What has no effect here is stored too.",
    }),
    shortDescription: t.string({
      defaultValue: '',
      description: 'What the task does, in at most 300 characters. If empty: as `flyte` says.',
    }),
    description: t.field({
      type: DescriptionInput,
      description: 'What the version says about itself. `DescriptionEntity` shows it.',
    }),
    ...dryRunField(t),
  }),
});

function newTaskOf({
  key,
  template,
  flyte,
  shortDescription,
  description,
}: typeof CreateTaskInput.$inferInput): Omit<NewTask, 'isDryRun'> {
  requireOneForm(flyte, { template }, 'template');
  if (!template) {
    const { ours, leftovers } = readFlyteSpec(flyteTask, flyte);
    return {
      key,
      template: ours.template,
      path: [...flytePath, 'template'],
      leftovers,
      shortDescription: shortDescription || ours.shortDescription,
      description: descriptionFrom(description),
    };
  }
  return {
    key,
    template: taskTemplateOf(template, ['input', 'template']),
    shortDescription: shortDescription ?? '',
    description: descriptionFrom(description),
  };
}

const CreateTaskPayload = registrationPayload('CreateTaskPayload', 'task', 'task', TaskType);

builder.mutationField('createTask', (t) =>
  t.field({
    type: CreateTaskPayload,
    nullable: true,
    description:
      'Registers a version of a task. Requires EDIT on the project. If the version exists and is identical, the answer is ALREADY_EXISTS. If it exists and is different, the answer is INVALID_ARGUMENT with the differences.',
    errors: { types: [InvalidArgumentError, DifferentStructureError, AlreadyExistsError, NotFoundError] },
    args: inputOf(CreateTaskInput),
    resolve: async (_root, { input }, context) => {
      const project = await getProject(input.key.project, context.loaders);
      const isDryRun = input.dryRun === true;
      return await createTask(callerOf(context), project, { ...newTaskOf(input), isDryRun });
    },
  }),
);

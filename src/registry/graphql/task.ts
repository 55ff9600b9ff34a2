import { flyteTask } from '../../flyte/flyte-json.ts';
import { builder, type Json } from '../../graphql/builder.ts';
import { connectionType } from '../../graphql/connection.ts';
import { callerOf, type Loaders } from '../../graphql/context.ts';
import { enumOf } from '../../graphql/enum.ts';
import { filtersArgument } from '../../graphql/filters-argument.ts';
import { guardedEdge } from '../../graphql/guarded-edge.ts';
import { addressOf, inputOf } from '../../graphql/input.ts';
import { KeyValueInput } from '../../graphql/key-values.ts';
import { pagedList } from '../../graphql/keyset.ts';
import { NodeInterface } from '../../graphql/node.ts';
import { payload } from '../../graphql/payload.ts';
import { formatDuration } from '../../platform/duration.ts';
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
import { interfaceOf, TypedInterfaceInput, TypedInterfaceType } from './typed-interface.ts';
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

const ResourceNameEnum = enumOf('ContainerResourceName', 'A resource that a container can request.', {
  CPU: 'Processor cores.',
  GPU: 'Graphics processors.',
  MEMORY: 'Bytes of memory.',
  STORAGE: 'Bytes of disk that outlast the container.',
  EPHEMERAL_STORAGE: 'Bytes of disk that end with the container.',
});

const ResourceEntryInput = builder.inputType('ContainerResourceInput', {
  description: 'The amount of one resource that a container requests.',
  fields: (t) => ({
    name: t.field({ type: ResourceNameEnum, required: true, description: 'Which resource.' }),
    value: t.string({ required: true, description: 'A Kubernetes quantity: `500m`, `2`, `1Gi`.' }),
  }),
});

export const ResourcesInput = builder.inputType('ContainerResourcesInput', {
  description: 'The resources that a container requests, and the most that it may use.',
  fields: (t) => ({
    requests: t.field({
      type: [ResourceEntryInput],
      defaultValue: [],
      description: 'The resources that a machine must have free to start the container.',
    }),
    limits: t.field({
      type: [ResourceEntryInput],
      defaultValue: [],
      description: 'The most that the container may use.',
    }),
  }),
});

const ContainerInput = builder.inputType('ContainerInput', {
  description:
    'A program to run. The command and the arguments may contain the placeholders `{{.inputs.x}}`, `{{.input}}`, `{{.outputPrefix}}` and `{{.outputs.x}}`. No shell reads them, so an argument stays one argument.',
  fields: (t) => ({
    image: t.string({
      required: true,
      description: 'The image of the container. The process runtime ignores it.',
    }),
    command: t.stringList({
      defaultValue: [],
      description:
        'The program, with the arguments that come before `args`. If empty: the entry point of the image.',
    }),
    args: t.stringList({ defaultValue: [], description: 'The arguments of the program.' }),
    env: t.field({
      type: [KeyValueInput],
      defaultValue: [],
      description: 'Environment variables of the program.',
    }),
    resources: t.field({
      type: ResourcesInput,
      description: 'The resources of the container. If left out: no requests and no limits.',
    }),
  }),
});

const RuntimeTypeEnum = enumOf('RuntimeType', 'The kind of program that created a task.', {
  OTHER: 'Any other program.',
  FLYTE_SDK: "Flytekit, Flyte's SDK.",
});

const RuntimeMetadataInput = builder.inputType('RuntimeMetadataInput', {
  description: 'The program that created the task. It helps to find the cause of a problem.',
  fields: (t) => ({
    type: t.field({ type: RuntimeTypeEnum, required: true, description: 'The kind of SDK.' }),
    version: t.string({ required: true, description: 'The version of the SDK.' }),
    flavor: t.string({ description: 'The language or variant of the SDK, such as `python`.' }),
  }),
});

const TaskMetadataInput = builder.inputType('TaskMetadataInput', {
  description: 'Settings of a task that do not depend on its type.',
  fields: (t) => ({
    discoverable: t.boolean({
      description:
        'Whether outputs are cached: a run with the same inputs takes the outputs of an earlier run in the same project. If left out: false.',
    }),
    discoveryVersion: t.string({
      description: 'The version of the cached outputs. Another version is another entry of the cache.',
    }),
    cacheSerializable: t.boolean({
      description:
        'Whether only one run at a time computes outputs that are not in the cache yet. Others wait for it. If left out: false.',
    }),
    cacheIgnoreInputVars: t.stringList({
      description: 'The names of inputs that do not count when outputs are looked up in the cache.',
    }),
    timeout: t.field({
      type: 'Duration',
      description: 'How long one attempt may take. If left out or zero: no limit.',
    }),
    retries: t.int({
      description: 'How often a node is tried again if the code of the task fails: 0 to 10 times.',
    }),
    interruptible: t.boolean({
      description:
        'Whether the task may run on machines that the provider can take away at any time. If left out: the platform decides.',
    }),
    deprecatedErrorMessage: t.string({
      description:
        'Why users should not use the task any more, and which task to use instead. Empty if the task is not deprecated.',
    }),
    runtime: t.field({ type: RuntimeMetadataInput, description: 'The program that created the task.' }),
  }),
});

const TaskTemplateInput = builder.inputType('TaskTemplateInput', {
  description: "What a task runs, and how. Source: Flyte's TaskTemplate.",
  fields: (t) => ({
    type: t.string({ required: true, description: 'The plugin that runs it: `container`.' }),
    metadata: t.field({
      type: TaskMetadataInput,
      required: true,
      description: 'Settings that do not depend on the type of the task.',
    }),
    interface: t.field({
      type: TypedInterfaceInput,
      required: true,
      description: 'The inputs and outputs of the task.',
    }),
    container: t.field({
      type: ContainerInput,
      description: 'The program that a task of type `container` runs.',
    }),
    custom: t.field({ type: 'JSON', description: 'Settings for the plugin, as any JSON object.' }),
    config: t.field({
      type: 'JSON',
      description: 'Settings for the plugin, as an object whose values are texts.',
    }),
  }),
});

/** Durations in the form that the domain reads. */
export const withTimeoutText = <Metadata extends { readonly timeout?: number | null }>(
  metadata: Metadata,
) => ({
  ...metadata,
  timeout: metadata.timeout == null ? null : formatDuration(metadata.timeout),
});

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
  }),
});

function newTaskOf({
  key,
  template,
  flyte,
  shortDescription,
  description,
}: typeof CreateTaskInput.$inferInput): NewTask {
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
    template: {
      ...template,
      metadata: withTimeoutText(template.metadata),
      interface: interfaceOf(template.interface, ['input', 'template', 'interface']),
    },
    shortDescription: shortDescription ?? '',
    description: descriptionFrom(description),
  };
}

const CreateTaskPayload = payload('CreateTaskPayload', 'task', TaskType);

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
      const task = await createTask(callerOf(context), project, newTaskOf(input));
      return { task };
    },
  }),
);

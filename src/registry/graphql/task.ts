import { builder } from '../../graphql/builder.ts';
import { connectionType } from '../../graphql/connection.ts';
import { callerOf } from '../../graphql/context.ts';
import { enumOf } from '../../graphql/enum.ts';
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
import { createTask } from '../commands/create-task.ts';
import type { TaskTemplate } from '../domain/task-templates.ts';
import { countTasks, listTasks, type VersionBy, versionOrder } from '../store.ts';
import {
  EntityKeyInput,
  innerListArguments,
  TaskByInput,
  VersionFilterInput,
  versionsIn,
} from './entity-key.ts';
import { interfaceOf, TypedInterfaceInput, TypedInterfaceType } from './typed-interface.ts';

const templateOf = (task: { template: unknown }) => task.template as TaskTemplate;

export const TaskType = builder.prismaObject('Task', {
  description: 'One registered version of a task: what a node of a workflow runs. It never changes.',
  interfaces: [NodeInterface],
  fields: (t) => ({
    project: t.field({
      type: ProjectType,
      nullable: true,
      description: 'The project that it is registered in; null when it is hidden from you.',
      resolve: guardedEdge(
        'project:read',
        (task, { loaders }) => loaders.project.load({ id: task.projectId }),
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
    name: t.exposeString('name', { description: 'The name that all versions of the task share.' }),
    version: t.exposeString('version', { description: 'The version, unique under the name.' }),
    type: t.exposeString('type', { description: 'The plugin that runs it, such as `container`.' }),
    interface: t.field({
      type: TypedInterfaceType,
      description: 'What the task takes and what it puts out.',
      resolve: (task) => templateOf(task).interface,
    }),
    template: t.field({
      type: 'JSON',
      description: "The compiled template, in the camelCase JSON of Flyte's TaskTemplate.",
      resolve: (task) => task.template,
    }),
    digest: t.exposeString('digest', {
      description:
        'SHA-256 of the compiled template in its canonical form: equal digests mean equal templates.',
    }),
    shortDescription: t.exposeString('shortDescription', {
      description: 'What the task does, in at most 300 characters; empty when nobody said.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the version was registered.' }),
  }),
});

const TaskConnection = connectionType(TaskType);

builder.objectField(ProjectType, 'tasks', (t) =>
  t.connection(
    {
      type: TaskType,
      nullable: true,
      description:
        'Versions of tasks in the project that you may read, newest first; null when your scopes do not include `task:read`.',
      args: innerListArguments,
      resolve: versionsIn('task:read', projectTarget, ({ loaders }) => loaders.tasksOfProject),
    },
    TaskConnection,
  ),
);

builder.queryFields((t) => ({
  task: t.field({
    type: TaskType,
    nullable: true,
    description: 'One version of a task; null with NOT_FOUND when it is absent or hidden.',
    args: addressOf(TaskByInput, 'version of a task'),
    resolve: (_root, { by }, { loaders }) => loaders.task.load(by as VersionBy),
  }),
  tasks: t.connection(
    {
      type: TaskType,
      description: 'Versions of tasks that you may read, newest first.',
      args: {
        filter: t.arg({ type: VersionFilterInput, required: true, description: 'Which versions to list.' }),
      },
      resolve: (_root, { filter, ...args }, context) => {
        const caller = callerOf(context);
        return pagedList(
          args,
          versionOrder,
          (page) => listTasks(caller, filter, page),
          () => countTasks(caller, filter),
        );
      },
    },
    TaskConnection,
  ),
}));

const ResourceNameEnum = enumOf('ContainerResourceName', 'What a container can ask for.', {
  CPU: 'Processor cores.',
  GPU: 'Graphics processors.',
  MEMORY: 'Bytes of memory.',
  STORAGE: 'Bytes of disk that outlast the container.',
  EPHEMERAL_STORAGE: 'Bytes of disk that end with the container.',
});

const ResourceEntryInput = builder.inputType('ContainerResourceInput', {
  description: 'How much of one resource a container asks for.',
  fields: (t) => ({
    name: t.field({ type: ResourceNameEnum, required: true, description: 'Which resource.' }),
    value: t.string({ required: true, description: 'A Kubernetes quantity: `500m`, `2`, `1Gi`.' }),
  }),
});

const ResourcesInput = builder.inputType('ContainerResourcesInput', {
  description: 'What a container asks for, and what it may use at most.',
  fields: (t) => ({
    requests: t.field({
      type: [ResourceEntryInput],
      defaultValue: [],
      description: 'What a machine must have free before the container starts there.',
    }),
    limits: t.field({
      type: [ResourceEntryInput],
      defaultValue: [],
      description: 'What the container may use at most, while it runs.',
    }),
  }),
});

const ContainerInput = builder.inputType('ContainerInput', {
  description:
    'A program to run. Command and arguments may hold `{{.inputs.x}}`, `{{.input}}`, `{{.outputPrefix}}` and `{{.outputs.x}}`. Each is one argument, never a shell line.',
  fields: (t) => ({
    image: t.string({
      required: true,
      description: 'The image of the container. The process runtime, which does not isolate, ignores it.',
    }),
    command: t.stringList({
      defaultValue: [],
      description: "The program, and what comes before `args`. Empty: the image's own.",
    }),
    args: t.stringList({ defaultValue: [], description: 'The arguments of the program.' }),
    env: t.field({
      type: [KeyValueInput],
      defaultValue: [],
      description: 'Environment variables of the program.',
    }),
    resources: t.field({
      type: ResourcesInput,
      description: 'What the container asks for. Left out: nothing.',
    }),
  }),
});

const RuntimeTypeEnum = enumOf('RuntimeType', 'What made a task.', {
  OTHER: 'Anything but Flytekit.',
  FLYTE_SDK: "Flytekit, Flyte's SDK.",
});

const RuntimeMetadataInput = builder.inputType('RuntimeMetadataInput', {
  description: 'What made the task, for those who look for the cause of a problem.',
  fields: (t) => ({
    type: t.field({ type: RuntimeTypeEnum, required: true, description: 'The kind of SDK.' }),
    version: t.string({ required: true, description: 'The version of the SDK.' }),
    flavor: t.string({ description: 'The language or variant of the SDK, such as `python`.' }),
  }),
});

const TaskMetadataInput = builder.inputType('TaskMetadataInput', {
  description: 'How a task is run, whatever it runs.',
  fields: (t) => ({
    timeout: t.field({
      type: 'Duration',
      description: 'How long one attempt may take. Left out, or zero: as long as it likes.',
    }),
    retries: t.int({
      description: "How many further attempts a node gets after the task's code failed: 0 to 10.",
    }),
    interruptible: t.boolean({
      description:
        'Whether it may run on machines that can be taken back at any time. Left out: the platform decides.',
    }),
    deprecatedErrorMessage: t.string({
      description:
        'Why nobody should use the task any more, and what to use instead. Empty for a task in use.',
    }),
    runtime: t.field({ type: RuntimeMetadataInput, description: 'What made the task.' }),
  }),
});

const TaskTemplateInput = builder.inputType('TaskTemplateInput', {
  description: "What a task runs, and how. Source: Flyte's TaskTemplate.",
  fields: (t) => ({
    type: t.string({ required: true, description: 'The plugin that runs it: `container`.' }),
    metadata: t.field({ type: TaskMetadataInput, required: true, description: 'How the task is run.' }),
    interface: t.field({
      type: TypedInterfaceInput,
      required: true,
      description: 'What the task takes and what it puts out.',
    }),
    container: t.field({
      type: ContainerInput,
      description: 'The program that a task of type `container` runs.',
    }),
    custom: t.field({ type: 'JSON', description: 'An object that the plugin reads.' }),
    config: t.field({ type: 'JSON', description: 'An object of texts that the plugin reads.' }),
  }),
});

/** Durations as the domain reads them. */
export const withTimeoutText = <Metadata extends { readonly timeout?: number | null }>(
  metadata: Metadata,
) => ({
  ...metadata,
  timeout: metadata.timeout == null ? null : formatDuration(metadata.timeout),
});

const CreateTaskInput = builder.inputType('CreateTaskInput', {
  description: 'A version of a task to register.',
  fields: (t) => ({
    key: t.field({ type: EntityKeyInput, required: true, description: 'What the version will be called.' }),
    template: t.field({
      type: TaskTemplateInput,
      required: true,
      description: 'What the task runs, and how.',
    }),
    shortDescription: t.string({
      defaultValue: '',
      description: 'What the task does, in at most 300 characters.',
    }),
  }),
});

const CreateTaskPayload = payload('CreateTaskPayload', 'task', TaskType);

builder.mutationField('createTask', (t) =>
  t.field({
    type: CreateTaskPayload,
    nullable: true,
    description:
      'Registers a version of a task. Requires EDIT on the project. The very same version again is ALREADY_EXISTS; something else under the same version is INVALID_ARGUMENT, with the difference.',
    errors: { types: [InvalidArgumentError, AlreadyExistsError, NotFoundError] },
    args: inputOf(CreateTaskInput),
    resolve: async (_root, { input }, context) => {
      const project = await getProject(input.key.project, context.loaders);
      const task = await createTask(callerOf(context), project, {
        key: input.key,
        template: {
          ...input.template,
          metadata: withTimeoutText(input.template.metadata),
          interface: interfaceOf(input.template.interface, ['input', 'template', 'interface']),
        },
        shortDescription: input.shortDescription ?? '',
      });
      return { task };
    },
  }),
);

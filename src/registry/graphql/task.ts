import { builder } from '../../graphql/builder.ts';
import { callerOf } from '../../graphql/context.ts';
import { guardedEdge } from '../../graphql/guarded-edge.ts';
import { pagedList } from '../../graphql/keyset.ts';
import { AlreadyExistsError, InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { projectTarget } from '../../projects/domain/targets.ts';
import { ProjectType } from '../../projects/graphql/project.ts';
import { getProject } from '../../projects/loaders.ts';
import { createTask } from '../commands/create-task.ts';
import type { TaskTemplate } from '../domain/task-templates.ts';
import { listTasks, type VersionBy, versionOrder } from '../store.ts';
import { EntityKeyInput, TaskByInput, VersionFilterInput } from './entity-key.ts';
import { interfaceOf, TypedInterfaceInput, TypedInterfaceType } from './typed-interface.ts';

const templateOf = (task: { template: unknown }) => task.template as TaskTemplate;

export const TaskType = builder.prismaObject('Task', {
  description: 'One registered version of a task. Immutable.',
  fields: (t) => ({
    id: t.exposeID('id'),
    project: t.field({
      type: ProjectType,
      nullable: true,
      resolve: guardedEdge(
        'project:read',
        (task, { loaders }) => loaders.project.load({ id: task.projectId }),
        projectTarget,
      ),
    }),
    domain: t.exposeString('domain'),
    name: t.exposeString('name'),
    version: t.exposeString('version'),
    type: t.exposeString('type', {
      description: 'The plugin that runs it, such as `container`.',
    }),
    interface: t.field({
      type: TypedInterfaceType,
      resolve: (task) => templateOf(task).interface,
    }),
    template: t.field({
      type: 'JSON',
      description: "The compiled template, in the camelCase JSON of Flyte's TaskTemplate.",
      resolve: (task) => task.template,
    }),
    digest: t.exposeString('digest', {
      description: 'SHA-256 of the canonical compiled template.',
    }),
    shortDescription: t.exposeString('shortDescription'),
    createdAt: t.field({
      type: 'DateTime',
      resolve: (task) => task.createdAt,
    }),
  }),
});

builder.queryFields((t) => ({
  task: t.field({
    type: TaskType,
    nullable: true,
    description: 'One version; null with NOT_FOUND when it is absent or hidden.',
    args: { by: t.arg({ type: TaskByInput, required: true }) },
    resolve: (_root, { by }, { loaders }) => loaders.task.load(by as VersionBy),
  }),
  tasks: t.connection(
    {
      type: TaskType,
      description: 'Versions of tasks, newest first.',
      args: { filter: t.arg({ type: VersionFilterInput, required: true }) },
      resolve: (_root, { filter, ...args }, context) =>
        pagedList(args, versionOrder, (page) => listTasks(callerOf(context), filter, page)),
    },
    { name: 'TaskConnection' },
    { name: 'TaskEdge' },
  ),
}));

const KeyValueInput = builder.inputType('KeyValueInput', {
  fields: (t) => ({
    key: t.string({ required: true }),
    value: t.string({ required: true }),
  }),
});

const ResourceName = builder.enumType('ResourceName', {
  values: ['CPU', 'GPU', 'MEMORY', 'STORAGE', 'EPHEMERAL_STORAGE'] as const,
});

const ResourceEntryInput = builder.inputType('ResourceEntryInput', {
  fields: (t) => ({
    name: t.field({ type: ResourceName, required: true }),
    value: t.string({
      required: true,
      description: 'A Kubernetes quantity: `500m`, `2`, `1Gi`.',
    }),
  }),
});

const ResourcesInput = builder.inputType('ResourcesInput', {
  fields: (t) => ({
    requests: t.field({ type: [ResourceEntryInput] }),
    limits: t.field({ type: [ResourceEntryInput] }),
  }),
});

const ContainerInput = builder.inputType('ContainerInput', {
  description:
    'What is run. Command and arguments may hold `{{.inputs.x}}`, `{{.input}}`, `{{.outputPrefix}}` and `{{.outputs.x}}`. Each is one argument, never a shell line.',
  fields: (t) => ({
    image: t.string({
      required: true,
      description: 'Used by runtimes that isolate; the process runtime ignores it.',
    }),
    command: t.stringList(),
    args: t.stringList(),
    env: t.field({ type: [KeyValueInput] }),
    resources: t.field({ type: ResourcesInput }),
  }),
});

const TaskMetadataInput = builder.inputType('TaskMetadataInput', {
  fields: (t) => ({
    timeout: t.string({
      description: 'Of one attempt, ISO 8601: `PT5M`. Zero is no limit.',
    }),
    retries: t.int({
      description: 'Attempts beyond the first after the user code failed: 0 to 10.',
    }),
    interruptible: t.boolean(),
    deprecatedErrorMessage: t.string(),
    runtime: t.field({ type: RuntimeMetadataInput }),
  }),
});

const RuntimeMetadataInput = builder.inputType('RuntimeMetadataInput', {
  fields: (t) => ({
    type: t.field({
      type: builder.enumType('RuntimeType', {
        values: ['OTHER', 'FLYTE_SDK'] as const,
      }),
      required: true,
    }),
    version: t.string({ required: true }),
    flavor: t.string(),
  }),
});

const TaskTemplateInput = builder.inputType('TaskTemplateInput', {
  fields: (t) => ({
    type: t.string({
      required: true,
      description: 'The plugin that runs it: `container`.',
    }),
    metadata: t.field({ type: TaskMetadataInput, required: true }),
    interface: t.field({ type: TypedInterfaceInput, required: true }),
    container: t.field({ type: ContainerInput }),
    custom: t.field({ type: 'JSON', description: 'For the plugin.' }),
    config: t.field({
      type: 'JSON',
      description: 'For the plugin: text by name.',
    }),
  }),
});

const CreateTaskInput = builder.inputType('CreateTaskInput', {
  fields: (t) => ({
    id: t.field({ type: EntityKeyInput, required: true }),
    template: t.field({ type: TaskTemplateInput, required: true }),
    shortDescription: t.string({ description: 'At most 300 characters.' }),
  }),
});

const CreateTaskPayload = builder
  .objectRef<{ task: typeof TaskType.$inferType }>('CreateTaskPayload')
  .implement({
    fields: (t) => ({
      task: t.field({ type: TaskType, resolve: ({ task }) => task }),
    }),
  });

builder.mutationField('createTask', (t) =>
  t.field({
    type: CreateTaskPayload,
    nullable: true,
    description:
      'Registers a version of a task. The very same again is ALREADY_EXISTS, something else under the same version INVALID_ARGUMENT with the difference.',
    errors: {
      types: [InvalidArgumentError, AlreadyExistsError, NotFoundError],
    },
    args: { input: t.arg({ type: CreateTaskInput, required: true }) },
    resolve: async (_root, { input }, context) => {
      const project = await getProject(input.id.project, context.loaders);
      const task = await createTask(callerOf(context), project, {
        id: input.id,
        template: {
          ...input.template,
          interface: interfaceOf(input.template.interface, ['input', 'template', 'interface']),
        },
        shortDescription: input.shortDescription ?? '',
      });
      return { task };
    },
  }),
);

import { builder } from '../../graphql/builder.ts';
import { enumOf } from '../../graphql/enum.ts';
import { KeyValueInput } from '../../graphql/key-values.ts';
import { formatDuration } from '../../platform/duration.ts';
import { interfaceOf, TypedInterfaceInput } from './typed-interface.ts';

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

export const TaskTemplateInput = builder.inputType('TaskTemplateInput', {
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

/** The template in the form that the domain reads. */
export const taskTemplateOf = (
  template: typeof TaskTemplateInput.$inferInput,
  path: readonly string[],
): object => ({
  ...template,
  metadata: withTimeoutText(template.metadata),
  interface: interfaceOf(template.interface, [...path, 'interface']),
});

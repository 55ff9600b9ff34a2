import { SecurityContextInput } from '../../attributes/graphql/security-context.ts';
import { builder } from '../../graphql/builder.ts';
import { KeyValueInput, mapOf } from '../../graphql/key-values.ts';
import { formatDuration } from '../../platform/duration.ts';
import {
  ArchitectureEnum,
  ContainerResourceNameEnum,
  DataFormatEnum,
  DownloadModeEnum,
  RuntimeTypeEnum,
  SqlDialectEnum,
  UploadModeEnum,
} from './task-template-enums.ts';
import { interfaceOf, TypedInterfaceInput } from './typed-interface.ts';

const ResourceEntryInput = builder.inputType('ContainerResourceInput', {
  description: 'The amount of one resource that a container requests.',
  fields: (t) => ({
    name: t.field({ type: ContainerResourceNameEnum, required: true, description: 'Which resource.' }),
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

const ContainerPortInput = builder.inputType('ContainerPortInput', {
  description: 'A port on which the program of a container listens.',
  fields: (t) => ({
    containerPort: t.int({ required: true, description: 'The number of the port, 1 to 65535.' }),
    name: t.string({ description: 'A name for the port.' }),
  }),
});

const IOStrategyInput = builder.inputType('IOStrategyInput', {
  description: 'When inputs are downloaded and outputs are uploaded.',
  fields: (t) => ({
    downloadMode: t.field({ type: DownloadModeEnum, description: 'When inputs are downloaded.' }),
    uploadMode: t.field({ type: UploadModeEnum, description: 'When outputs are uploaded.' }),
  }),
});

const DataLoadingConfigInput = builder.inputType('DataLoadingConfigInput', {
  description:
    'How a program that does not know this system gets its inputs and leaves its outputs, as files in two folders.',
  fields: (t) => ({
    enabled: t.boolean({ description: 'Whether inputs and outputs are copied from and to the folders.' }),
    inputPath: t.string({ description: 'The folder in the container that gets the inputs.' }),
    outputPath: t.string({ description: 'The folder in the container in which the program leaves outputs.' }),
    format: t.field({ type: DataFormatEnum, description: 'The format of the file with all inputs.' }),
    ioStrategy: t.field({ type: IOStrategyInput, description: 'When data is copied.' }),
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
    ports: t.field({ type: [ContainerPortInput], description: 'The ports on which the program listens.' }),
    dataConfig: t.field({
      type: DataLoadingConfigInput,
      description: 'How the program gets its inputs and leaves its outputs, if it does not know this system.',
    }),
    architecture: t.field({
      type: ArchitectureEnum,
      description: 'The kind of processor that the image is built for.',
    }),
  }),
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
    discoverable: t.boolean({ description: 'Whether outputs are cached.' }),
    discoveryVersion: t.string({
      description: 'The version of the cached outputs. Another version is another entry of the cache.',
    }),
    cacheSerializable: t.boolean({
      description: 'Whether only one run at a time computes outputs that are not in the cache yet.',
    }),
    cacheIgnoreInputVars: t.stringList({
      description: 'The names of inputs whose values do not count for the cache.',
    }),
    tags: t.field({
      type: [KeyValueInput],
      description: 'Labels for people and tools, which change nothing.',
    }),
    labels: t.field({ type: [KeyValueInput], description: 'The labels of the pods that run the task.' }),
    annotations: t.field({
      type: [KeyValueInput],
      description: 'The annotations of the pods that run the task.',
    }),
    podTemplateName: t.string({
      description: 'The name of the PodTemplate that pods of the task begin with.',
    }),
    generatesDeck: t.boolean({ description: 'Whether the task writes a report (a deck).' }),
    isEager: t.boolean({ description: 'Whether the task starts other tasks itself (an eager workflow).' }),
  }),
});

const KubernetesObjectMetadataInput = builder.inputType('KubernetesObjectMetadataInput', {
  description: 'The labels and annotations of a pod.',
  fields: (t) => ({
    labels: t.field({ type: [KeyValueInput], description: 'Labels. Each key stands here once.' }),
    annotations: t.field({ type: [KeyValueInput], description: 'Annotations. Each key stands here once.' }),
  }),
});

const KubernetesPodInput = builder.inputType('KubernetesPodInput', {
  description: "A Kubernetes pod that runs a task. Source: Flyte's K8sPod.",
  fields: (t) => ({
    metadata: t.field({ type: KubernetesObjectMetadataInput, description: 'Its labels and annotations.' }),
    podSpec: t.field({
      type: 'JSON',
      required: true,
      description: 'The PodSpec of Kubernetes, with at least one container. Their names are DNS-1123 labels.',
    }),
    dataConfig: t.field({
      type: DataLoadingConfigInput,
      description: 'How the program gets its inputs and leaves its outputs, if it does not know this system.',
    }),
    primaryContainerName: t.string({
      description: 'The name of the container whose end is the end of the task.',
    }),
  }),
});

const SqlStatementInput = builder.inputType('SqlStatementInput', {
  description: 'An SQL statement that a plugin runs.',
  fields: (t) => ({
    statement: t.string({ required: true, description: 'The text of the statement.' }),
    dialect: t.field({
      type: SqlDialectEnum,
      defaultValue: 'UNDEFINED',
      description: 'The dialect of the statement.',
    }),
  }),
});

const GPUAcceleratorInput = builder.inputType('GPUAcceleratorInput', {
  description: 'The model of GPU that a task needs, as a whole or in parts.',
  fields: (t) => ({
    device: t.string({
      required: true,
      description: 'The model, as the labels of the machines say: `nvidia-tesla-a100`.',
    }),
    unpartitioned: t.boolean({ description: 'True: the GPU must not be divided.' }),
    partitionSize: t.string({
      description: 'In place of `unpartitioned`: the size of the part, such as `1g.5gb`.',
    }),
  }),
});

const SharedMemoryInput = builder.inputType('SharedMemoryInput', {
  description: 'Memory that the processes of a container share.',
  fields: (t) => ({
    mountPath: t.string({ description: 'The folder at which it is mounted, such as `/dev/shm`.' }),
    mountName: t.string({ description: 'The name of its volume.' }),
    sizeLimit: t.string({
      description:
        'The most that it may hold, as a Kubernetes quantity. If left out: the memory of the container.',
    }),
  }),
});

export const ExtendedResourcesInput = builder.inputType('ExtendedResourcesInput', {
  description: 'Resources of a container that are more than an amount.',
  fields: (t) => ({
    gpuAccelerator: t.field({ type: GPUAcceleratorInput, description: 'Which GPUs.' }),
    sharedMemory: t.field({ type: SharedMemoryInput, description: 'Memory that processes share.' }),
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
    k8sPod: t.field({ type: KubernetesPodInput, description: 'In place of `container`: a pod.' }),
    sql: t.field({ type: SqlStatementInput, description: 'In place of `container`: an SQL statement.' }),
    taskTypeVersion: t.int({
      description: 'The version of the plugin that `type` names. If left out: 0.',
    }),
    securityContext: t.field({
      type: SecurityContextInput,
      description: 'With which identity the task runs, and which secrets it needs.',
    }),
    extendedResources: t.field({
      type: ExtendedResourcesInput,
      description: 'Which GPUs the task needs, and how much shared memory.',
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

type TemplateFields = typeof TaskTemplateInput.$inferInput;

/** The template in the form that the domain reads. @throws InvalidArgumentError if a map has a key twice. */
export function taskTemplateOf(template: TemplateFields, path: readonly string[]): object {
  const { metadata, k8sPod } = template;
  return {
    ...template,
    metadata: {
      ...withTimeoutText(metadata),
      ...mapsOf(metadata, ['tags', 'labels', 'annotations'], [...path, 'metadata']),
    },
    interface: interfaceOf(template.interface, [...path, 'interface']),
    k8sPod: k8sPod && {
      ...k8sPod,
      metadata:
        k8sPod.metadata &&
        mapsOf(k8sPod.metadata, ['labels', 'annotations'], [...path, 'k8sPod', 'metadata']),
    },
  };
}

type Entries = readonly { readonly key: string; readonly value: string }[] | null | undefined;

/** Maps without entries are left out: a template with them and one without them are equal. */
function mapsOf<Name extends string>(
  given: Readonly<Partial<Record<Name, Entries>>>,
  names: readonly Name[],
  path: readonly string[],
): object {
  return Object.fromEntries(
    names.map((name) => {
      const entries: Entries = given[name];
      return [name, entries?.length ? mapOf(entries, [...path, name]) : null];
    }),
  );
}

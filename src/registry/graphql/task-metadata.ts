import { builder } from '../../graphql/builder.ts';
import { entriesOf, KeyValueType } from '../../graphql/key-values.ts';
import { parseDuration } from '../../platform/duration.ts';
import type { TaskMetadata } from '../domain/task-templates.ts';
import { RuntimeTypeEnum } from './task-template-enums.ts';

const RuntimeMetadataType = builder
  .objectRef<NonNullable<TaskMetadata['runtime']>>('RuntimeMetadata')
  .implement({
    description: 'The program that created a task.',
    fields: (t) => ({
      type: t.expose('type', { type: RuntimeTypeEnum, description: 'The kind of SDK.' }),
      version: t.exposeString('version', { description: 'The version of the SDK.' }),
      flavor: t.exposeString('flavor', {
        nullable: true,
        description: 'The language or variant of the SDK, such as `python`; null if not given.',
      }),
    }),
  });

export const TaskMetadataType = builder.objectRef<TaskMetadata>('TaskMetadata').implement({
  description: 'Settings of a task that do not depend on its type.',
  fields: (t) => ({
    discoverable: t.boolean({
      description: 'Whether outputs are cached.',
      resolve: ({ discoverable }) => discoverable ?? false,
    }),
    discoveryVersion: t.string({
      description: 'The version of the cached outputs. It may be empty.',
      resolve: ({ discoveryVersion }) => discoveryVersion ?? '',
    }),
    cacheSerializable: t.boolean({
      description: 'Whether only one run at a time computes outputs that are not in the cache yet.',
      resolve: ({ cacheSerializable }) => cacheSerializable ?? false,
    }),
    cacheIgnoreInputVars: t.stringList({
      description: 'The names of inputs whose values do not count for the cache, sorted.',
      resolve: ({ cacheIgnoreInputVars = [] }) => [...cacheIgnoreInputVars],
    }),
    runtime: t.expose('runtime', {
      type: RuntimeMetadataType,
      nullable: true,
      description: 'The program that created the task; null if not given.',
    }),
    timeout: t.field({
      type: 'Duration',
      nullable: true,
      description: 'How long one attempt may take. Null or zero: no limit.',
      resolve: ({ timeout }) => (timeout === undefined ? null : parseDuration(timeout)),
    }),
    retries: t.int({
      description: 'How often a node is tried again if the code of the task fails: 0 to 10 times.',
      resolve: ({ retries }) => retries ?? 0,
    }),
    interruptible: t.exposeBoolean('interruptible', {
      nullable: true,
      description:
        'Whether the task may run on machines that the provider can take away at any time. Null if the platform decides.',
    }),
    deprecatedErrorMessage: t.string({
      description:
        'Why users should not use the task any more, as its author says. Empty if the task is not deprecated.',
      resolve: ({ deprecatedErrorMessage }) => deprecatedErrorMessage ?? '',
    }),
    tags: t.field({
      type: [KeyValueType],
      extensions: { listSize: 5 },
      description: 'Labels for people and tools.',
      resolve: ({ tags = {} }) => entriesOf(tags),
    }),
    labels: t.field({
      type: [KeyValueType],
      extensions: { listSize: 5 },
      description: 'The labels of the pods that run the task.',
      resolve: ({ labels = {} }) => entriesOf(labels),
    }),
    annotations: t.field({
      type: [KeyValueType],
      extensions: { listSize: 5 },
      description: 'The annotations of the pods that run the task.',
      resolve: ({ annotations = {} }) => entriesOf(annotations),
    }),
    podTemplateName: t.exposeString('podTemplateName', {
      nullable: true,
      description: 'The name of the PodTemplate that pods of the task begin with; null if not given.',
    }),
    generatesDeck: t.exposeBoolean('generatesDeck', {
      nullable: true,
      description: 'Whether the task writes a report (a deck); null if not given.',
    }),
    isEager: t.boolean({
      description: 'Whether the task starts other tasks itself (an eager workflow).',
      resolve: ({ isEager }) => isEager ?? false,
    }),
  }),
});

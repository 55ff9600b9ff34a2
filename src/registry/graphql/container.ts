import { builder } from '../../graphql/builder.ts';
import { KeyValueType } from '../../graphql/key-values.ts';
import type {
  Container,
  ContainerPort,
  DataConfig,
  ResourceEntry,
  Resources,
} from '../domain/task-templates.ts';
import {
  ArchitectureEnum,
  ContainerResourceNameEnum,
  DataFormatEnum,
  DownloadModeEnum,
  UploadModeEnum,
} from './task-template-enums.ts';

const ResourceEntryType = builder.objectRef<ResourceEntry>('ContainerResource').implement({
  description: 'The amount of one resource of a container.',
  fields: (t) => ({
    name: t.expose('name', { type: ContainerResourceNameEnum, description: 'Which resource.' }),
    value: t.exposeString('value', { description: 'A Kubernetes quantity: `500m`, `2`, `1Gi`.' }),
  }),
});

export const ResourcesType = builder.objectRef<Resources>('ContainerResources').implement({
  description: 'The resources that a container requests, and the most that it may use.',
  fields: (t) => ({
    requests: t.field({
      type: [ResourceEntryType],
      extensions: { listSize: 3 },
      description: 'The resources that a machine must have free to start the container, sorted by name.',
      resolve: ({ requests }) => [...requests],
    }),
    limits: t.field({
      type: [ResourceEntryType],
      extensions: { listSize: 3 },
      description: 'The most that the container may use, sorted by name.',
      resolve: ({ limits }) => [...limits],
    }),
  }),
});

const ContainerPortType = builder.objectRef<ContainerPort>('ContainerPort').implement({
  description: 'A port on which the program of a container listens.',
  fields: (t) => ({
    containerPort: t.exposeInt('containerPort', { description: 'The number of the port, 1 to 65535.' }),
    name: t.exposeString('name', {
      nullable: true,
      description: 'A name for the port; null if it has none.',
    }),
  }),
});

const IOStrategyType = builder.objectRef<NonNullable<DataConfig['ioStrategy']>>('IOStrategy').implement({
  description: 'When inputs are downloaded and outputs are uploaded.',
  fields: (t) => ({
    downloadMode: t.field({
      type: DownloadModeEnum,
      description: 'When inputs are downloaded.',
      resolve: ({ downloadMode }) => downloadMode ?? 'DOWNLOAD_EAGER',
    }),
    uploadMode: t.field({
      type: UploadModeEnum,
      description: 'When outputs are uploaded.',
      resolve: ({ uploadMode }) => uploadMode ?? 'UPLOAD_ON_EXIT',
    }),
  }),
});

export const DataConfigType = builder.objectRef<DataConfig>('DataLoadingConfig').implement({
  description:
    'How a program that does not know this system gets its inputs and leaves its outputs, as files in two folders.',
  fields: (t) => ({
    enabled: t.boolean({
      description: 'Whether inputs and outputs are copied from and to the folders.',
      resolve: ({ enabled }) => enabled ?? false,
    }),
    inputPath: t.exposeString('inputPath', {
      nullable: true,
      description: 'The folder in the container that gets the inputs; null if not given.',
    }),
    outputPath: t.exposeString('outputPath', {
      nullable: true,
      description: 'The folder in the container in which the program leaves outputs; null if not given.',
    }),
    format: t.field({
      type: DataFormatEnum,
      description: 'The format of the file with all inputs.',
      resolve: ({ format }) => format ?? 'JSON',
    }),
    ioStrategy: t.expose('ioStrategy', {
      type: IOStrategyType,
      nullable: true,
      description: 'When data is copied; null if not given.',
    }),
  }),
});

export const ContainerType = builder.objectRef<Container>('Container').implement({
  description: 'A program that runs a task.',
  fields: (t) => ({
    image: t.exposeString('image', { description: 'The image of the container.' }),
    command: t.stringList({
      description:
        'The program, with the arguments that come before `args`. If empty: the entry point of the image.',
      resolve: ({ command }) => [...command],
    }),
    args: t.stringList({
      description: 'The arguments of the program, with the placeholders of the author.',
      resolve: ({ args }) => [...args],
    }),
    env: t.field({
      type: [KeyValueType],
      extensions: { listSize: 5 },
      description: 'Environment variables of the program, in the order in which they were given.',
      resolve: ({ env }) => [...env],
    }),
    resources: t.expose('resources', {
      type: ResourcesType,
      description: 'The resources of the container. Both lists may be empty.',
    }),
    ports: t.field({
      type: [ContainerPortType],
      extensions: { listSize: 2 },
      description: 'The ports on which the program listens.',
      resolve: ({ ports = [] }) => [...ports],
    }),
    dataConfig: t.expose('dataConfig', {
      type: DataConfigType,
      nullable: true,
      description: 'How the program gets its inputs and leaves its outputs; null if it knows this system.',
    }),
    architecture: t.field({
      type: ArchitectureEnum,
      description: 'The kind of processor that the image is built for.',
      resolve: ({ architecture }) => architecture ?? 'UNKNOWN',
    }),
  }),
});

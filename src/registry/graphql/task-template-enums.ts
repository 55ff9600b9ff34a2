import { enumOf } from '../../graphql/enum.ts';

/** The choices of a task template, for its input and its output. */
export const ContainerResourceNameEnum = enumOf(
  'ContainerResourceName',
  'A resource that a container can request.',
  {
    CPU: 'Processor cores.',
    GPU: 'Graphics processors.',
    MEMORY: 'Bytes of memory.',
    STORAGE: 'Bytes of disk that outlast the container.',
    EPHEMERAL_STORAGE: 'Bytes of disk that end with the container.',
  },
);

export const RuntimeTypeEnum = enumOf('RuntimeType', 'The kind of program that created a task.', {
  OTHER: 'Any other program.',
  FLYTE_SDK: "Flytekit, Flyte's SDK.",
});

export const DataFormatEnum = enumOf('DataFormat', 'The format of the file with all inputs of a program.', {
  JSON: 'One JSON object.',
  YAML: 'One YAML document.',
  PROTO: "Flyte's protobuf messages.",
});

export const DownloadModeEnum = enumOf('DownloadMode', 'When the inputs of a program are downloaded.', {
  DOWNLOAD_EAGER: 'Before the program starts.',
  DOWNLOAD_STREAM: 'While the program reads them.',
  DO_NOT_DOWNLOAD: 'Never: the program reads them itself.',
});

export const UploadModeEnum = enumOf('UploadMode', 'When the outputs of a program are uploaded.', {
  UPLOAD_ON_EXIT: 'When the program has ended.',
  UPLOAD_EAGER: 'As soon as the program has written them.',
  DO_NOT_UPLOAD: 'Never: the program writes them to their place itself.',
});

export const ArchitectureEnum = enumOf('ContainerArchitecture', 'The kind of processor of a machine.', {
  UNKNOWN: 'Any kind.',
  AMD64: 'Processors of Intel and AMD with 64 bits.',
  ARM64: 'Processors of ARM with 64 bits.',
  ARM_V6: 'Version 6 of ARM.',
  ARM_V7: 'Version 7 of ARM.',
});

export const SqlDialectEnum = enumOf('SqlDialect', 'The dialect of an SQL statement.', {
  UNDEFINED: 'The plugin decides.',
  ANSI: 'Standard SQL.',
  HIVE: 'The SQL of Hive.',
  OTHER: 'Any other dialect.',
});

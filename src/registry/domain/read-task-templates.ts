import { durationNanoseconds, normalDuration } from '../../values/durations.ts';
import { isRecord, type JsonObject } from '../../values/json.ts';
import type { Place } from '../../values/problem-list.ts';
import { typedInterface } from '../../values/read-literal-types.ts';
import {
  boolean,
  checked,
  choice,
  defaulting,
  fields,
  integer,
  jsonObject,
  list,
  mapOf,
  name,
  nonEmptyText,
  optional,
  type Reader,
  required,
  text,
} from '../../values/readers.ts';
import { extendedResources } from './extended-resources.ts';
import { securityContext } from './security-context.ts';
import { checkResources } from './task-resources.ts';
import {
  type Container,
  type ContainerPort,
  type DataConfig,
  type KubernetesObjectMetadata,
  type KubernetesPod,
  type ResourceEntry,
  type Resources,
  resourceNames,
  type SqlStatement,
  type TaskMetadata,
  type TaskTemplate,
} from './task-templates.ts';

/** Source: Flyte v1.16, `flyteadmin/pkg/manager/impl/validation/task_validator.go`. */
export const MAX_RETRIES = 10;

/** A duration that is not negative, in its normal text. */
export const timeout: Reader<string> = (value, place) => {
  const read = text(value, place);
  if (read === undefined) return undefined;
  const nanoseconds = durationNanoseconds(read);
  if (nanoseconds === null || nanoseconds < 0n) {
    return place.report('InvalidValue', 'expected an ISO 8601 duration such as PT90S that is not negative');
  }
  return normalDuration(read) ?? undefined;
};

export const retries = integer(0, MAX_RETRIES);

const metadata = fields<TaskMetadata>({
  runtime: optional(
    fields({
      type: defaulting(choice('OTHER', 'FLYTE_SDK'), 'OTHER'),
      version: required(name),
      flavor: optional(text),
    }),
  ),
  discoverable: optional(boolean),
  discoveryVersion: optional(text),
  cacheSerializable: optional(boolean),
  cacheIgnoreInputVars: optional(sortedNames()),
  timeout: optional(timeout),
  retries: optional(retries),
  interruptible: optional(boolean),
  deprecatedErrorMessage: optional(text),
  tags: optional(mapOf(text)),
  labels: optional(mapOf(text)),
  annotations: optional(mapOf(text)),
  podTemplateName: optional(text),
  generatesDeck: optional(boolean),
  isEager: optional(boolean),
});

const resourceEntry = fields<ResourceEntry>({
  name: required(choice(...resourceNames)),
  value: required(nonEmptyText),
});

/** Sorted, so that equal tasks have equal digests. A name may come twice, which `checkResources` reports. */
const resourceEntries: Reader<ResourceEntry[]> = (value, place) => {
  const entries = list(resourceEntry)(value, place);
  return entries && [...resourceNames].sort().flatMap((name) => entries.filter((one) => one.name === name));
};

export const resources = checked(
  fields<Resources>({
    requests: defaulting(resourceEntries, []),
    limits: defaulting(resourceEntries, []),
  }),
  checkResources,
);

const dataConfig = fields<DataConfig>({
  enabled: optional(boolean),
  inputPath: optional(text),
  outputPath: optional(text),
  format: optional(choice('JSON', 'YAML', 'PROTO')),
  ioStrategy: optional(
    fields({
      downloadMode: optional(choice('DOWNLOAD_EAGER', 'DOWNLOAD_STREAM', 'DO_NOT_DOWNLOAD')),
      uploadMode: optional(choice('UPLOAD_ON_EXIT', 'UPLOAD_EAGER', 'DO_NOT_UPLOAD')),
    }),
  ),
});

const container = fields<Container>({
  image: required(nonEmptyText),
  command: defaulting(list(text), []),
  args: defaulting(list(text), []),
  env: defaulting(list(fields({ key: required(name), value: defaulting(text, '') })), []),
  resources: defaulting(resources, { requests: [], limits: [] }),
  ports: optional(
    list(fields<ContainerPort>({ containerPort: required(integer(1, 65_535)), name: optional(text) })),
  ),
  dataConfig: optional(dataConfig),
  architecture: optional(choice('UNKNOWN', 'AMD64', 'ARM64', 'ARM_V6', 'ARM_V7')),
});

const k8sPod = fields<KubernetesPod>({
  metadata: optional(
    fields<KubernetesObjectMetadata>({ labels: optional(mapOf(text)), annotations: optional(mapOf(text)) }),
  ),
  podSpec: required(checked(jsonObject, checkPodContainers)),
  dataConfig: optional(dataConfig),
  primaryContainerName: optional(text),
});

const sql = fields<SqlStatement>({
  statement: required(nonEmptyText),
  dialect: defaulting(choice('UNDEFINED', 'ANSI', 'HIVE', 'OTHER'), 'UNDEFINED'),
});

/** The fields have the order in which Flyte checks them, so that problems have this order too. */
export const taskTemplate = fields<TaskTemplate>({
  type: required(name),
  metadata: required(metadata),
  interface: required(typedInterface),
  container: optional(container),
  k8sPod: optional(k8sPod),
  sql: optional(sql),
  custom: optional(jsonObject),
  taskTypeVersion: optional(integer(0, 2 ** 31 - 1)),
  securityContext: optional(securityContext),
  extendedResources: optional(extendedResources),
  config: optional(mapOf(text)),
});

/** Sorted, so that equal tasks have equal digests. */
export function sortedNames(): Reader<string[]> {
  return (value, place) => {
    const names = list(name)(value, place);
    if (names === undefined) return undefined;
    return [...new Set(names)].sort();
  };
}

/** A DNS-1123 label, which Kubernetes requires for names of containers. */
const CONTAINER_NAME = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

function checkPodContainers(podSpec: JsonObject, place: Place): void {
  const containers = podSpec['containers'];
  if (!Array.isArray(containers) || containers.length === 0) {
    place.at('containers').report('ValueRequired', 'a pod needs at least one container');
    return;
  }
  for (const [index, container] of containers.entries()) {
    const containerName = isRecord(container) ? container['name'] : undefined;
    if (typeof containerName === 'string' && CONTAINER_NAME.test(containerName)) continue;
    place
      .at('containers', index, 'name')
      .report('InvalidValue', 'the name of a container must be a DNS-1123 label');
  }
}

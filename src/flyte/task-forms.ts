import { entryOf, isRecord } from '../values/json.ts';
import { always, computed, type Form, given, listOf, message, same, unless, wrapped } from './form.ts';
import { duration, typedInterface } from './literal-forms.ts';
import { securityContext } from './security-context-form.ts';

/** Source: Flyte v1.16, `flyteidl/core/tasks.proto` and `identifier.proto`. */

/** The type is clear from the place, so our keys do not have it. */
export function identifier(resourceType: 'TASK' | 'WORKFLOW' | 'LAUNCH_PLAN'): Form {
  const key = message({
    resourceType: computed(same),
    project: always(''),
    domain: always(''),
    name: always(''),
    version: always(''),
  });
  return {
    toOurs: key.toOurs,
    toFlyte: (ours) => key.toFlyte(isRecord(ours) ? { ...ours, resourceType } : ours),
  };
}

export const retries = wrapped('retries', 0, same);

const resourceEntries = listOf(message({ name: always('UNKNOWN'), value: always('') }));

export const noResources = { requests: [], limits: [] };

export const resources = message({
  requests: always([], resourceEntries),
  limits: always([], resourceEntries),
});

const metadataMessage = message({
  discoverable: unless(false),
  discoveryVersion: unless(''),
  cacheSerializable: unless(false),
  cacheIgnoreInputVars: unless([]),
  runtime: given(message({ type: always('OTHER'), version: always(''), flavor: unless('') })),
  timeout: given(duration),
  retries: unless(0, retries),
  interruptible: given(same),
  deprecatedErrorMessage: unless(''),
  tags: unless({}),
  metadata: given(message({ labels: unless({}), annotations: unless({}) })),
  podTemplateName: unless(''),
  generatesDeck: given(same),
  isEager: unless(false),
});

/** Our form has the labels and annotations beside the other fields. */
const metadata: Form = {
  toOurs(flyte, place) {
    const ours = metadataMessage.toOurs(flyte, place);
    if (!isRecord(ours)) return ours;
    const { metadata: ofObject, ...rest } = ours;
    return isRecord(ofObject) ? { ...rest, ...ofObject } : rest;
  },
  toFlyte(ours) {
    if (!isRecord(ours)) return ours;
    const { labels, annotations, ...rest } = ours;
    const hasObject = labels !== undefined || annotations !== undefined;
    return metadataMessage.toFlyte(hasObject ? { ...rest, metadata: { labels, annotations } } : rest);
  },
};

const dataConfig = message({
  enabled: unless(false),
  inputPath: unless(''),
  outputPath: unless(''),
  format: unless('JSON'),
  ioStrategy: given(
    message({ downloadMode: unless('DOWNLOAD_EAGER'), uploadMode: unless('UPLOAD_ON_EXIT') }),
  ),
});

const container = message({
  image: always(''),
  command: always([]),
  args: always([]),
  env: always([], listOf(message({ key: always(''), value: always('') }))),
  resources: always(noResources, resources),
  ports: unless([], listOf(message({ containerPort: always(0), name: unless('') }))),
  dataConfig: given(dataConfig),
  architecture: unless('UNKNOWN'),
});

const k8sPod = message({
  metadata: given(message({ labels: unless({}), annotations: unless({}) })),
  podSpec: always({}),
  dataConfig: given(dataConfig),
  primaryContainerName: unless(''),
});

export const extendedResources = message({
  gpuAccelerator: given(
    message({ device: always(''), unpartitioned: given(same), partitionSize: given(same) }),
  ),
  sharedMemory: given(message({ mountPath: unless(''), mountName: unless(''), sizeLimit: unless('') })),
});

export const taskTemplate = message({
  id: computed(identifier('TASK')),
  type: always(''),
  metadata: given(metadata),
  interface: given(typedInterface),
  container: given(container),
  k8sPod: given(k8sPod),
  sql: given(message({ statement: always(''), dialect: always('UNDEFINED') })),
  custom: unless({}),
  taskTypeVersion: unless(0),
  securityContext: unless({}, securityContext),
  extendedResources: unless({}, extendedResources),
  config: unless({}),
});

/** The longest text that our short descriptions hold. */
const MAX_SHORT_DESCRIPTION = 300;

const otherDescription = message({ id: computed(same), shortDescription: computed(same) });

/** The beginning of a description is our short description. What does not fit is left over. */
const description: Form = {
  toOurs(flyte, place) {
    if (!isRecord(flyte)) return place.leave(flyte);
    const text = entryOf(flyte, 'shortDescription') ?? entryOf(flyte, 'short_description');
    otherDescription.toOurs(flyte, place);
    if (typeof text !== 'string') return '';
    if (text.length > MAX_SHORT_DESCRIPTION) place.at('shortDescription').leave(text);
    return text.slice(0, MAX_SHORT_DESCRIPTION);
  },
  toFlyte: (ours) => ({ shortDescription: ours }),
};

/** What a task and a workflow have in common: a description, whose short text our form has. */
export const shortDescription = always('', description);

import type { CacheStatus, TaskExecutionPhase } from '../../generated/prisma/enums.ts';
import { isTerminal } from '../../platform/phase-table.ts';
import { isRecord, type JsonObject, type JsonValue } from '../../values/json.ts';
import { taskExecutionPhases } from './phases.ts';

/** A log of an attempt. Source: Flyte's TaskLog. */
export interface TaskLog {
  readonly uri: string;
  readonly name: string;
  readonly messageFormat: 'UNKNOWN' | 'CSV' | 'JSON';
  /** ISO 8601; how long the log is kept. */
  readonly ttl?: string;
  readonly showWhilePending: boolean;
  readonly hideOnceFinished: boolean;
}

/** A thing outside that an attempt started, such as one item of an array. Source: Flyte's ExternalResourceInfo. */
export interface ExternalResource {
  readonly externalId: string;
  readonly index: number;
  readonly retryAttempt: number;
  readonly phase: TaskExecutionPhase;
  readonly cacheStatus: CacheStatus;
  readonly logs: readonly TaskLog[];
  readonly customInfo?: JsonObject;
  /** The execution that runs it. */
  readonly childExecutionId?: string;
}

/** Source: Flyte's TaskExecutionMetadata. */
export interface TaskExecutionMetadata {
  readonly generatedName: string;
  readonly externalResources: readonly ExternalResource[];
  /** Null in an event leaves the stored ones. */
  readonly resourcePoolInfo:
    | readonly { readonly allocationToken: string; readonly namespace: string }[]
    | null;
  readonly pluginIdentifier: string;
  readonly instanceClass: 'DEFAULT' | 'INTERRUPTIBLE';
}

export interface TaskReason {
  /** RFC 3339. */
  readonly occurredAt: string;
  readonly message: string;
}

/** What an engine says about an attempt besides its phase. */
export interface TaskDetails {
  readonly logs: readonly TaskLog[];
  readonly reasons: readonly TaskReason[];
  readonly customInfo?: JsonObject;
  readonly metadata?: TaskExecutionMetadata;
  /** Flyte's LogContext. */
  readonly logContext?: JsonObject;
  readonly taskType?: string;
  readonly eventVersion: number;
  readonly inputUri?: string;
  readonly outputUri?: string;
}

/** The part of an event that changes the details. What is left out leaves the stored value. */
export interface TaskDetailsEvent {
  readonly phase: TaskExecutionPhase;
  readonly occurredAt: Date;
  readonly logs: readonly TaskLog[];
  /** A single reason; it is added unless it repeats the last one. */
  readonly reason: string | null;
  /** Reasons that were collected, each added as it is. */
  readonly reasons: readonly TaskReason[];
  readonly customInfo: JsonObject | null;
  readonly metadata: TaskExecutionMetadata | null;
  readonly logContext: JsonObject | null;
  readonly taskType: string | null;
  readonly eventVersion: number;
  readonly inputUri: string | null;
  readonly outputUri: string | null;
}

/** How many reasons an attempt keeps; the oldest are dropped. */
const MAX_REASONS = 500;

/** How many logs an attempt keeps, and how many things outside. */
const MAX_LOGS = 100;
const MAX_RESOURCES = 10_000;

const noDetails: TaskDetails = { logs: [], reasons: [], eventVersion: 0 };

/** The details of an attempt after an event. Source: Flyte's CreateTaskEvent. */
export function mergeTaskDetails(stored: TaskDetails | null, event: TaskDetailsEvent): TaskDetails {
  const known = stored ?? noDetails;
  const customInfo = event.customInfo ? mergePatch(known.customInfo, event.customInfo) : known.customInfo;
  const metadata = mergeMetadata(known.metadata, event.metadata, event.phase);
  const logContext = event.logContext ?? known.logContext;
  const taskType = event.taskType ?? known.taskType;
  const inputUri = known.inputUri ?? event.inputUri ?? undefined;
  const outputUri = event.outputUri ?? known.outputUri;
  return {
    logs: mergeLogs(known.logs, event.logs, event.phase),
    reasons: mergeReasons(known.reasons, event),
    eventVersion: Math.max(known.eventVersion, event.eventVersion),
    ...(customInfo && { customInfo }),
    ...(metadata && { metadata }),
    ...(logContext && { logContext }),
    ...(taskType && { taskType }),
    ...(inputUri && { inputUri }),
    ...(outputUri && { outputUri }),
  };
}

/** An attempt in these phases shows only the logs that are for the time of waiting. */
const pending: ReadonlySet<TaskExecutionPhase> = new Set(['QUEUED', 'INITIALIZING']);

/** The logs of the event first, then the stored ones with another address and another name. */
export function mergeLogs(
  stored: readonly TaskLog[],
  added: readonly TaskLog[],
  phase: TaskExecutionPhase,
): TaskLog[] {
  const uris = new Set(added.map(({ uri }) => uri));
  const names = new Set(added.map(({ name }) => name).filter((name) => name !== ''));
  const kept = stored.filter(({ uri, name }) => !uris.has(uri) && !names.has(name));
  const all = [...added, ...kept].slice(0, MAX_LOGS);
  if (pending.has(phase)) return all.filter((log) => log.showWhilePending);
  return isTerminal(taskExecutionPhases, phase) ? all.filter((log) => !log.hideOnceFinished) : all;
}

function mergeReasons(
  stored: readonly TaskReason[],
  { reason, reasons, occurredAt }: TaskDetailsEvent,
): TaskReason[] {
  const isNew = reasons.length === 0 && reason !== null && reason !== '' && stored.at(-1)?.message !== reason;
  const added = isNew ? [{ occurredAt: occurredAt.toISOString(), message: reason }] : reasons;
  return [...stored, ...added].slice(-MAX_REASONS);
}

/** The JSON Merge Patch of RFC 7396. Keys are data: `__proto__` is one like any other. */
export function mergePatch(target: JsonValue | undefined, patch: JsonObject): JsonObject {
  const merged = new Map<string, JsonValue>(isRecord(target) ? Object.entries(target as JsonObject) : []);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else merged.set(key, isRecord(value) ? mergePatch(merged.get(key), value as JsonObject) : value);
  }
  return Object.fromEntries(merged);
}

function mergeMetadata(
  stored: TaskExecutionMetadata | undefined,
  event: TaskExecutionMetadata | null,
  phase: TaskExecutionPhase,
): TaskExecutionMetadata | undefined {
  if (!stored && !event) return undefined;
  const [known, news] = [stored ?? noMetadata, event ?? noMetadata];
  return {
    generatedName: news.generatedName || known.generatedName,
    pluginIdentifier: news.pluginIdentifier || known.pluginIdentifier,
    instanceClass: news.instanceClass === 'DEFAULT' ? known.instanceClass : news.instanceClass,
    resourcePoolInfo: news.resourcePoolInfo ?? known.resourcePoolInfo ?? [],
    externalResources: mergeResources(known.externalResources, news.externalResources, phase),
  };
}

const noMetadata: TaskExecutionMetadata = {
  generatedName: '',
  externalResources: [],
  resourcePoolInfo: null,
  pluginIdentifier: '',
  instanceClass: 'DEFAULT',
};

/**
 * Each thing once, by its index and attempt, in this order. Its logs are those that its own phase shows; when the
 * attempt has ended, so have all things that it started.
 */
function mergeResources(
  stored: readonly ExternalResource[],
  added: readonly ExternalResource[],
  phase: TaskExecutionPhase,
): ExternalResource[] {
  const keyOf = ({ index, retryAttempt }: ExternalResource) => `${index}/${retryAttempt}`;
  const byKey = new Map(stored.map((one) => [keyOf(one), one]));
  for (const one of added) {
    const known = byKey.get(keyOf(one));
    byKey.set(keyOf(one), mergeResource(known, one));
  }
  return [...byKey.values()]
    .sort((one, other) => one.index - other.index || one.retryAttempt - other.retryAttempt)
    .slice(0, MAX_RESOURCES)
    .map((one) =>
      isTerminal(taskExecutionPhases, phase) ? { ...one, logs: mergeLogs(one.logs, [], phase) } : one,
    );
}

function mergeResource(stored: ExternalResource | undefined, event: ExternalResource): ExternalResource {
  const known = stored ?? { ...event, logs: [] };
  const customInfo = event.customInfo ?? known.customInfo;
  const childExecutionId = event.childExecutionId ?? known.childExecutionId;
  return {
    ...known,
    ...(customInfo && { customInfo }),
    ...(childExecutionId && { childExecutionId }),
    externalId: event.externalId || known.externalId,
    phase: event.phase,
    cacheStatus: event.cacheStatus === 'DISABLED' ? known.cacheStatus : event.cacheStatus,
    logs: mergeLogs(known.logs, event.logs, event.phase),
  };
}

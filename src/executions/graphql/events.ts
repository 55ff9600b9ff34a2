import type { CacheStatus } from '../../generated/prisma/enums.ts';
import { builder } from '../../graphql/builder.ts';
import { type Context, callerOf } from '../../graphql/context.ts';
import { enumOf } from '../../graphql/enum.ts';
import { ErrorKindEnum } from '../../graphql/error-kind.ts';
import { inputOf } from '../../graphql/input.ts';
import { payload } from '../../graphql/payload.ts';
import { addressText } from '../../platform/address-text.ts';
import { formatDuration } from '../../platform/duration.ts';
import {
  AlreadyExistsError,
  FailedPreconditionError,
  InvalidArgumentError,
  NotFoundError,
  ResourceExhaustedError,
} from '../../platform/errors.ts';
import { requireCompleteKey } from '../../registry/domain/version-key.ts';
import { EntityKeyInput } from '../../registry/graphql/entity-key.ts';
import { isRecord, type JsonObject } from '../../values/json.ts';
import { createNodeEvent } from '../commands/create-node-event.ts';
import { createTaskEvent } from '../commands/create-task-event.ts';
import { createWorkflowEvent } from '../commands/create-workflow-event.ts';
import { getReadableExecution } from '../commands/get-readable-execution.ts';
import type { ExternalResource, TaskExecutionMetadata, TaskLog } from '../domain/task-details.ts';
import type { ExecutionBy } from '../store/reads.ts';
import { ExecutionByInput, ExecutionPhaseEnum, ExecutionType } from './execution.ts';
import { NodeExecutionPhaseEnum, NodeExecutionType } from './node-execution.ts';
import { TaskExecutionPhaseEnum, TaskExecutionType } from './task-execution.ts';

/** The three mutations of an engine from outside. */

const errors = {
  types: [
    InvalidArgumentError,
    NotFoundError,
    AlreadyExistsError,
    FailedPreconditionError,
    ResourceExhaustedError,
  ],
};

export const CacheStatusEnum = enumOf<CacheStatus>(
  'CacheStatus',
  'What became of the cached outputs of a node.',
  {
    DISABLED: 'Its outputs are not cached.',
    MISS: 'The cache had no outputs for these inputs.',
    HIT: 'Its outputs come from the cache, and its task did not run.',
    POPULATED: 'Its outputs were computed, and are in the cache now.',
    LOOKUP_FAILURE: 'The cache could not be read, so the task ran.',
    PUT_FAILURE: 'The outputs were computed, but could not be stored in the cache.',
    SKIPPED: 'The cache was not asked, because the execution computes everything anew.',
    EVICTED: 'Its outputs were in the cache, and were removed.',
  },
);

const EventErrorInput = builder.inputType('EventErrorInput', {
  description: 'Why an execution, a node or an attempt failed.',
  fields: (t) => ({
    code: t.string({ required: true, description: 'The kind of error, a fixed word for programs.' }),
    message: t.string({ required: true, description: 'What happened, for people.' }),
    kind: t.field({
      type: ErrorKindEnum,
      defaultValue: 'UNKNOWN',
      description: 'Whether the cause is the work itself or the system that runs it.',
    }),
  }),
});

const errorOf = (error: typeof EventErrorInput.$inferInput | null | undefined) =>
  error ? { code: error.code, message: error.message, kind: error.kind ?? ('UNKNOWN' as const) } : null;

const producer = {
  defaultValue: '',
  description:
    'The name of the engine. The event QUEUED of an execution with a name gives the execution to that engine; after that, events with another name are refused. Empty, or `propeller`: any engine.',
};
const occurredAt = {
  type: 'DateTime' as const,
  required: true as const,
  description: 'When it happened. It is kept to the millisecond.',
};
const outputs = {
  type: 'JSON' as const,
  description:
    'The outputs as plain values, as an object with the name of each output. Only with a final phase.',
};
const outputLiterals = {
  type: 'JSON' as const,
  description: "The outputs as Flyte's literals. Give each output here or in `outputs`, but not in both.",
};

const CreateWorkflowEventInput = builder.inputType('CreateWorkflowEventInput', {
  description: 'An event about an execution.',
  fields: (t) => ({
    execution: t.field({
      type: ExecutionByInput,
      required: true,
      description: 'Which execution it is about.',
    }),
    phase: t.field({ type: ExecutionPhaseEnum, required: true, description: 'The phase that it moved to.' }),
    producerId: t.string(producer),
    occurredAt: t.field(occurredAt),
    outputs: t.field(outputs),
    outputLiterals: t.field(outputLiterals),
    error: t.field({ type: EventErrorInput, description: 'Why it failed.' }),
  }),
});

const CreateNodeEventInput = builder.inputType('CreateNodeEventInput', {
  description: 'An event about a node of an execution. What is left out leaves the stored value.',
  fields: (t) => ({
    execution: t.field({
      type: ExecutionByInput,
      required: true,
      description: 'Which execution it is about.',
    }),
    nodeId: t.string({ required: true, description: 'The id of the node, unique in the execution.' }),
    phase: t.field({
      type: NodeExecutionPhaseEnum,
      required: true,
      description: 'The phase that it moved to.',
    }),
    producerId: t.string(producer),
    occurredAt: t.field(occurredAt),
    reportedAt: t.field({ type: 'DateTime', description: 'When the engine sent the event.' }),
    outputs: t.field(outputs),
    outputLiterals: t.field(outputLiterals),
    error: t.field({ type: EventErrorInput, description: 'Why it failed.' }),
    specNodeId: t.string({ description: 'The id of the node in its workflow. If left out: `nodeId`.' }),
    nodeName: t.string({ description: 'A name for people.' }),
    retryGroup: t.string({ description: 'Which try of the node that contains it the node belongs to.' }),
    parentNodeId: t.string({ description: 'The id of the node that contains it. It must exist.' }),
    parentTaskExecution: t.id({
      description: 'The id of the attempt that contains it, in the old form of dynamic tasks.',
    }),
    isParent: t.boolean({ defaultValue: false, description: 'Whether nodes are inside of it, or may come.' }),
    isDynamic: t.boolean({
      defaultValue: false,
      description: 'Whether its task creates a workflow at run time.',
    }),
    isArray: t.boolean({
      defaultValue: false,
      description: 'Whether it runs a node for each item of lists.',
    }),
    isEager: t.boolean({
      defaultValue: false,
      description: 'Whether its task starts other executions itself.',
    }),
    childExecution: t.field({
      type: ExecutionByInput,
      description: 'The execution that the node started. It must exist.',
    }),
    cacheStatus: t.field({
      type: CacheStatusEnum,
      description: 'What became of its cached outputs. Only with `catalogKey`.',
    }),
    catalogKey: t.field({ type: 'JSON', description: "Flyte's CatalogMetadata: the entry of the cache." }),
    checkpointUri: t.string({ description: 'The address of the checkpoint for the next attempt.' }),
    deckUri: t.string({ description: 'The address of the report of the node.' }),
    inputUri: t.string({ description: 'The address of the inputs. The first one is kept.' }),
    outputUri: t.string({ description: 'The address of the outputs.' }),
    dynamicWorkflow: t.field({
      type: 'JSON',
      description: 'The workflow that the node created at run time, compiled: `{id, compiledWorkflow}`.',
    }),
    dynamicJobSpecUri: t.string({ description: 'The address of the specification of that workflow.' }),
  }),
});

const TaskLogMessageFormatEnum = enumOf('TaskLogMessageFormat', 'The form of a log.', {
  UNKNOWN: 'Any text.',
  CSV: 'Comma-separated values.',
  JSON: 'One JSON value in each line.',
});

const TaskLogInput = builder.inputType('TaskLogInput', {
  description: 'Where a log of an attempt is.',
  fields: (t) => ({
    uri: t.string({ required: true, description: 'The address of the log.' }),
    name: t.string({
      defaultValue: '',
      description: 'A name for people. A log with a known name replaces that one.',
    }),
    messageFormat: t.field({
      type: TaskLogMessageFormatEnum,
      defaultValue: 'UNKNOWN',
      description: 'Its form.',
    }),
    ttl: t.field({ type: 'Duration', description: 'How long the log is kept.' }),
    showWhilePending: t.boolean({
      defaultValue: false,
      description: 'Whether it is shown before the code runs.',
    }),
    hideOnceFinished: t.boolean({
      defaultValue: false,
      description: 'Whether it is not shown after the end.',
    }),
  }),
});

const ExternalResourceInput = builder.inputType('ExternalResourceInput', {
  description: 'Something outside that an attempt started, such as one item of an array.',
  fields: (t) => ({
    externalId: t.string({ defaultValue: '', description: 'Its id there.' }),
    index: t.int({ defaultValue: 0, description: 'Its number, from 0.' }),
    retryAttempt: t.int({ defaultValue: 0, description: 'The number of its attempt, from 0.' }),
    phase: t.field({ type: TaskExecutionPhaseEnum, required: true, description: 'The phase that it is in.' }),
    cacheStatus: t.field({
      type: CacheStatusEnum,
      defaultValue: 'DISABLED',
      description: 'What became of its cached outputs.',
    }),
    logs: t.field({ type: [TaskLogInput], defaultValue: [], description: 'Where its logs are.' }),
    customInfo: t.field({ type: 'JSON', description: 'More about it, as a JSON object.' }),
  }),
});

const ResourcePoolInput = builder.inputType('ResourcePoolInput', {
  description: 'A share of a pool that an attempt holds.',
  fields: (t) => ({
    allocationToken: t.string({ required: true, description: 'The token of the share.' }),
    namespace: t.string({ required: true, description: 'The pool.' }),
  }),
});

const InstanceClassEnum = enumOf('InstanceClass', 'The kind of machine that an attempt runs on.', {
  DEFAULT: 'A machine that stays.',
  INTERRUPTIBLE: 'A machine that the provider can take away at any time.',
});

const TaskExecutionMetadataInput = builder.inputType('TaskExecutionMetadataInput', {
  description: 'What the engine says about how it runs an attempt. Empty fields leave the stored values.',
  fields: (t) => ({
    generatedName: t.string({ defaultValue: '', description: 'The name of what runs it, such as a pod.' }),
    externalResources: t.field({
      type: [ExternalResourceInput],
      defaultValue: [],
      description: 'Things outside that it started. Known ones are updated.',
    }),
    resourcePoolInfo: t.field({
      type: [ResourcePoolInput],
      defaultValue: [],
      description: 'The shares of pools that it holds.',
    }),
    pluginIdentifier: t.string({ defaultValue: '', description: 'The plugin that runs it.' }),
    instanceClass: t.field({
      type: InstanceClassEnum,
      defaultValue: 'DEFAULT',
      description: 'The kind of machine.',
    }),
  }),
});

const TaskReasonInput = builder.inputType('TaskReasonInput', {
  description: 'One reason of those that an engine has collected.',
  fields: (t) => ({
    occurredAt: t.field({ type: 'DateTime', required: true, description: 'When it was.' }),
    message: t.string({ required: true, description: 'The reason, for people.' }),
  }),
});

const CreateTaskEventInput = builder.inputType('CreateTaskEventInput', {
  description: 'An event about one attempt of a task. What is left out leaves the stored value.',
  fields: (t) => ({
    execution: t.field({
      type: ExecutionByInput,
      required: true,
      description: 'Which execution it is about.',
    }),
    nodeId: t.string({ required: true, description: 'The id of the node. It must exist.' }),
    task: t.field({
      type: EntityKeyInput,
      required: true,
      description: 'The task. It need not be registered.',
    }),
    retryAttempt: t.int({ defaultValue: 0, description: 'The number of the attempt, from 0.' }),
    phase: t.field({
      type: TaskExecutionPhaseEnum,
      required: true,
      description: 'The phase that it moved to.',
    }),
    phaseVersion: t.int({
      defaultValue: 0,
      description: 'A higher number in the same phase brings news about logs, reasons and metadata.',
    }),
    producerId: t.string(producer),
    occurredAt: t.field(occurredAt),
    reportedAt: t.field({ type: 'DateTime', description: 'When the engine sent the event.' }),
    outputs: t.field(outputs),
    outputLiterals: t.field(outputLiterals),
    error: t.field({ type: EventErrorInput, description: 'Why it failed.' }),
    logs: t.field({
      type: [TaskLogInput],
      defaultValue: [],
      description: 'Its logs. Known ones are replaced.',
    }),
    reason: t.string({ description: 'Why it is in this phase, for people.' }),
    reasons: t.field({
      type: [TaskReasonInput],
      defaultValue: [],
      description: 'In place of `reason`: several reasons, each kept as it is.',
    }),
    customInfo: t.field({
      type: 'JSON',
      description: 'More about it, as a JSON object. It is merged into the stored one (RFC 7396).',
    }),
    metadata: t.field({ type: TaskExecutionMetadataInput, description: 'How the engine runs it.' }),
    taskType: t.string({ description: 'The type of the task, such as `spark`.' }),
    eventVersion: t.int({
      defaultValue: 0,
      description: 'The version of the form of the events. It only grows.',
    }),
    inputUri: t.string({ description: 'The address of the inputs. The first one is kept.' }),
    outputUri: t.string({ description: 'The address of the outputs.' }),
  }),
});

const logOf = ({ ttl, ...log }: typeof TaskLogInput.$inferInput): TaskLog => ({
  uri: log.uri,
  name: log.name ?? '',
  messageFormat: log.messageFormat ?? 'UNKNOWN',
  showWhilePending: log.showWhilePending ?? false,
  hideOnceFinished: log.hideOnceFinished ?? false,
  ...(ttl != null && { ttl: formatDuration(ttl) }),
});

const resourceOf = ({
  customInfo,
  ...resource
}: typeof ExternalResourceInput.$inferInput): ExternalResource => ({
  externalId: resource.externalId ?? '',
  index: resource.index ?? 0,
  retryAttempt: resource.retryAttempt ?? 0,
  phase: resource.phase,
  cacheStatus: resource.cacheStatus ?? 'DISABLED',
  logs: (resource.logs ?? []).map(logOf),
  ...(customInfo != null && {
    customInfo: objectOf(customInfo, ['metadata', 'externalResources', 'customInfo']),
  }),
});

const metadataOf = (metadata: typeof TaskExecutionMetadataInput.$inferInput): TaskExecutionMetadata => ({
  generatedName: metadata.generatedName ?? '',
  externalResources: (metadata.externalResources ?? []).map(resourceOf),
  resourcePoolInfo: metadata.resourcePoolInfo ?? [],
  pluginIdentifier: metadata.pluginIdentifier ?? '',
  instanceClass: metadata.instanceClass ?? 'DEFAULT',
});

function objectOf(value: unknown, path: readonly string[]): JsonObject {
  if (isRecord(value)) return value as JsonObject;
  throw InvalidArgumentError.of(['input', ...path], 'expected a JSON object');
}

const CreateWorkflowEventPayload = payload('CreateWorkflowEventPayload', 'execution', ExecutionType);
const CreateNodeEventPayload = payload('CreateNodeEventPayload', 'nodeExecution', NodeExecutionType);
const CreateTaskEventPayload = payload('CreateTaskEventPayload', 'taskExecution', TaskExecutionType);

/** The execution that the rule has found. */
async function executionId(by: unknown, { loaders }: Context): Promise<string> {
  const execution = await loaders.execution.load(by as ExecutionBy);
  if (!execution)
    throw new NotFoundError('execution', addressText(by as ExecutionBy), ['input', 'execution']);
  return execution.id;
}

builder.mutationFields((t) => ({
  createWorkflowEvent: t.field({
    type: CreateWorkflowEventPayload,
    nullable: true,
    description:
      'Moves an execution with `engine: EXTERNAL` to another phase. Requires EDIT on its workflow. A repeated event answers ALREADY_EXISTS and changes nothing.',
    errors,
    args: inputOf(CreateWorkflowEventInput),
    resolve: async (_root, { input }, context) => {
      const id = await executionId(input.execution, context);
      await createWorkflowEvent(callerOf(context), id, {
        ...input,
        producerId: input.producerId ?? '',
        error: errorOf(input.error),
      });
      context.loaders.execution.clearAll();
      const execution = await context.loaders.execution.load({ id });
      if (!execution) throw new NotFoundError('execution', id);
      return { execution };
    },
  }),
  createNodeEvent: t.field({
    type: CreateNodeEventPayload,
    nullable: true,
    description:
      'Moves a node of an execution with `engine: EXTERNAL` to another phase, and creates it with its first event. Requires EDIT on the workflow. A repeated event answers ALREADY_EXISTS and changes nothing.',
    errors,
    args: inputOf(CreateNodeEventInput),
    resolve: async (_root, { input }, context) => {
      const { loaders } = context;
      const id = await executionId(input.execution, context);
      const child = input.childExecution && (await getReadableExecutionId(input.childExecution, context));
      const parentTaskId = input.parentTaskExecution ?? null;
      const parentTask = parentTaskId === null ? null : await loaders.taskExecution.load(parentTaskId);
      if (parentTaskId !== null && parentTask?.executionId !== id)
        throw new NotFoundError('task execution', parentTaskId, ['input', 'parentTaskExecution']);
      const nodeId = await createNodeEvent(callerOf(context), id, {
        ...input,
        producerId: input.producerId ?? '',
        reportedAt: input.reportedAt ?? null,
        error: errorOf(input.error),
        specNodeId: input.specNodeId ?? null,
        parentNodeId: input.parentNodeId ?? null,
        parentTaskId,
        cacheStatus: input.cacheStatus ?? null,
        isParent: input.isParent ?? false,
        isDynamic: input.isDynamic ?? false,
        dynamicWorkflow: input.dynamicWorkflow == null ? null : dynamicWorkflowOf(input.dynamicWorkflow),
        details: {
          ...(input.nodeName && { name: input.nodeName }),
          ...(input.retryGroup && { retryGroup: input.retryGroup }),
          ...(input.isArray && { isArray: true }),
          ...(input.isEager && { isEager: true }),
          ...(input.inputUri && { inputUri: input.inputUri }),
          ...(input.outputUri && { outputUri: input.outputUri }),
          ...(input.deckUri && { deckUri: input.deckUri }),
          ...(input.checkpointUri && { checkpointUri: input.checkpointUri }),
          ...(input.catalogKey != null && { catalogKey: objectOf(input.catalogKey, ['catalogKey']) }),
          ...(input.dynamicJobSpecUri && { dynamicJobSpecUri: input.dynamicJobSpecUri }),
          ...(child && { childExecutionId: child }),
        },
      });
      loaders.nodeExecution.clearAll();
      const nodeExecution = await loaders.nodeExecution.load(nodeId);
      if (!nodeExecution) throw new NotFoundError('node execution', nodeId);
      return { nodeExecution };
    },
  }),
  createTaskEvent: t.field({
    type: CreateTaskEventPayload,
    nullable: true,
    description:
      'Moves an attempt of a task in an execution with `engine: EXTERNAL` to another phase, and creates it with its first event. Requires EDIT on the workflow. A repeated event answers ALREADY_EXISTS and changes nothing.',
    errors,
    args: inputOf(CreateTaskEventInput),
    resolve: async (_root, { input }, context) => {
      const { loaders } = context;
      const id = await executionId(input.execution, context);
      requireCompleteKey(input.task, ['input', 'task']);
      const taskId = await createTaskEvent(callerOf(context), id, {
        ...input,
        retryAttempt: countOf(input.retryAttempt, 'retryAttempt'),
        phaseVersion: countOf(input.phaseVersion, 'phaseVersion'),
        eventVersion: countOf(input.eventVersion, 'eventVersion'),
        producerId: input.producerId ?? '',
        reportedAt: input.reportedAt ?? null,
        error: errorOf(input.error),
        logs: (input.logs ?? []).map(logOf),
        reason: input.reason ?? null,
        reasons: (input.reasons ?? []).map((reason) => ({
          message: reason.message,
          occurredAt: reason.occurredAt.toISOString(),
        })),
        customInfo: input.customInfo == null ? null : objectOf(input.customInfo, ['customInfo']),
        metadata: input.metadata ? metadataOf(input.metadata) : null,
        taskType: input.taskType ?? null,
        inputUri: input.inputUri ?? null,
        outputUri: input.outputUri ?? null,
      });
      loaders.taskExecution.clearAll();
      const taskExecution = await loaders.taskExecution.load(taskId);
      if (!taskExecution) throw new NotFoundError('task execution', taskId);
      return { taskExecution };
    },
  }),
}));

async function getReadableExecutionId(by: unknown, context: Context): Promise<string> {
  const path = ['input', 'childExecution'];
  return (await getReadableExecution(callerOf(context), by as ExecutionBy, path)).id;
}

function countOf(given: number | null | undefined, field: string): number {
  const count = given ?? 0;
  if (count >= 0) return count;
  throw InvalidArgumentError.of(['input', field], 'must not be negative');
}

/** Source: Flyte requires the id and the primary template. */
function dynamicWorkflowOf(value: unknown): JsonObject {
  const path = ['dynamicWorkflow'];
  const workflow = objectOf(value, path);
  objectOf(workflow['id'], [...path, 'id']);
  const primary = objectOf(workflow['compiledWorkflow'], [...path, 'compiledWorkflow'])['primary'];
  objectOf(objectOf(primary, [...path, 'compiledWorkflow', 'primary'])['template'], [
    ...path,
    'compiledWorkflow',
    'primary',
    'template',
  ]);
  return workflow;
}

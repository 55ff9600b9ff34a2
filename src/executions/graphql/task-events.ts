import { builder } from '../../graphql/builder.ts';
import { callerOf } from '../../graphql/context.ts';
import { inputOf } from '../../graphql/input.ts';
import { payload } from '../../graphql/payload.ts';
import type { Caller } from '../../platform/caller.ts';
import { formatDuration } from '../../platform/duration.ts';
import { InvalidArgumentError } from '../../platform/errors.ts';
import { requireCompleteKey } from '../../registry/domain/version-key.ts';
import { EntityKeyInput } from '../../registry/graphql/entity-key.ts';
import { createTaskEvent } from '../commands/create-task-event.ts';
import { getReadableExecutions } from '../commands/get-readable-executions.ts';
import type { ExternalResource, TaskExecutionMetadata, TaskLog } from '../domain/task-details.ts';
import type { ExecutionBy } from '../store/reads.ts';
import { CacheStatusEnum } from './cache-status.ts';
import {
  EventErrorInput,
  errorOf,
  eventErrors,
  executionOf,
  inputLiterals,
  inputs,
  objectOf,
  occurredAt,
  outputLiterals,
  outputs,
  outputUri,
  outputUriOf,
  producer,
} from './event-input.ts';
import { ExecutionByInput } from './execution.ts';
import { TaskExecutionPhaseEnum, TaskExecutionType } from './task-execution.ts';
import { InstanceClassEnum, TaskLogMessageFormatEnum } from './task-execution-details.ts';

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

/** How many shares of pools an attempt keeps. */
const MAX_POOLS = 100;

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
    childExecution: t.field({
      type: ExecutionByInput,
      description: 'The execution that runs it. It must exist.',
    }),
  }),
});

const ResourcePoolInput = builder.inputType('ResourcePoolInput', {
  description: 'A share of a pool that an attempt holds.',
  fields: (t) => ({
    allocationToken: t.string({ required: true, description: 'The token of the share.' }),
    namespace: t.string({ required: true, description: 'The pool.' }),
  }),
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
      description:
        'The shares of pools that it holds, at most 100. They replace the stored ones; an empty list removes those.',
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
    inputs: t.field(inputs),
    inputLiterals: t.field(inputLiterals),
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
    logContext: t.field({
      type: 'JSON',
      description:
        "Where the attempt's pods print their logs, as Flyte's LogContext. It replaces the stored one.",
    }),
    taskType: t.string({ description: 'The type of the task, such as `spark`.' }),
    eventVersion: t.int({
      defaultValue: 0,
      description: 'The version of the form of the events. It only grows.',
    }),
    inputUri: t.string({ description: 'The address of the inputs. The first one is kept.' }),
    outputUri: t.string(outputUri),
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

const resourceOf = (
  { customInfo, ...resource }: typeof ExternalResourceInput.$inferInput,
  childExecutionId: string | undefined,
): ExternalResource => ({
  externalId: resource.externalId ?? '',
  index: resource.index ?? 0,
  retryAttempt: resource.retryAttempt ?? 0,
  phase: resource.phase,
  cacheStatus: resource.cacheStatus ?? 'DISABLED',
  logs: (resource.logs ?? []).map(logOf),
  ...(customInfo != null && {
    customInfo: objectOf(customInfo, ['metadata', 'externalResources', 'customInfo']),
  }),
  ...(childExecutionId && { childExecutionId }),
});

async function metadataOf(
  caller: Caller,
  { externalResources: given, ...metadata }: typeof TaskExecutionMetadataInput.$inferInput,
): Promise<TaskExecutionMetadata> {
  const path = ['input', 'metadata'];
  const resources = given ?? [];
  const pools = metadata.resourcePoolInfo ?? null;
  if (pools && pools.length > MAX_POOLS)
    throw InvalidArgumentError.of(
      [...path, 'resourcePoolInfo'],
      `must have at most ${MAX_POOLS} entries`,
      'TooLarge',
    );
  const named = resources.map(({ childExecution }, at) => ({
    by: (childExecution ?? null) as ExecutionBy | null,
    path: [...path, 'externalResources', String(at), 'childExecution'],
  }));
  const children = await getReadableExecutions(caller, named);
  return {
    generatedName: metadata.generatedName ?? '',
    externalResources: resources.map((resource, at) => resourceOf(resource, children[at]?.id)),
    resourcePoolInfo: pools,
    pluginIdentifier: metadata.pluginIdentifier ?? '',
    instanceClass: metadata.instanceClass ?? 'DEFAULT',
  };
}

const CreateTaskEventPayload = payload('CreateTaskEventPayload', 'taskExecution', TaskExecutionType);

builder.mutationFields((t) => ({
  createTaskEvent: t.field({
    type: CreateTaskEventPayload,
    nullable: true,
    description:
      'Moves an attempt of a task in an execution with `engine: EXTERNAL` to another phase, and creates it with its first event. Requires EDIT on the workflow. A repeated event answers ALREADY_EXISTS and changes nothing.',
    errors: eventErrors,
    args: inputOf(CreateTaskEventInput),
    resolve: async (_root, { input }, context) => {
      const execution = await executionOf(input.execution, context);
      requireCompleteKey(input.task, ['input', 'task']);
      const taskExecution = await createTaskEvent(callerOf(context), execution, {
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
        metadata: input.metadata ? await metadataOf(callerOf(context), input.metadata) : null,
        logContext: input.logContext == null ? null : objectOf(input.logContext, ['logContext']),
        taskType: input.taskType ?? null,
        inputUri: input.inputUri ?? null,
        outputUri: outputUriOf(input),
      });
      return { taskExecution };
    },
  }),
}));

function countOf(given: number | null | undefined, field: string): number {
  const count = given ?? 0;
  if (count >= 0) return count;
  throw InvalidArgumentError.of(['input', field], 'must not be negative');
}

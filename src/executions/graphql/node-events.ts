import { builder } from '../../graphql/builder.ts';
import { type Context, callerOf } from '../../graphql/context.ts';
import { inputOf } from '../../graphql/input.ts';
import { payload } from '../../graphql/payload.ts';
import { NotFoundError } from '../../platform/errors.ts';
import { requireCompleteKey } from '../../registry/domain/version-key.ts';
import { EntityKeyInput } from '../../registry/graphql/entity-key.ts';
import { EntityTypeEnum } from '../../registry/graphql/named-entity.ts';
import type { JsonObject } from '../../values/json.ts';
import { createNodeEvent } from '../commands/create-node-event.ts';
import { getReadableExecution } from '../commands/get-readable-execution.ts';
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
  rowAfter,
} from './event-input.ts';
import { ExecutionByInput } from './execution.ts';
import { NodeExecutionPhaseEnum, NodeExecutionType } from './node-execution.ts';
import { ReservationStatusEnum } from './node-execution-details.ts';

const EntityReferenceInput = builder.inputType('EntityReferenceInput', {
  description: 'A version of a task, workflow or launch plan, by its type and its key.',
  fields: (t) => ({
    type: t.field({ type: EntityTypeEnum, required: true, description: 'What the key is the key of.' }),
    key: t.field({ type: EntityKeyInput, required: true, description: 'The key of the version.' }),
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
    inputs: t.field(inputs),
    inputLiterals: t.field(inputLiterals),
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
    reservationStatus: t.field({
      type: ReservationStatusEnum,
      description: 'What became of the reservation of the entry of the cache.',
    }),
    checkpointUri: t.string({ description: 'The address of the checkpoint for the next attempt.' }),
    deckUri: t.string({ description: 'The address of the report of the node.' }),
    inputUri: t.string({ description: 'The address of the inputs. The first one is kept.' }),
    outputUri: t.string(outputUri),
    dynamicWorkflow: t.field({
      type: 'JSON',
      description: 'The workflow that the node created at run time, compiled: `{id, compiledWorkflow}`.',
    }),
    isInDynamicChain: t.boolean({
      defaultValue: false,
      description: 'Whether the node came from a workflow that was created at run time.',
    }),
    targetEntity: t.field({
      type: EntityReferenceInput,
      description: 'What the node runs. It need not be registered.',
    }),
    dynamicJobSpecUri: t.string({ description: 'The address of the specification of that workflow.' }),
  }),
});

const CreateNodeEventPayload = payload('CreateNodeEventPayload', 'nodeExecution', NodeExecutionType);

builder.mutationFields((t) => ({
  createNodeEvent: t.field({
    type: CreateNodeEventPayload,
    nullable: true,
    description:
      'Moves a node of an execution with `engine: EXTERNAL` to another phase, and creates it with its first event. Requires EDIT on the workflow. A repeated event answers ALREADY_EXISTS and changes nothing.',
    errors: eventErrors,
    args: inputOf(CreateNodeEventInput),
    resolve: async (_root, { input }, context) => {
      const { loaders } = context;
      const { id } = await executionOf(input.execution, context);
      if (input.targetEntity) requireCompleteKey(input.targetEntity.key, ['input', 'targetEntity', 'key']);
      const child = input.childExecution && (await getReadableExecutionId(input.childExecution, context));
      const parentTaskId = input.parentTaskExecution ?? null;
      const parentTask = parentTaskId === null ? null : await loaders.taskExecution.load(parentTaskId);
      if (parentTaskId !== null && parentTask?.executionId !== id)
        throw new NotFoundError('task execution', parentTaskId, ['input', 'parentTaskExecution']);
      const address = outputUriOf(input);
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
          ...(input.isInDynamicChain && { isInDynamicChain: true }),
          ...(input.targetEntity && { targetEntity: input.targetEntity }),
          ...(input.reservationStatus && { reservationStatus: input.reservationStatus }),
          ...(input.inputUri && { inputUri: input.inputUri }),
          ...(address && { outputUri: address }),
          ...(input.deckUri && { deckUri: input.deckUri }),
          ...(input.checkpointUri && { checkpointUri: input.checkpointUri }),
          ...(input.catalogKey != null && { catalogKey: objectOf(input.catalogKey, ['catalogKey']) }),
          ...(input.dynamicJobSpecUri && { dynamicJobSpecUri: input.dynamicJobSpecUri }),
          ...(child && { childExecutionId: child }),
        },
      });
      const { nodeExecution } = loaders;
      return {
        nodeExecution: await rowAfter('node execution', nodeId, nodeExecution.clearAll().load(nodeId)),
      };
    },
  }),
}));

async function getReadableExecutionId(by: unknown, context: Context): Promise<string> {
  const path = ['input', 'childExecution'];
  return (await getReadableExecution(callerOf(context), by as ExecutionBy, path)).id;
}

/** Source: Flyte requires the id, the primary template and the id of that. */
function dynamicWorkflowOf(value: unknown): JsonObject {
  const path = ['dynamicWorkflow'];
  const workflow = objectOf(value, path);
  objectOf(workflow['id'], [...path, 'id']);
  const primary = objectOf(workflow['compiledWorkflow'], [...path, 'compiledWorkflow'])['primary'];
  const primaryPath = [...path, 'compiledWorkflow', 'primary'];
  const template = objectOf(objectOf(primary, primaryPath)['template'], [...primaryPath, 'template']);
  objectOf(template['id'], [...primaryPath, 'template', 'id']);
  return workflow;
}

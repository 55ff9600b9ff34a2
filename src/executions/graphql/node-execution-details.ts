import type { EntityType, NodeKind } from '../../generated/prisma/enums.ts';
import { builder } from '../../graphql/builder.ts';
import type { Context } from '../../graphql/context.ts';
import { enumOf } from '../../graphql/enum.ts';
import { getIdentifier } from '../../projects/loaders.ts';
import { EntityKeyType, keyFieldsOf } from '../../registry/graphql/entity-key.ts';
import { EntityTypeEnum } from '../../registry/graphql/named-entity.ts';
import type { JsonObject } from '../../values/json.ts';
import type { EntityReference, NodeDetails, ReservationStatus } from '../domain/node-details.ts';
import type { NodeExecutionRow } from '../store/reads.ts';
import { CacheStatusEnum } from './cache-status.ts';
import { NodeExecutionType } from './node-execution.ts';
import { readableChild, readableLaunchPlan } from './readable-edges.ts';
import { TaskExecutionType, taskKeyOf } from './task-execution.ts';

/** What an engine from outside says about a node besides its phase. It is read only if a query asks for it. */

export const ReservationStatusEnum = enumOf<ReservationStatus>(
  'ReservationStatus',
  'What became of the reservation of an entry of the cache, which makes others wait until its outputs are computed.',
  {
    DISABLED: 'Entries of the cache are not reserved.',
    ACQUIRED: 'The node has reserved the entry and computes its outputs.',
    EXISTS: 'Another node has reserved the entry, and this node waits for it.',
    RELEASED: 'The node has given its reservation back.',
    FAILURE: 'The entry could not be reserved, or the reservation could not be given back.',
  },
);

const EntityReferenceType = builder.objectRef<EntityReference>('EntityReference').implement({
  description:
    'A version of a task, workflow or launch plan, by its type and its key. It may be hidden from you.',
  fields: (t) => ({
    type: t.field({
      type: EntityTypeEnum,
      description: 'What the key is the key of.',
      resolve: ({ type }): EntityType => type,
    }),
    key: t.field({ type: EntityKeyType, description: 'The key of the version.', resolve: ({ key }) => key }),
  }),
});

const DynamicWorkflowType = builder.objectRef<JsonObject>('DynamicWorkflow').implement({
  description:
    'A workflow that the task of a node created at run time, as the engine from outside reported it.',
  fields: (t) => ({
    id: t.field({
      type: 'JSON',
      description: "The key of the workflow, as Flyte's Identifier. It need not be registered.",
      resolve: (workflow) => workflow['id'] ?? null,
    }),
    compiledWorkflow: t.field({
      type: 'JSON',
      description: "The compiled workflow with its tasks, as Flyte's CompiledWorkflowClosure.",
      resolve: (workflow) => workflow['compiledWorkflow'] ?? null,
    }),
  }),
});

/** A field whose value is among the details. */
const detail =
  <Value>(find: (details: NodeDetails) => Value | undefined) =>
  async ({ id }: NodeExecutionRow, _args: object, { loaders }: Context): Promise<Value | null> => {
    const details = (await loaders.nodeDetails.load(id))?.details;
    return (details && find(details)) ?? null;
  };

/** The same for a mark, which is false if the engine did not set it. */
const mark = (isSet: (details: NodeDetails) => boolean | undefined) => {
  const find = detail(isSet);
  return async (...asked: Parameters<typeof find>): Promise<boolean> => (await find(...asked)) ?? false;
};

const containers: ReadonlySet<NodeKind> = new Set(['WORKFLOW', 'BRANCH', 'ARRAY']);

builder.objectFields(NodeExecutionType, (t) => ({
  name: t.string({
    nullable: true,
    description: 'A name for people, if an engine from outside gave one; null otherwise.',
    resolve: detail(({ name }) => name),
  }),
  retryGroup: t.string({
    nullable: true,
    description:
      'Which try of the node that contains it the node belongs to, as an engine from outside says; null otherwise.',
    resolve: detail(({ retryGroup }) => retryGroup),
  }),
  isParent: t.boolean({
    description: 'Whether nodes are inside of this one, or may come: see `childNodeExecutions`.',
    resolve: ({ isParent, kind }) => isParent || containers.has(kind),
  }),
  isDynamic: t.exposeBoolean('isDynamic', {
    description: 'Whether the task of the node created a workflow at run time: see `dynamicWorkflow`.',
  }),
  isArray: t.boolean({
    description: 'Whether the node runs another node for each item of lists.',
    resolve: async (node, args, context) =>
      node.kind === 'ARRAY' || (await mark(({ isArray }) => isArray)(node, args, context)),
  }),
  isEager: t.boolean({
    description: 'Whether the task of the node starts other executions itself.',
    resolve: mark(({ isEager }) => isEager),
  }),
  isInDynamicChain: t.boolean({
    description:
      'Whether the node, or a node that contains it, came from a workflow that was created at run time.',
    resolve: mark(({ isInDynamicChain }) => isInDynamicChain),
  }),
  cacheStatus: t.expose('cacheStatus', {
    type: CacheStatusEnum,
    description: 'What became of the cached outputs of the node.',
  }),
  catalogKey: t.field({
    type: 'JSON',
    nullable: true,
    description: "The entry of the cache, as Flyte's CatalogMetadata; null if there is none.",
    resolve: detail(({ catalogKey }) => catalogKey),
  }),
  reservationStatus: t.field({
    type: ReservationStatusEnum,
    nullable: true,
    description: 'What became of the reservation of the entry of the cache; null if the engine did not say.',
    resolve: detail(({ reservationStatus }) => reservationStatus),
  }),
  checkpointUri: t.string({
    nullable: true,
    description: 'The address of the checkpoint for the next attempt; null if there is none.',
    resolve: detail(({ checkpointUri }) => checkpointUri),
  }),
  deckUri: t.string({
    nullable: true,
    description: 'The address of the report of the node; null if there is none.',
    resolve: detail(({ deckUri }) => deckUri),
  }),
  inputUri: t.string({
    nullable: true,
    description: 'The address of the inputs, if an engine from outside keeps them; null otherwise.',
    resolve: detail(({ inputUri }) => inputUri),
  }),
  outputUri: t.string({
    nullable: true,
    description: 'The address of the outputs, if an engine from outside keeps them; null otherwise.',
    resolve: detail(({ outputUri }) => outputUri),
  }),
  dynamicWorkflow: t.field({
    type: DynamicWorkflowType,
    nullable: true,
    description: 'The workflow that the task of the node created at run time; null if it created none.',
    resolve: async ({ id, isDynamic }, _args, { loaders }) =>
      isDynamic ? ((await loaders.dynamicWorkflow.load(id))?.dynamicWorkflow ?? null) : null,
  }),
  dynamicJobSpecUri: t.string({
    nullable: true,
    description: 'The address of the specification of `dynamicWorkflow`; null if there is none.',
    resolve: detail(({ dynamicJobSpecUri }) => dynamicJobSpecUri),
  }),
  targetEntity: t.field({
    type: EntityReferenceType,
    nullable: true,
    description:
      'The task, workflow or launch plan that the node runs, as an engine from outside says. If Slipway runs the node: the task of its latest attempt, or the launch plan of the execution that it started. Null if there is none, or if the execution or the launch plan is hidden from you.',
    resolve: async (node, args, context) =>
      (await detail(({ targetEntity }) => targetEntity)(node, args, context)) ??
      (await startedEntity(node, context)),
  }),
  parentTaskExecution: t.field({
    type: TaskExecutionType,
    nullable: true,
    description:
      'The attempt that contains this node, in the old form of dynamic tasks; null for all other nodes.',
    resolve: ({ parentTaskId }, _args, { loaders }) =>
      parentTaskId === null ? null : loaders.taskExecution.load(parentTaskId),
  }),
}));

/** What the node of an execution that Slipway runs has started. */
async function startedEntity(node: NodeExecutionRow, context: Context): Promise<EntityReference | null> {
  const { loaders } = context;
  const attemptId = node.latestTaskExecutionId;
  const attempt = attemptId === null ? null : await loaders.taskExecution.load(attemptId);
  if (attempt) return { type: 'TASK', key: taskKeyOf(attempt) };
  const child = node.kind === 'LAUNCH_PLAN' ? await readableChild(node, {}, context) : null;
  const plan = child && (await readableLaunchPlan(child, {}, context));
  if (!plan) return null;
  return {
    type: 'LAUNCH_PLAN',
    key: { ...keyFieldsOf(plan), project: await getIdentifier(plan.projectId, loaders) },
  };
}

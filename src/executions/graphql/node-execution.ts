import type { NodeExecutionPhase } from '../../generated/prisma/enums.ts';
import { builder } from '../../graphql/builder.ts';
import { connectionType } from '../../graphql/connection.ts';
import type { Loaders } from '../../graphql/context.ts';
import { enumOf } from '../../graphql/enum.ts';
import { addressOf } from '../../graphql/input.ts';
import { NodeInterface } from '../../graphql/node.ts';
import { readsOf } from '../../graphql/reads.ts';
import { WorkErrorType } from '../../graphql/work-error.ts';
import { NO_ID } from '../../platform/ids.ts';
import { workErrorOf } from '../../platform/work-error.ts';
import { NodeKindEnum } from '../../registry/graphql/node-kind.ts';
import type { NodeExecutionRow, TaskExecutionRow } from '../store/reads.ts';
import { AbortType, abortOf } from './abort.ts';
import { TaskExecutionPhaseEnum, TaskExecutionType } from './task-execution.ts';
import { DataType, durationOf, noData } from './values.ts';

export const NodeExecutionPhaseEnum = enumOf<NodeExecutionPhase>(
  'NodeExecutionPhase',
  'The phase of a node of an execution. A node may go back from RUNNING to QUEUED when its lease is lost.',
  {
    QUEUED: 'The nodes before this node are done, and its work waits to start.',
    RUNNING: 'An attempt of the node runs, or the next attempt is about to start.',
    DYNAMIC_RUNNING: 'The node has created a workflow at run time, and the nodes of that workflow run.',
    FAILING: 'The node has failed, and its work is being stopped. FAILED follows.',
    SUCCEEDED: 'The node is done and its outputs are stored. Final.',
    FAILED: 'The node failed with no retries left. Final.',
    ABORTED:
      'The node was stopped because a user wanted it, its execution was aborted, or another node failed. Final.',
    SKIPPED: 'The node did not run, because a branch was not taken. Final.',
    TIMED_OUT: 'The node took longer than allowed. Final.',
    RECOVERED: 'The node did not run; its outputs come from an earlier execution. Final.',
  },
);

/** How many nodes are in a phase. */
interface PhaseCount {
  readonly phase: NodeExecutionPhase;
  readonly count: number;
}

export const NodePhaseCountType = builder.objectRef<PhaseCount>('NodePhaseCount').implement({
  description: 'How many nodes of an execution, or items of an array, are in one phase.',
  fields: (t) => ({
    phase: t.expose('phase', {
      type: NodeExecutionPhaseEnum,
      description: 'The phase that the nodes are in.',
    }),
    count: t.exposeInt('count', { description: 'How many nodes are in this phase: at least 1.' }),
  }),
});

const reads = readsOf<NodeExecutionRow>();

export const NodeExecutionType = builder.objectRef<NodeExecutionRow>('NodeExecution').implement({
  description:
    'One node of an execution. It exists from the moment when it is ready to run. Everybody who may read the execution may read it.',
  interfaces: [NodeInterface],
  fields: (t) => ({
    nodeId: t.exposeString('nodeId', {
      description:
        "The node's id, unique in the execution, such as `train`. For a node inside of another one, it begins with the id of that node: `train:evaluate`, or `fan:3` for an item of an array.",
    }),
    specNodeId: t.exposeString('specNodeId', {
      description: "The node's id in its workflow, such as `evaluate`.",
    }),
    kind: t.expose('kind', { type: NodeKindEnum, description: 'What the node does.' }),
    itemIndex: t.exposeInt('itemIndex', {
      nullable: true,
      description: 'Which item of an array the node is for, from 0; null if it is not for an item.',
    }),
    itemCount: t.exposeInt('itemCount', {
      nullable: true,
      description: 'How many items the array has; null if the node is not an array.',
    }),
    itemCounts: t.field({
      type: [NodePhaseCountType],
      extensions: { listSize: 10 },
      description: 'How many items of the array are in each phase. Phases without items are left out.',
      resolve: (node, _args, { loaders }) => (node.kind === 'ARRAY' ? loaders.itemCounts.load(node.id) : []),
    }),
    phase: t.expose('phase', { type: NodeExecutionPhaseEnum, description: 'The current phase of the node.' }),
    latestAttempt: t.exposeInt('latestAttempt', {
      nullable: true,
      description: 'The number of the latest attempt, from 0; null before the first attempt.',
    }),
    latestTaskPhase: t.expose('latestTaskPhase', {
      type: TaskExecutionPhaseEnum,
      nullable: true,
      description: 'The phase of the latest attempt; null before the first attempt.',
    }),
    error: t.field({
      type: WorkErrorType,
      nullable: true,
      description: 'Why the node failed; null if it did not fail.',
      resolve: workErrorOf,
    }),
    abort: t.field({
      type: AbortType,
      nullable: true,
      description:
        'Who terminated this node and why; null if nobody did, also if the whole execution was aborted.',
      resolve: abortOf,
    }),
    startedAt: t.expose('startedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the first attempt began to run; null before that.',
    }),
    endedAt: t.expose('endedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the node reached a final phase; null before that.',
    }),
    duration: t.field({
      type: 'Duration',
      nullable: true,
      description:
        'The time from the first start to the end; null before the end, and if the node never started.',
      ...reads(['startedAt', 'endedAt'], durationOf),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the node became ready to run.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When the node last changed.' }),
    data: t.field({
      type: DataType,
      description: 'The inputs of the node, and the outputs of the attempt that succeeded.',
      ...reads(['id'], async ({ id }, _args, { loaders }) => (await loaders.nodeData.load(id)) ?? noData),
    }),
  }),
});

export const NodeExecutionConnection = connectionType(NodeExecutionType);

builder.objectFields(NodeExecutionType, (t) => ({
  parent: t.field({
    type: NodeExecutionType,
    nullable: true,
    description: 'The node that contains this one; null for a node of the outermost workflow.',
    ...reads(['parentId'], ({ parentId }, _args, { loaders }) =>
      parentId === null ? null : loaders.nodeExecution.load(parentId),
    ),
  }),
}));

const NodeExecutionKeyInput = builder.inputType('NodeExecutionKeyInput', {
  description: "What identifies a node of an execution: the execution's key and the node's id.",
  fields: (t) => ({
    project: t.string({ required: true, description: "The project's identifier." }),
    domain: t.string({ required: true, description: 'The domain of the execution, such as `development`.' }),
    execution: t.string({ required: true, description: "The execution's name." }),
    nodeId: t.string({ required: true, description: "The node's id, unique in the execution." }),
  }),
});

export const NodeExecutionByInput = builder.inputType('NodeExecutionByInput', {
  description: 'The address of a node execution.',
  isOneOf: true,
  fields: (t) => ({
    id: t.id({ description: "The node execution's id." }),
    key: t.field({
      type: NodeExecutionKeyInput,
      description: "The execution's key and the node's id.",
    }),
  }),
});

export type NodeExecutionBy =
  | { readonly id: string }
  | {
      readonly key: {
        project: string;
        domain: string;
        execution: string;
        nodeId: string;
      };
    };

builder.queryField('nodeExecution', (t) =>
  t.field({
    type: NodeExecutionType,
    nullable: true,
    description: 'One node of an execution. Null and NOT_FOUND if it does not exist or you may not see it.',
    args: addressOf(NodeExecutionByInput, 'node execution'),
    resolve: (_root, { by }, context) => loadNodeExecution(by as NodeExecutionBy, context.loaders),
  }),
);

/** The node of an address; null if it, or its execution, does not exist. */
export async function loadNodeExecution(
  by: NodeExecutionBy,
  loaders: Loaders,
): Promise<NodeExecutionRow | null> {
  if ('id' in by) return await loaders.nodeExecution.load(by.id);
  const { project, domain, execution: name, nodeId } = by.key;
  const execution = await loaders.execution.load({
    key: { project, domain, name },
  });
  // Also asked if there is no such execution, so that it takes the same statements as a hidden one.
  return await loaders.nodeExecutionByKey.load({ executionId: execution?.id ?? NO_ID, nodeId });
}

builder.objectField(TaskExecutionType, 'nodeExecution', (t) =>
  t.field({
    type: NodeExecutionType,
    nullable: true,
    description: 'The node of this attempt.',
    ...readsOf<TaskExecutionRow>()(['nodeExecutionId'], ({ nodeExecutionId }, _args, { loaders }) =>
      loaders.nodeExecution.load(nodeExecutionId),
    ),
  }),
);

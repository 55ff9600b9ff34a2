import type { NodeExecutionPhase } from '../../generated/prisma/enums.ts';
import { builder } from '../../graphql/builder.ts';
import { connectionType } from '../../graphql/connection.ts';
import type { Loaders } from '../../graphql/context.ts';
import { enumOf } from '../../graphql/enum.ts';
import { addressOf } from '../../graphql/input.ts';
import { type PageArguments, pagedList } from '../../graphql/keyset.ts';
import { WorkErrorType } from '../../graphql/work-error.ts';
import { NO_ID } from '../../platform/ids.ts';
import { workErrorOf } from '../../platform/work-error.ts';
import { type NodeExecutionRow, nodesOfExecutions, tasksOfNodes } from '../store/reads.ts';
import { TaskExecutionConnection, TaskExecutionPhaseEnum, TaskExecutionType } from './task-execution.ts';
import { DataType, durationOf, listed, noData } from './values.ts';

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
    ABORTED: 'The node was stopped because its execution was aborted or another node failed. Final.',
    SKIPPED: 'The node did not run, because a branch was not taken. Final.',
    TIMED_OUT: 'The node took longer than allowed. Final.',
    RECOVERED: 'The node did not run; its outputs come from an earlier execution. Final.',
  },
);

export const NodeExecutionType = builder.objectRef<NodeExecutionRow>('NodeExecution').implement({
  description:
    'One node of an execution. It exists from the moment when it is ready to run. Everybody who may read the execution may read it.',
  fields: (t) => ({
    id: t.exposeID('id', {
      description: 'A UUIDv7 that is unique across all types. `nodeExecution` finds the node by it.',
    }),
    nodeId: t.exposeString('nodeId', { description: "The node's id in the workflow, such as `train`." }),
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
      resolve: durationOf,
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the node became ready to run.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When the node last changed.' }),
    data: t.field({
      type: DataType,
      description: 'The inputs of the node, and the outputs of the attempt that succeeded.',
      resolve: async (node, _args, { loaders }) => (await loaders.nodeData.load(node.id)) ?? noData,
    }),
    taskExecutions: t.connection(
      {
        type: TaskExecutionType,
        description: 'The attempts of the node, newest first.',
        resolve: ({ id: parentId }, args, { loaders }) =>
          pagedList(
            args,
            tasksOfNodes.order,
            (page) => loaders.tasksOfNode.load({ parentId, page }),
            () => loaders.taskCount.load(parentId, null),
          ),
      },
      TaskExecutionConnection,
    ),
  }),
});

export const NodeExecutionConnection = connectionType(NodeExecutionType);

const NodeExecutionKeyInput = builder.inputType('NodeExecutionKeyInput', {
  description:
    "What identifies a node of an execution: the execution's key and the node's id in the workflow.",
  fields: (t) => ({
    project: t.string({ required: true, description: "The project's identifier." }),
    domain: t.string({ required: true, description: 'The domain of the execution, such as `development`.' }),
    execution: t.string({ required: true, description: "The execution's name." }),
    nodeId: t.string({ required: true, description: "The node's id in the workflow." }),
  }),
});

const NodeExecutionByInput = builder.inputType('NodeExecutionByInput', {
  description: 'The address of a node execution.',
  isOneOf: true,
  fields: (t) => ({
    id: t.id({ description: "The node execution's id." }),
    key: t.field({
      type: NodeExecutionKeyInput,
      description: "The execution's key and the node's id in the workflow.",
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

/** The nodes of an execution, as a connection field of any object that has its id. */
export function nodesOf(executionId: string, args: PageArguments, { nodesOfExecution, nodeCounts }: Loaders) {
  return pagedList(
    args,
    nodesOfExecutions.order,
    async (page) => (await nodesOfExecution.load({ parentId: executionId, page })).map(listed),
    async () => (await nodeCounts.load(executionId)).reduce((sum, { count }) => sum + count, 0),
  );
}

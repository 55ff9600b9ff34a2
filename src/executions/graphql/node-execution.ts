import { builder } from '../../graphql/builder.ts';
import type { Loaders } from '../../graphql/context.ts';
import { type PageArguments, pagedList } from '../../graphql/keyset.ts';
import { NO_ID } from '../../platform/ids.ts';
import { type NodeExecutionRow, nodesOfExecutions, tasksOfNodes } from '../store/reads.ts';
import { TaskExecutionPhaseEnum, TaskExecutionType } from './task-execution.ts';
import { DataType, durationOf, ExecutionErrorType, listed, shownError } from './values.ts';

export const NodeExecutionPhaseEnum = builder.enumType('NodeExecutionPhase', {
  values: [
    'QUEUED',
    'RUNNING',
    'DYNAMIC_RUNNING',
    'FAILING',
    'SUCCEEDED',
    'FAILED',
    'ABORTED',
    'SKIPPED',
    'TIMED_OUT',
    'RECOVERED',
  ] as const,
});

export const NodeExecutionType = builder.objectRef<NodeExecutionRow>('NodeExecution').implement({
  description: 'One node of an execution, from the moment it may run.',
  fields: (t) => ({
    id: t.exposeID('id'),
    nodeId: t.exposeString('nodeId', {
      description: "The node's id in the workflow.",
    }),
    phase: t.field({
      type: NodeExecutionPhaseEnum,
      resolve: (node) => node.phase,
    }),
    latestAttempt: t.exposeInt('latestAttempt', {
      nullable: true,
      description: 'From 0.',
    }),
    latestTaskPhase: t.field({
      type: TaskExecutionPhaseEnum,
      nullable: true,
      resolve: (node) => node.latestTaskPhase,
    }),
    error: t.field({
      type: ExecutionErrorType,
      nullable: true,
      resolve: (node) => shownError(node),
    }),
    startedAt: t.field({
      type: 'DateTime',
      nullable: true,
      resolve: (node) => node.startedAt,
    }),
    endedAt: t.field({
      type: 'DateTime',
      nullable: true,
      resolve: (node) => node.endedAt,
    }),
    duration: t.field({
      type: 'Duration',
      nullable: true,
      description: 'From its first start to its end.',
      resolve: durationOf,
    }),
    createdAt: t.field({
      type: 'DateTime',
      resolve: (node) => node.createdAt,
    }),
    updatedAt: t.field({
      type: 'DateTime',
      resolve: (node) => node.updatedAt,
    }),
    data: t.field({
      type: DataType,
      resolve: async (node, _args, { loaders }) =>
        (await loaders.nodeData.load(node.id)) ?? {
          inputs: null,
          outputs: null,
        },
    }),
    taskExecutions: t.connection(
      {
        type: TaskExecutionType,
        description: 'Its attempts, newest first.',
        resolve: (node, args, { loaders }) =>
          pagedList(args, tasksOfNodes.order, (page) =>
            loaders.tasksOfNode.load({ parentId: node.id, page }),
          ),
      },
      { name: 'TaskExecutionConnection' },
      { name: 'TaskExecutionEdge' },
    ),
  }),
});

export const NodeExecutionConnection = builder.connectionObject(
  { type: NodeExecutionType, name: 'NodeExecutionConnection' },
  { name: 'NodeExecutionEdge' },
);

const NodeExecutionKeyInput = builder.inputType('NodeExecutionKeyInput', {
  fields: (t) => ({
    project: t.string({ required: true }),
    domain: t.string({ required: true }),
    execution: t.string({
      required: true,
      description: "The execution's name.",
    }),
    nodeId: t.string({ required: true }),
  }),
});

const NodeExecutionByInput = builder.inputType('NodeExecutionBy', {
  description: 'Which node execution.',
  isOneOf: true,
  fields: (t) => ({
    id: t.id(),
    key: t.field({ type: NodeExecutionKeyInput }),
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
    description: 'One node of an execution; null with NOT_FOUND when it is absent or hidden.',
    args: { by: t.arg({ type: NodeExecutionByInput, required: true }) },
    resolve: (_root, { by }, context) => loadNodeExecution(by as NodeExecutionBy, context.loaders),
  }),
);

/** The node that is addressed; null when it, or its execution, is absent. */
export async function loadNodeExecution(
  by: NodeExecutionBy,
  loaders: Loaders,
): Promise<NodeExecutionRow | null> {
  if ('id' in by) return await loaders.nodeExecution.load(by.id);
  const { project, domain, execution: name, nodeId } = by.key;
  const execution = await loaders.execution.load({
    key: { project, domain, name },
  });
  // Asked also where there is no such execution, so that this costs what a hidden one does.
  return await loaders.nodeExecutionByKey.load({ executionId: execution?.id ?? NO_ID, nodeId });
}

/** The nodes of an execution, as a connection field on whatever has its id. */
export function nodesOf(executionId: string, args: PageArguments, loaders: Loaders) {
  return pagedList(args, nodesOfExecutions.order, async (page) =>
    (await loaders.nodesOfExecution.load({ parentId: executionId, page })).map(listed),
  );
}

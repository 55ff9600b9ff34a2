import type { GraphQLResolveInfo } from 'graphql';
import { builder } from '../../graphql/builder.ts';
import type { Loaders } from '../../graphql/context.ts';
import { enumOf } from '../../graphql/enum.ts';
import { selectionOf } from '../../graphql/execution/selection.ts';
import { type PageArguments, pagedList } from '../../graphql/keyset.ts';
import { readsOf } from '../../graphql/reads.ts';
import { NodeKindEnum } from '../../registry/graphql/node-kind.ts';
import { nodeColumns } from '../store/columns.ts';
import { type NodeListFilter, type NodeOrder, nodeOrder } from '../store/part-lists.ts';
import type { NodeExecutionRow, TaskExecutionRow } from '../store/reads.ts';
import { attemptsAhead } from './attempts-ahead.ts';
import { CacheStatusEnum } from './cache-status.ts';
import { NodeExecutionConnection, NodeExecutionPhaseEnum, NodeExecutionType } from './node-execution.ts';
import { partConditions, timeOrders } from './part-conditions.ts';
import { TaskExecutionType } from './task-execution.ts';
import { listed } from './values.ts';

/** The lists of nodes, inside of an execution, a node or an attempt. */

const NodeExecutionFilterInput = builder.inputType('NodeExecutionFilterInput', {
  description: 'Which nodes a list shows: the nodes that meet all of these conditions.',
  fields: (t) => ({
    phases: t.field({ type: [NodeExecutionPhaseEnum], description: 'Only nodes in one of these phases.' }),
    kinds: t.field({ type: [NodeKindEnum], description: 'Only nodes of one of these kinds.' }),
    cacheStatuses: t.field({
      type: [CacheStatusEnum],
      description: 'Only nodes whose cached outputs have one of these statuses.',
    }),
    ...partConditions(t, 'nodes'),
  }),
});

const NodeExecutionOrderEnum = enumOf<NodeOrder>('NodeExecutionOrder', 'How a list of nodes is sorted.', {
  NEWEST: 'By the time when they became ready to run, newest first.',
  OLDEST: 'By the time when they became ready to run, oldest first.',
  NODE_ID: 'By `nodeId`, ascending, byte by byte.',
  NODE_ID_DESCENDING: 'By `nodeId`, descending, byte by byte.',
  ...timeOrders,
});

/** The arguments of each list of nodes. */
export const nodeListArguments = builder.args((t) => ({
  filter: t.field({ type: NodeExecutionFilterInput, description: 'Which nodes to list. If left out: all.' }),
  orderBy: t.field({
    type: NodeExecutionOrderEnum,
    defaultValue: 'NEWEST',
    description: 'How to sort the list.',
  }),
}));

export interface NodeListArguments extends PageArguments {
  readonly filter?: typeof NodeExecutionFilterInput.$inferInput | null;
  readonly orderBy?: NodeOrder | null;
}

export const nodeFilterOf = ({ filter, orderBy }: NodeListArguments): NodeListFilter => ({
  ...filter,
  orderBy: orderBy ?? 'NEWEST',
});

/** The nodes directly inside of something. */
export function nodesOf(
  list: Loaders['nodesOfExecution'],
  parentId: string,
  { filter, orderBy, ...args }: NodeListArguments,
  info: GraphQLResolveInfo,
) {
  const shown = nodeFilterOf({ filter, orderBy });
  const attempts = attemptsAhead(info);
  return pagedList(
    args,
    nodeOrder(shown),
    async (page) => (await list.page(parentId, { ...shown, attempts }, page)).map(listed),
    () => list.count(parentId, { ...shown, attempts: null }),
    { selected: selectionOf(info), columns: nodeColumns },
  );
}

builder.objectField(NodeExecutionType, 'childNodeExecutions', (t) =>
  t.connection(
    {
      type: NodeExecutionType,
      description:
        'The nodes directly inside of this one: of a workflow, of a branch, or the items of an array.',
      args: nodeListArguments,
      ...readsOf<NodeExecutionRow>()(['id'], ({ id }, args: NodeListArguments, { loaders }, info) =>
        nodesOf(loaders.nodesInside, id, args, info),
      ),
    },
    NodeExecutionConnection,
  ),
);

builder.objectField(TaskExecutionType, 'childNodeExecutions', (t) =>
  t.connection(
    {
      type: NodeExecutionType,
      description: 'The nodes directly inside of this attempt, in the old form of dynamic tasks.',
      args: nodeListArguments,
      ...readsOf<TaskExecutionRow>()(['id'], ({ id }, args: NodeListArguments, { loaders }, info) =>
        nodesOf(loaders.nodesOfTask, id, args, info),
      ),
    },
    NodeExecutionConnection,
  ),
);

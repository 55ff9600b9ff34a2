import { builder } from '../../graphql/builder.ts';
import { enumOf } from '../../graphql/enum.ts';
import { filtersArgument } from '../../graphql/filters-argument.ts';
import { addressOf } from '../../graphql/input.ts';
import { type PageArguments, pagedList } from '../../graphql/keyset.ts';
import { readsOf } from '../../graphql/reads.ts';
import { addressText } from '../../platform/address-text.ts';
import { NotFoundError } from '../../platform/errors.ts';
import { parseFilters } from '../../platform/flyte-filters.ts';
import { taskColumns } from '../store/columns.ts';
import { taskExecutionFilters } from '../store/filter-columns.ts';
import {
  countTasks,
  listTasks,
  type TaskListFilter,
  type TaskOrder,
  taskOrder,
} from '../store/part-lists.ts';
import type { NodeExecutionRow } from '../store/reads.ts';
import {
  loadNodeExecution,
  type NodeExecutionBy,
  NodeExecutionByInput,
  NodeExecutionType,
} from './node-execution.ts';
import { partConditions, timeOrders } from './part-conditions.ts';
import { TaskExecutionConnection, TaskExecutionPhaseEnum, TaskExecutionType } from './task-execution.ts';

/** The lists of the attempts of a node. */

const TaskExecutionFilterInput = builder.inputType('TaskExecutionFilterInput', {
  description: 'Which attempts a list shows: the attempts that meet all of these conditions.',
  fields: (t) => ({
    phases: t.field({ type: [TaskExecutionPhaseEnum], description: 'Only attempts in one of these phases.' }),
    ...partConditions(t, 'attempts'),
  }),
});

const TaskExecutionOrderEnum = enumOf<TaskOrder>('TaskExecutionOrder', 'How a list of attempts is sorted.', {
  ATTEMPT: 'By the number of the attempt, ascending.',
  ATTEMPT_DESCENDING: 'By the number of the attempt, descending: the latest attempt comes first.',
  ...timeOrders,
});

const listArguments = builder.args((t) => ({
  filter: t.field({
    type: TaskExecutionFilterInput,
    description: 'Which attempts to list. If left out: all.',
  }),
  orderBy: t.field({
    type: TaskExecutionOrderEnum,
    defaultValue: 'ATTEMPT_DESCENDING',
    description: 'How to sort the list.',
  }),
}));

interface TaskListArguments extends PageArguments {
  readonly filter?: typeof TaskExecutionFilterInput.$inferInput | null | undefined;
  readonly orderBy?: TaskOrder | null | undefined;
}

const filterOf = ({ filter, orderBy }: Pick<TaskListArguments, 'filter' | 'orderBy'>): TaskListFilter => ({
  ...filter,
  orderBy: orderBy ?? 'ATTEMPT_DESCENDING',
});

builder.objectField(NodeExecutionType, 'taskExecutions', (t) =>
  t.connection(
    {
      type: TaskExecutionType,
      description: 'The attempts of the node.',
      // Most nodes have one attempt, and the page of an execution shows them all.
      args: listArguments,
      ...readsOf<NodeExecutionRow>()(
        ['id'],
        ({ id }, { filter, orderBy, ...args }: TaskListArguments, { loaders: { tasksOfNode } }, info) => {
          const shown = filterOf({ filter, orderBy });
          return pagedList(
            args,
            taskOrder(shown),
            (page) => tasksOfNode.page(id, shown, page),
            () => tasksOfNode.count(id, shown),
            { info, columns: taskColumns },
          );
        },
        { listSize: 5 },
      ),
    },
    TaskExecutionConnection,
  ),
);

builder.queryField('taskExecutions', (t) =>
  t.connection(
    {
      type: TaskExecutionType,
      description: 'The attempts of one node of an execution.',
      args: {
        ...addressOf(NodeExecutionByInput, 'node execution'),
        ...listArguments,
        ...filtersArgument(taskExecutionFilters),
      },
      resolve: async (_root, { by, filter, orderBy, filters, ...args }, { loaders }, info) => {
        const node = await loadNodeExecution(by as NodeExecutionBy, loaders);
        if (!node) throw new NotFoundError('node execution', addressText(by as NodeExecutionBy));
        const shown = { ...filterOf({ filter, orderBy }), filters: parseFilters(filters ?? '') };
        return await pagedList(
          args,
          taskOrder(shown),
          (page) => listTasks(node.id, shown, page),
          () => countTasks(node.id, shown),
          { info, columns: taskColumns },
        );
      },
    },
    TaskExecutionConnection,
  ),
);

import { builder } from '../../graphql/builder.ts';
import { selectionOf } from '../../graphql/execution/selection.ts';
import { filtersArgument } from '../../graphql/filters-argument.ts';
import { addressOf } from '../../graphql/input.ts';
import { connectionOf, pagedList } from '../../graphql/keyset.ts';
import { readsOf } from '../../graphql/reads.ts';
import { addressText } from '../../platform/address-text.ts';
import { NotFoundError } from '../../platform/errors.ts';
import { parseFilters } from '../../platform/flyte-filters.ts';
import { taskColumns } from '../store/columns.ts';
import { taskExecutionFilters } from '../store/filter-columns.ts';
import type { NodeWithAttempts } from '../store/nodes-with-attempts.ts';
import { countTasks, listTasks, taskOrder } from '../store/part-lists.ts';
import type { NodeExecutionRow } from '../store/reads.ts';
import { isPageOf } from './attempts-ahead.ts';
import {
  loadNodeExecution,
  type NodeExecutionBy,
  NodeExecutionByInput,
  NodeExecutionType,
} from './node-execution.ts';
import { TaskExecutionConnection, TaskExecutionType } from './task-execution.ts';
import { type TaskListArguments, taskFilterOf, taskListArguments } from './task-list-arguments.ts';

/** The lists of the attempts of a node. */

builder.objectField(NodeExecutionType, 'taskExecutions', (t) =>
  t.connection(
    {
      type: TaskExecutionType,
      description: 'The attempts of the node.',
      args: taskListArguments,
      ...readsOf<NodeExecutionRow, Pick<NodeWithAttempts, 'attempts'>>()(
        ['id'],
        ({ id, attempts }, given: TaskListArguments, { loaders: { tasksOfNode } }, info) => {
          const { filter, orderBy, ...args } = given;
          const shown = taskFilterOf({ filter, orderBy });
          const order = taskOrder(shown);
          const count = () => tasksOfNode.count(id, shown);
          if (attempts && isPageOf(attempts.asked, given))
            return connectionOf(attempts.rows, attempts.asked.page, order, count);
          return pagedList(args, order, (page) => tasksOfNode.page(id, shown, page), count, {
            selected: selectionOf(info),
            columns: taskColumns,
          });
        },
        // Most nodes have one attempt, and the page of an execution shows them all.
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
        ...taskListArguments,
        ...filtersArgument(taskExecutionFilters),
      },
      resolve: async (_root, { by, filter, orderBy, filters, ...args }, { loaders }, info) => {
        const node = await loadNodeExecution(by as NodeExecutionBy, loaders);
        if (!node) throw new NotFoundError('node execution', addressText(by as NodeExecutionBy));
        const shown = { ...taskFilterOf({ filter, orderBy }), filters: parseFilters(filters ?? '') };
        return await pagedList(
          args,
          taskOrder(shown),
          (page) => listTasks(node.id, shown, page),
          () => countTasks(node.id, shown),
          { selected: selectionOf(info), columns: taskColumns },
        );
      },
    },
    TaskExecutionConnection,
  ),
);

import { builder } from '../../graphql/builder.ts';
import { enumOf } from '../../graphql/enum.ts';
import type { PageArguments } from '../../graphql/keyset.ts';
import type { TaskListFilter, TaskOrder } from '../store/part-lists.ts';
import { partConditions, timeOrders } from './part-conditions.ts';
import { TaskExecutionPhaseEnum } from './task-execution.ts';

/** The arguments of the lists of attempts. */

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

export const taskListArguments = builder.args((t) => ({
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

export interface TaskListArguments extends PageArguments {
  readonly filter?: typeof TaskExecutionFilterInput.$inferInput | null | undefined;
  readonly orderBy?: TaskOrder | null | undefined;
}

export const taskFilterOf = ({
  filter,
  orderBy,
}: Pick<TaskListArguments, 'filter' | 'orderBy'>): TaskListFilter => ({
  ...filter,
  orderBy: orderBy ?? 'ATTEMPT_DESCENDING',
});

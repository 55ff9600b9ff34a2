import { enumOf } from '../../graphql/enum.ts';
import type { ExecutionOrder } from '../store/lists.ts';
import { timeOrders } from './part-conditions.ts';

export const ExecutionOrderEnum = enumOf<ExecutionOrder>(
  'ExecutionOrder',
  'How a list of executions is sorted.',
  {
    NEWEST: 'By time of creation, newest first.',
    OLDEST: 'By time of creation, oldest first.',
    NAME: 'By name, ascending, byte by byte.',
    NAME_DESCENDING: 'By name, descending, byte by byte.',
    ...timeOrders,
  },
);

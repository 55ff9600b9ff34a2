import { enumOf } from '../../graphql/enum.ts';
import { InvalidArgumentError } from '../../platform/errors.ts';
import type { ExecutionListFilter, ExecutionOrder } from '../store/lists.ts';
import { timeOrders } from './part-conditions.ts';

/** The orders that an index gives. For each other one, the server sorts all executions that meet the conditions. */
const byCreation = {
  NEWEST: 'By time of creation, newest first.',
  OLDEST: 'By time of creation, oldest first.',
};
const needs = 'The filter must name a project and a domain.';
const sorted = {
  NAME: 'By name, ascending, byte by byte.',
  NAME_DESCENDING: 'By name, descending, byte by byte.',
  ...timeOrders,
};

export const ExecutionOrderEnum = enumOf<ExecutionOrder>(
  'ExecutionOrder',
  'How a list of executions is sorted.',
  {
    ...byCreation,
    ...(Object.fromEntries(
      Object.entries(sorted).map(([order, text]) => [order, `${text} ${needs}`]),
    ) as typeof sorted),
  },
);

/**
 * @param isInProject  whether the list is inside of a project, which then need not be in the filter.
 * @returns the same filter.
 * @throws InvalidArgumentError if the order needs a project and a domain, and the filter lacks one of them. Otherwise
 *   each page could sort the whole history of the tenant.
 */
export function checkOrder(filter: ExecutionListFilter, isInProject = false): ExecutionListFilter {
  const { orderBy, projectId, domain } = filter;
  const hasProject = isInProject || projectId !== null;
  if (orderBy in byCreation || (hasProject && domain !== null)) return filter;
  const needed = isInProject ? 'a domain' : 'a project and a domain';
  throw InvalidArgumentError.of(['orderBy'], `${orderBy} needs ${needed} in the filter`, 'MissingField');
}

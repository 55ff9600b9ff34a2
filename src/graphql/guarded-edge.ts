import type { GraphQLResolveInfo } from 'graphql';
import { isAllowed } from '../authorization/can.ts';
import type { Permission } from '../authorization/domain/permissions.ts';
import type { Target } from '../authorization/domain/resources.ts';
import type { ColumnSets } from '../platform/database/columns.ts';
import type { Order, Page } from '../platform/database/page.ts';
import { type Context, callerOf } from './context.ts';
import { selectionOf } from './execution/selection.ts';
import { type PageArguments, pagedList } from './keyset.ts';

/**
 * The resolver of a field that leads to an object with its own rules. If the caller may not read the object, the field
 * is null, as if the object did not exist. There is no error, because the caller may read the rest of the answer. If
 * the caller's scopes or role decide, nothing is loaded.
 */
export function guardedEdge<Parent, Row extends object>(
  permission: Permission,
  load: (parent: Parent, context: Context) => Promise<Row | null> | null,
  targetOf: (row: Row) => Target,
) {
  return async (parent: Parent, _args: object, context: Context): Promise<Row | null> => {
    let row: Row | null = null;
    const target = async () => {
      row = await load(parent, context);
      return row && targetOf(row);
    };
    const isShown = await isAllowed(callerOf(context), permission, { target });
    return isShown ? row : null;
  };
}

/** A list inside of an object: see `listLoader`. */
export interface ListInside<Filter, Row> {
  page(parentId: string, filter: Filter, page: Page): Promise<Row[]>;
  count(parentId: string, filter: Filter): Promise<number>;
}

/**
 * The resolver of a list inside of an object, with its own rule. The list leaves out objects that the caller may not
 * read. If the caller's scopes do not include the permission, the list is null.
 */
export function guardedList<Parent, Args extends PageArguments, Filter, Row extends Sorted, Sorted>(
  permission: Permission,
  targetOf: (parent: Parent) => Target,
  listOf: (context: Context) => ListInside<Filter, Row>,
  orderOf: (filter: Filter) => Order<Sorted>,
  filterOf: (args: Args, context: Context) => Filter | Promise<Filter>,
  columns?: ColumnSets,
) {
  return async (
    parent: Parent & { readonly id: string },
    args: Args,
    context: Context,
    info: GraphQLResolveInfo,
  ) => {
    const target = async () => targetOf(parent);
    if (!(await isAllowed(callerOf(context), permission, { target }))) return null;
    const filter = await filterOf(args, context);
    const list = listOf(context);
    return await pagedList(
      args,
      orderOf(filter),
      (page) => list.page(parent.id, filter, page),
      () => list.count(parent.id, filter),
      { selected: selectionOf(info), ...(columns && { columns }) },
    );
  };
}

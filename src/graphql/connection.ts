import type { ObjectRef } from '@pothos/core';
import { builder } from './builder.ts';
import {
  connectionOf,
  type Page,
  type PageArguments,
  pageOf,
  type SortColumn,
  type SortKey,
} from './keyset.ts';

type Schema = typeof builder.$inferSchemaTypes;

/** The one connection type of a node type, named after it: `Execution` has `ExecutionConnection`. */
export function connectionType<Shape>(name: string, type: ObjectRef<Schema, Shape>) {
  return builder.connectionObject(
    { type, name: `${name}Connection`, description: `One page of a list of ${name} objects.` },
    { name: `${name}Edge`, description: `A place in a list of ${name} objects.` },
  );
}

/** What a list is sorted by. */
export interface Order<Row> {
  readonly columns: readonly SortColumn[];
  readonly keyOf: (row: Row) => SortKey;
}

/** By time of creation; objects of one instant by id. The store decides on the direction. */
export const byCreation: Order<{ readonly createdAt: Date; readonly id: string }> = {
  columns: ['instant', 'id'],
  keyOf: ({ createdAt, id }) => [createdAt.toISOString(), id],
};

export const byId: Order<{ readonly id: string }> = { columns: ['id'], keyOf: ({ id }) => [id] };

export const byNumber = <Row>(of: (row: Row) => number): Order<Row> => ({
  columns: ['number'],
  keyOf: (row) => [String(of(row))],
});

export const byName: Order<{ readonly name: string }> = {
  columns: ['text'],
  keyOf: ({ name }) => [name],
};

/**
 * One page of a list, as a connection.
 *
 * @param list  up to one more row than `page.limit`, in the list's order, or against it when `page.backward`.
 * @param count  how many rows the whole list has; called only when `totalCount` is selected.
 * @throws InvalidArgumentError naming the argument of the page that is wrong.
 */
export async function paged<Row>(
  args: PageArguments,
  order: Order<Row>,
  list: (page: Page) => Promise<readonly Row[]>,
  count: () => Promise<number>,
) {
  const page = pageOf(args, order.columns);
  return { ...connectionOf(await list(page), page, order.keyOf), count };
}

import type { ObjectRef } from '@pothos/core';
import type { Permission } from '../authorization/domain/permissions.ts';
import type { NodeRows } from '../authorization/store/node-rows.ts';
import { builder } from './builder.ts';
import type { Context } from './context.ts';

type Schema = typeof builder.$inferSchemaTypes;

/** The interface of all objects that can be found by id. `node` and `nodes` find them: src/api/node.ts. */
export const NodeInterface = builder.interfaceRef<{ readonly id: string }>('Node').implement({
  description: 'An object that can be looked up by its id alone, with `node` or `nodes`.',
  fields: (t) => ({
    id: t.exposeID('id', {
      description:
        'A UUIDv7 that is unique across all types and never used again. `node` finds the object by it.',
    }),
  }),
});

/**
 * A type that implements `Node`. Its own lookup is the field of Query with its name, such as `execution` for Execution.
 * The rule of this field decides here too.
 */
export interface NodeType {
  readonly type: ObjectRef<Schema, { readonly id: string }>;
  /** The permission that the rule checks. The audit log names it if an object is hidden. */
  readonly permission: Permission;
  readonly rows: NodeRows;
  /** The answer of the lookup for this id. */
  load(id: string, context: Context): Promise<{ readonly id: string } | null>;
}

/** A row of the table of node types in a `capability.ts`. */
export const nodeType = <Row extends { readonly id: string }>(
  type: ObjectRef<Schema, Row>,
  permission: Permission,
  rows: NodeRows,
  load: (id: string, context: Context) => Promise<Row | null>,
): NodeType => ({ type: type as unknown as NodeType['type'], permission, rows, load });

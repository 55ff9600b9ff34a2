import { isAllowed } from '../authorization/can.ts';
import type { Permission } from '../authorization/domain/permissions.ts';
import type { Target } from '../authorization/domain/resources.ts';
import { type Context, callerOf } from './context.ts';

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

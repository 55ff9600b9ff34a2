import { isAllowed } from '../authorization/can.ts';
import type { Permission } from '../authorization/domain/permissions.ts';
import type { Target } from '../authorization/domain/resources.ts';
import { type Context, callerOf } from './context.ts';

/**
 * The resolver of a field that leads to an object with rules of its own: who may not read the object finds null there,
 * as if it were absent, and no error, since the rest of the answer is theirs. What the caller's scopes or role decide
 * is decided before anything is loaded.
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

import type { Caller } from '../platform/caller.ts';
import { NotFoundError } from '../platform/errors.ts';
import type { ObjectKind } from '../platform/object-kinds.ts';
import { refusal } from './can.ts';
import type { Permission } from './domain/permissions.ts';
import type { Target } from './domain/resources.ts';

/** A further object that an input names, besides the object that the rule has checked. */
export interface Named<Row> {
  readonly kind: ObjectKind;
  readonly key: string;
  /** The path of the object in the input. */
  readonly path: readonly string[];
  find(): Promise<Row | null>;
  targetOf(row: NoInfer<Row>): Target;
}

/**
 * Finds a further object that an input names, for a command that needs `permission` on it.
 *
 * @throws NotFoundError with the path if the object does not exist or is hidden; both cases take the same statements.
 * PermissionDeniedError if the caller may read it but the level is too low.
 */
export async function getAllowed<Row>(
  caller: Caller,
  permission: Permission,
  { kind, key, path, find, targetOf }: Named<Row>,
): Promise<Row> {
  let row: Row | null = null;
  const target = async () => {
    row = await find();
    return row && targetOf(row);
  };
  const refused = await refusal(caller, permission, { kind, key, path, target });
  if (refused || !row) throw refused ?? new NotFoundError(kind, key, path);
  return row;
}

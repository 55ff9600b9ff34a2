import type { Caller } from '../platform/caller.ts';
import { AlreadyExistsError, type DomainError, InvalidArgumentError } from '../platform/errors.ts';
import type { ObjectKind } from '../platform/object-kinds.ts';
import { isSeen } from './can.ts';
import type { Target } from './domain/resources.ts';

/**
 * The error for a caller who cannot have a name. If the caller may read the object that has the name, the error says
 * that the name is taken. Otherwise it says only that the name cannot be used: the same answer, after the same
 * statements, as for a reserved name. So a name does not reveal hidden objects.
 *
 * @param holder the object that has the name; null if the name is reserved.
 */
export async function nameConflict(
  caller: Caller,
  holder: Target | null,
  {
    kind,
    name,
    path,
  }: { readonly kind: ObjectKind; readonly name: string; readonly path: readonly string[] },
): Promise<DomainError> {
  return (await isSeen(caller, { kind, key: name }, holder))
    ? new AlreadyExistsError(`${kind} ${name} already exists`, { path })
    : nameUnavailable(path);
}

/** The error for a reserved name, and for a name of an object that the caller may not read. */
export const nameUnavailable = (path: readonly string[]): InvalidArgumentError =>
  InvalidArgumentError.of(path, 'this name cannot be used here', 'NameUnavailable');

import type { Caller } from '../platform/caller.ts';
import { AlreadyExistsError, type DomainError, InvalidArgumentError } from '../platform/errors.ts';
import type { ObjectKind } from '../platform/object-kinds.ts';
import { isSeen } from './can.ts';
import type { Target } from './domain/resources.ts';

/**
 * What somebody is told who may not have a name: that it is taken, when the caller may read what has it; else only that
 * it cannot be used. That is the same answer, after the same statements, as for a reserved name, so that a name tells
 * nobody what is there.
 *
 * @param holder  what has the name; null where the name is reserved, and nothing can have it.
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

/** The answer for a reserved name, and for one that something has which the caller may not read. */
export const nameUnavailable = (path: readonly string[]): InvalidArgumentError =>
  InvalidArgumentError.of(path, 'this name cannot be used here', 'NameUnavailable');

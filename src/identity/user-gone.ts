import type { Caller } from '../platform/caller.ts';
import { type DomainError, NotFoundError, UnauthenticatedError } from '../platform/errors.ts';

export const signInEnded = () => new UnauthenticatedError('the sign-in has ended');

/**
 * The error if a command does not find the user any more, because the user was deleted since the rule found it. For
 * this user itself, it means that its sign-in has ended.
 *
 * @param key the user, as the input names it.
 */
export function userGone(
  caller: Caller,
  id: string,
  key: string,
  path: readonly string[] = ['input', 'by'],
): DomainError {
  return id === caller.userId ? signInEnded() : new NotFoundError('user', key, path);
}

import type { Caller } from '../platform/caller.ts';
import { type DomainError, NotFoundError, UnauthenticatedError } from '../platform/errors.ts';

export const signInEnded = () => new UnauthenticatedError('the sign-in has ended');

/**
 * What a command answers that finds a user no more: the user was deleted since the rule found it. To the user itself,
 * that is the end of its sign-in.
 *
 * @param key  the user as the input names it.
 */
export function userGone(
  caller: Caller,
  id: string,
  key: string,
  path: readonly string[] = ['input', 'by'],
): DomainError {
  return id === caller.userId ? signInEnded() : new NotFoundError('user', key, path);
}

import { nameKey } from '../../platform/text.ts';

/** How a user is addressed. */
export type UserBy = { readonly id: string } | { readonly username: string } | { readonly email: string };

/** How an access key is addressed. */
export type CredentialBy = { readonly id: string } | { readonly accessKey: string };

/** An address as it was written. */
export const addressText = (by: UserBy): string =>
  'id' in by ? by.id : 'username' in by ? by.username : by.email;

/** Whether somebody is addressed by its own id or name, told without a look at anybody. */
export function isOwn(caller: { readonly userId: string; readonly username: string }, by: UserBy): boolean {
  if ('id' in by) return by.id === caller.userId;
  return 'username' in by && nameKey(by.username) === nameKey(caller.username);
}

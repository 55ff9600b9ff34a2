import { nameKey } from '../../platform/text.ts';

/** How a user is addressed. A user name may stand behind its tenant's: `tenant/name`. */
export type UserBy = { readonly id: string } | { readonly username: string } | { readonly email: string };

/** How an access key is addressed. */
export type CredentialBy = { readonly id: string } | { readonly accessKey: string };

/** An address as it was written. */
export const addressText = (by: UserBy): string =>
  'id' in by ? by.id : 'username' in by ? by.username : by.email;

/** The parts of `tenant/name`, or of a bare name, as they are compared. No user name has a slash. */
export function parseUsername(text: string): { readonly tenantKey: string | null; readonly key: string } {
  const slash = text.lastIndexOf('/');
  return {
    tenantKey: slash < 0 ? null : nameKey(text.slice(0, slash)),
    key: nameKey(text.slice(slash + 1)),
  };
}

/** Whether somebody is addressed by its own id or bare name, told without a look at anybody. */
export function isOwn(caller: { readonly userId: string; readonly username: string }, by: UserBy): boolean {
  if ('id' in by) return by.id === caller.userId;
  return 'username' in by && nameKey(by.username) === nameKey(caller.username);
}

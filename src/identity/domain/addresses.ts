import { nameKey } from '../../platform/text.ts';

/** The address of a user. The user name may have its tenant in front: `tenant/name`. */
export type UserBy = { readonly id: string } | { readonly username: string } | { readonly email: string };

/** The address of an access key. */
export type CredentialBy = { readonly id: string } | { readonly accessKey: string };

/** The address as it was written. */
export const addressText = (by: UserBy): string =>
  'id' in by ? by.id : 'username' in by ? by.username : by.email;

/**
 * The parts of `tenant/name`, or of a user name alone, in the form in which names are compared. User names contain no
 * slash.
 */
export function parseUsername(text: string): { readonly tenantKey: string | null; readonly key: string } {
  const slash = text.lastIndexOf('/');
  return {
    tenantKey: slash === -1 ? null : nameKey(text.slice(0, slash)),
    key: nameKey(text.slice(slash + 1)),
  };
}

/** Whether an address is the caller's own id or user name. This reads nothing. */
export function isOwn(caller: { readonly userId: string; readonly username: string }, by: UserBy): boolean {
  if ('id' in by) return by.id === caller.userId;
  return 'username' in by && nameKey(by.username) === nameKey(caller.username);
}

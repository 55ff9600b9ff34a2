import { type Principal, readPrincipal } from './store.ts';

export { findAccessKey, findPasswordUser, type Principal } from './store.ts';

/**
 * The active user behind a sign-in, as it stands now, with the access key that it used; null when the user is disabled
 * or gone, or the key revoked or expired.
 */
export async function findPrincipal(userId: string, credentialId: string | null): Promise<Principal | null> {
  return await readPrincipal(userId, credentialId);
}

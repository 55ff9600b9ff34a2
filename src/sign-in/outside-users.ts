import { createOutsideUser, type OutsideUser } from '../identity/commands/create-outside-user.ts';
import { usernameFault } from '../identity/domain/user-checks.ts';
import { findNamedUser } from '../identity/store/named-users.ts';
import { nameKey } from '../platform/text.ts';
import { findPrincipal, type Principal, plainSignIn } from './principals.ts';

/**
 * The active user with a name that comes from an outside source; null if we have no such user.
 *
 * Outside sources give out names, and often people choose their own; two sources may even have the same name. So a user
 * belongs to the source that it came from. A user who was created here can be signed in only by a source that is
 * trusted with local names, and users with the role ROOT or SYSTEM by no source.
 *
 * @param outside.role the role of a user who does not exist yet and is created; null if unknown users are refused.
 * @param outside.linksLocalUsers whether the source may sign in users who were created here.
 */
export async function findOutsideUser(
  outside: Omit<OutsideUser, 'role'> & {
    readonly role: OutsideUser['role'] | null;
    readonly linksLocalUsers: boolean;
  },
): Promise<Principal | null> {
  const { tenant, username, role, source, linksLocalUsers } = outside;
  if (usernameFault(username) !== null) return null;
  const key = nameKey(username);
  let user = await findNamedUser(tenant, key);
  if (!user && role) {
    await createOutsideUser({ ...outside, role });
    user = await findNamedUser(tenant, key);
  }
  if (!user || (user.outsideSource === null ? !linksLocalUsers : user.outsideSource !== source)) return null;
  const principal = user.isActive ? await findPrincipal(plainSignIn(user.userId)) : null;
  return principal?.role === 'ROOT' || principal?.role === 'SYSTEM' ? null : principal;
}

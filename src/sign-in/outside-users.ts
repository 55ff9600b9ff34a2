import { createOutsideUser, type OutsideUser } from '../identity/commands/create-outside-user.ts';
import { usernameFault } from '../identity/domain/user-checks.ts';
import { findNamedUser } from '../identity/store/named-users.ts';
import { nameKey } from '../platform/text.ts';
import { findPrincipal, type Principal, plainSignIn } from './principals.ts';

/**
 * The active user behind a name that somebody else vouches for; null when it is none of ours.
 *
 * Names are given out there, often by their owners themselves, and two sources may give out the same. So a user belongs
 * to the source that it came from, and one that was made here is only reached by a source that is trusted with its name;
 * root and system by none.
 *
 * @param outside.role  null: users must be there; else one who is not is made, with this role.
 * @param outside.linksLocalUsers  whether the source may sign in users who were made here.
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

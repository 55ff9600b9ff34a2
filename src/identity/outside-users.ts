import { createOutsideUser, type OutsideUser } from './commands/create-outside-user.ts';
import { usernameKey } from './domain/usernames.ts';
import { findPrincipal, type Principal, plainSignIn } from './principals.ts';
import { findNamedUser } from './store/named-users.ts';

const LONGEST = 255;

/**
 * The active user behind a name that somebody else vouches for; null when it is none of ours.
 *
 * Nobody signs in from outside as root or system: names are given out there, and one that happens to be that of the
 * platform's own account must not become it.
 *
 * @param outside.role  null: users must be there; else one who is not is made, with this role.
 */
export async function findOutsideUser(
  outside: Omit<OutsideUser, 'role'> & { readonly role: OutsideUser['role'] | null },
): Promise<Principal | null> {
  const { tenant, username, role } = outside;
  if (!isFitName(username)) return null;
  const key = usernameKey(username);
  let user = await findNamedUser(tenant, key);
  if (!user && role) {
    await createOutsideUser({ ...outside, role });
    user = await findNamedUser(tenant, key);
  }
  const principal = user?.isActive ? await findPrincipal(plainSignIn(user.userId)) : null;
  return principal?.role === 'ROOT' || principal?.role === 'SYSTEM' ? null : principal;
}

/** What may be a user name: no colon, which ends it in Basic, no control characters, no space around it. */
function isFitName(username: string): boolean {
  return username.length <= LONGEST && username === username.trim() && /^[^\p{Cc}\p{Cs}:]+$/u.test(username);
}

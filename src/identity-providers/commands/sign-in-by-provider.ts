import { recordChange, recordChanges } from '../../authorization/audit.ts';
import { recordAccessChange } from '../../authorization/store/changes.ts';
import { deleteMembers, insertMembers, lockGroup } from '../../authorization/store/groups.ts';
import type { IdentityLink } from '../../generated/prisma/client.ts';
import { insertOutsideUser } from '../../identity/commands/create-outside-user.ts';
import { usernameFault } from '../../identity/domain/user-checks.ts';
import { type Caller, logOf } from '../../platform/caller.ts';
import { isUniqueViolation } from '../../platform/database/failures.ts';
import { inTransaction, type Tx } from '../../platform/database/transaction.ts';
import { findCallerOfUser } from '../../sign-in/caller-of-user.ts';
import { membershipsOf, type OutsidePerson } from '../domain/outside-person.ts';
import { mayUseProvider } from '../domain/provider-users.ts';
import { findLink, insertLink, touchLink } from '../store/identity-links.ts';
import { type ProviderRow, readRulesOf } from '../store/identity-providers.ts';

/** A user who has come from an identity provider, and the link that has led to the user. */
export interface ProviderSignIn {
  readonly caller: Caller;
  readonly linkId: string;
}

/** From where the person comes, for the audit log. */
export interface SignInPlace {
  readonly address: string | null;
  readonly clientId: string;
}

/**
 * The link of a person. The first time, a user is created for her, if the provider may do that and the name is free. A
 * user who exists is never taken by the name or the e-mail address: the user connects the account with the password, or
 * an administrator does.
 *
 * @returns null if there is none.
 */
export async function findOrMakeLink(
  provider: ProviderRow,
  person: OutsidePerson,
  { address }: SignInPlace,
): Promise<IdentityLink | null> {
  const { subject, username } = person;
  const known = await findLink(provider.id, subject);
  const { newUserRole: role } = provider;
  if (known || (role !== 'USER' && role !== 'GUEST')) return known;
  if (username === null || usernameFault(username) !== null) return null;
  const { tenantId, id: identityProviderId, issuer } = provider;
  try {
    const made = await inTransaction(async (tx) => {
      // Not the issuer alone, whose own tokens name users in another way: see sign-in/outside-users.ts.
      const source = `${issuer}#${identityProviderId}`;
      const user = { tenantId, username, name: person.name, role, source, address };
      const userId = await insertOutsideUser(tx, user);
      return userId === null ? null : await insertLink(tx, { tenantId, identityProviderId, userId, subject });
    });
    if (made) return made;
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
  }
  // The name is taken: maybe by the same person, who has come twice at the same time.
  return await findLink(provider.id, subject);
}

/**
 * Signs a person in as the user of her link, and takes over her groups.
 *
 * @param groups  the values of the groups claim.
 * @returns null if the user is disabled, or is one whom no provider may sign in.
 */
export async function signInByProvider(
  provider: ProviderRow,
  link: IdentityLink,
  groups: readonly string[],
  { address, clientId }: SignInPlace,
): Promise<ProviderSignIn | null> {
  const user = await findCallerOfUser(link.userId);
  if (!user || user.tenantId !== provider.tenantId || !mayUseProvider(user)) return null;
  const caller: Caller = { ...user, address };
  const { userId: id, username: name } = caller;
  const isThere = await inTransaction(async (tx) => {
    if (!(await touchLink(tx, link.id))) return false;
    await recordChange(tx, caller, {
      action: 'session:login',
      target: { type: 'user', id, name },
      after: { method: 'IDENTITY_PROVIDER', identityProvider: provider.name, clientId },
    });
    if (provider.groupsClaim !== null) await takeOverGroups(tx, caller, provider, groups);
    return true;
  });
  if (!isThere) return null;
  logOf(caller).info({ identityProviderId: provider.id, clientId }, 'signed in with an identity provider');
  return { caller, linkId: link.id };
}

/** Adds the user to the groups of the rules, and removes the user from them. Other groups stay as they are. */
async function takeOverGroups(
  tx: Tx,
  caller: Caller,
  { id, tenantId, name: identityProvider }: ProviderRow,
  groups: readonly string[],
): Promise<void> {
  const rules = await readRulesOf({ id }, tx);
  const { userId } = caller;
  const changes = [];
  for (const [groupId, isMember] of [...membershipsOf(rules, groups)].sort()) {
    const group = await lockGroup(tx, tenantId, { id: groupId });
    if (!group || group.isEveryone) continue;
    const users = await (isMember
      ? insertMembers(tx, group, [userId])
      : deleteMembers(tx, group.id, [userId]));
    if (users.length === 0) continue;
    changes.push({
      action: isMember ? 'group:addMembers' : 'group:removeMembers',
      target: { type: 'group' as const, id: group.id, name: group.name },
      after: { users, identityProvider },
    });
  }
  if (changes.length === 0) return;
  await recordChanges(tx, caller, changes);
  await recordAccessChange(tx, { tenantId, userId, kind: 'GRANT' });
}

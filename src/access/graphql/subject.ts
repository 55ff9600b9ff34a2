import { readGroups } from '../../authorization/store/groups.ts';
import type { Grant, Group } from '../../generated/prisma/client.ts';
import { builder } from '../../graphql/builder.ts';
import { type Context, callerOf, type Loaders } from '../../graphql/context.ts';
import { GroupByInput } from '../../identity/graphql/group-by.ts';
import { PrincipalType, UserByInput } from '../../identity/graphql/user.ts';
import type { PublicUser } from '../../identity/store/public-users.ts';
import { addressText } from '../../platform/address-text.ts';
import { NotFoundError } from '../../platform/errors.ts';
import type { GrantAddress } from '../commands/grant-change.ts';
import { groupReader } from '../group-reader.ts';
import { GroupType } from './group.ts';

export const SubjectByInput = builder.inputType('SubjectByInput', {
  description: 'The user or group that has a grant. It must belong to your tenant.',
  isOneOf: true,
  fields: (t) => ({
    user: t.field({ type: UserByInput, description: 'A person or a service account.' }),
    group: t.field({ type: GroupByInput, description: 'A group. All its members have the level.' }),
  }),
});

export const GrantSubjectType = builder.unionType('GrantSubject', {
  description: 'The user or group that has a grant.',
  types: [PrincipalType, GroupType],
  resolveType: (subject) => ('username' in subject ? PrincipalType : GroupType),
});

type Address = Readonly<Record<string, unknown>>;

/** An `@oneOf` of addresses, as it arrives. */
export interface SubjectBy {
  readonly user?: Address | null;
  readonly group?: Address | null;
}

/**
 * Finds any user or group of the tenant: the manager of a resource may share it with all of them.
 *
 * @throws NotFoundError with the path. Users and groups of another tenant count as absent.
 */
export async function resolveSubject(
  by: SubjectBy,
  context: Context,
  path: readonly string[],
): Promise<GrantAddress['subject']> {
  const caller = callerOf(context);
  if (by.user) {
    const { tenantId } = caller;
    const user = await context.loaders.userAt.load({ tenantId, by: by.user as never });
    if (!user) throw new NotFoundError('user', addressText(by.user), [...path, 'user']);
    return { userId: user.id, name: user.username };
  }
  const address = by.group ?? {};
  const [group] = await readGroups(groupReader(caller), [address as never]);
  if (!group) throw new NotFoundError('group', addressText(address), [...path, 'group']);
  return { groupId: group.id, name: group.name };
}

/** Null if it was deleted since the row was read. */
export async function subjectOf(grant: Grant, loaders: Loaders): Promise<PublicUser | Group | null> {
  if (grant.userId) return await loaders.publicUser.load(grant.userId);
  return grant.groupId ? await loaders.group.load(grant.groupId) : null;
}

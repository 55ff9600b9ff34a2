import { isAllowed } from '../../authorization/can.ts';
import {
  countGroups,
  type GroupBy,
  groupOrder,
  listGroups,
  readGroups,
} from '../../authorization/store/groups.ts';
import { builder } from '../../graphql/builder.ts';
import { connectionType } from '../../graphql/connection.ts';
import { type Context, callerOf, type Loaders } from '../../graphql/context.ts';
import { addressOf, inputOf } from '../../graphql/input.ts';
import { pagedList } from '../../graphql/keyset.ts';
import { payload } from '../../graphql/payload.ts';
import { GroupByInput } from '../../identity/graphql/group-by.ts';
import { PrincipalConnection, PrincipalType, UserByInput, UserType } from '../../identity/graphql/user.ts';
import { membersOfGroups } from '../../identity/store/users.ts';
import {
  AlreadyExistsError,
  FailedPreconditionError,
  InvalidArgumentError,
  NotFoundError,
} from '../../platform/errors.ts';
import { addGroupMembers } from '../commands/add-group-members.ts';
import type { ChangedMembers } from '../commands/change-members.ts';
import { createGroup } from '../commands/create-group.ts';
import { deleteGroup } from '../commands/delete-group.ts';
import { removeGroupMembers } from '../commands/remove-group-members.ts';
import { updateGroup } from '../commands/update-group.ts';
import { groupReader } from '../group-reader.ts';

type GroupRow = { readonly id: string; readonly tenantId: string; readonly isEveryone: boolean };

/**
 * Superusers and members may see the members of a group. Only superusers may see those of `everyone`, because they are
 * all users of the tenant.
 */
async function maySeeMembers(group: GroupRow, context: Context): Promise<boolean> {
  const caller = callerOf(context);
  if (group.tenantId !== caller.tenantId) return false;
  if (groupReader(caller).seesAll) return true;
  if (group.isEveryone) return false;
  if (caller.groupIds.includes(group.id)) return true;
  return (await context.loaders.groupsOfUser.load(caller.userId)).some(({ id }) => id === group.id);
}

const countMembersOf = ({ id, tenantId, isEveryone }: GroupRow, { memberCount, userCount }: Loaders) =>
  isEveryone ? userCount.load(tenantId) : memberCount.load(id);

export const GroupType = builder.prismaObject('Group', {
  description: 'A group of users. A grant to a group is a grant to all its members.',
  fields: (t) => ({
    id: t.exposeID('id', {
      description: 'A UUIDv7 that is unique across all types. `group` finds the group by it.',
    }),
    name: t.exposeString('name', {
      description:
        'The name, unique in the tenant. Names are equal if they differ only in case or Unicode form (NFKC).',
    }),
    description: t.exposeString('description', {
      description: 'The purpose of the group, for people. It may be empty.',
    }),
    isEveryone: t.exposeBoolean('isEveryone', {
      description:
        'Whether all users of the tenant are members automatically. Each tenant has one such group.',
    }),
    memberCount: t.int({
      nullable: true,
      description: 'How many members the group has; null if you may not see its members.',
      resolve: async (group, _args, context) =>
        (await maySeeMembers(group, context)) ? await countMembersOf(group, context.loaders) : null,
    }),
    members: t.connection(
      {
        type: PrincipalType,
        nullable: true,
        description:
          'The members of the group by user name, ascending. Null if you may not see them: you must be a member, or have the role SUPERUSER or a higher one.',
        resolve: async (group, args, context) => {
          if (!(await maySeeMembers(group, context))) return null;
          const { loaders } = context;
          return await pagedList(
            args,
            membersOfGroups.order,
            (page) => loaders.membersOfGroup.load({ parentId: group.id, page }),
            () => countMembersOf(group, loaders),
          );
        },
      },
      PrincipalConnection,
    ),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the group was created.' }),
    updatedAt: t.expose('updatedAt', {
      type: 'DateTime',
      description: 'When its name or description last changed.',
    }),
  }),
});

const GroupConnection = connectionType(GroupType);

builder.objectField(UserType, 'groups', (t) =>
  t.field({
    type: [GroupType],
    extensions: { listSize: 25 },
    description:
      'The groups of the user by name, at most 1000. To see the groups of another user, you need the role SUPERUSER or a higher one; otherwise the list is empty. The list is also empty if your scopes do not include `group:list`.',
    resolve: async (user, _args, context) => {
      const caller = callerOf(context);
      const isShown =
        user.tenantId === caller.tenantId && (user.id === caller.userId || groupReader(caller).seesAll);
      return isShown && (await isAllowed(caller, 'group:list'))
        ? await context.loaders.groupsOfUser.load(user.id)
        : [];
    },
  }),
);

const GroupFilterInput = builder.inputType('GroupFilterInput', {
  description: 'Which groups a list shows: the groups that meet all of these conditions.',
  fields: (t) => ({ namePrefix: t.string({ description: 'Only groups whose names begin with this text.' }) }),
});

builder.queryFields((t) => ({
  group: t.field({
    type: GroupType,
    nullable: true,
    description: 'One group. Null and NOT_FOUND if it does not exist or you may not see it.',
    args: addressOf(GroupByInput, 'group'),
    resolve: async (_root, { by }, context) => {
      const [group] = await readGroups(groupReader(callerOf(context)), [by as GroupBy]);
      return group?.isVisible ? group : null;
    },
  }),
  groups: t.connection(
    {
      type: GroupType,
      description:
        'Groups by name, ascending. With the role SUPERUSER or a higher one, you see all groups of the tenant; otherwise only the groups that you are in.',
      args: {
        filter: t.arg({
          type: GroupFilterInput,
          description: 'Which groups to list. If left out: all that you may see.',
        }),
      },
      resolve: async (_root, { filter, ...args }, context) => {
        const reader = groupReader(callerOf(context));
        const groupFilter = { prefix: filter?.namePrefix ?? null };
        return await pagedList(
          args,
          groupOrder,
          (page) => listGroups(reader, groupFilter, page),
          () => countGroups(reader, groupFilter),
        );
      },
    },
    GroupConnection,
  ),
}));

const MAX_MEMBERS = 1000;

type UserAddressInput = typeof UserByInput.$inferInput;

/** @throws InvalidArgumentError for too many members; NotFoundError for the first one that does not exist. */
async function memberIds(addresses: readonly UserAddressInput[], context: Context): Promise<string[]> {
  const path = ['input', 'members'];
  if (addresses.length > MAX_MEMBERS)
    throw InvalidArgumentError.of(path, `must have at most ${MAX_MEMBERS} members`);
  // The members are about to change.
  context.loaders.memberCount.clearAll();
  context.loaders.membersOfGroup.clearAll();
  context.loaders.groupsOfUser.clearAll();
  const { tenantId } = callerOf(context);
  const users = await Promise.all(
    addresses.map((by) => context.loaders.userAt.load({ tenantId, by: by as never })),
  );
  return [
    ...new Set(
      users.map((user, at) => {
        if (user) return user.id;
        const [key = ''] = Object.values(addresses[at] ?? {});
        throw new NotFoundError('user', String(key), [...path, String(at)]);
      }),
    ),
  ];
}

const CreateGroupInput = builder.inputType('CreateGroupInput', {
  description: 'A group to create.',
  fields: (t) => ({
    name: t.string({
      required: true,
      description:
        'The name, at most 255 characters and unique in the tenant. Names are equal if they differ only in case or Unicode form (NFKC).',
    }),
    description: t.string({
      defaultValue: '',
      description: 'The purpose of the group, at most 1000 characters.',
    }),
    members: t.field({
      type: [UserByInput],
      defaultValue: [],
      description: 'Its first members: users of the tenant, at most 1000.',
    }),
  }),
});

const CreateGroupPayload = payload('CreateGroupPayload', 'group', GroupType);

builder.mutationField('createGroup', (t) =>
  t.field({
    type: CreateGroupPayload,
    nullable: true,
    description: 'Creates a group. Requires the role SUPERUSER or a higher one.',
    errors: { types: [InvalidArgumentError, AlreadyExistsError, NotFoundError] },
    args: inputOf(CreateGroupInput),
    resolve: async (_root, { input }, context) => ({
      group: await createGroup(callerOf(context), {
        name: input.name,
        description: input.description ?? '',
        memberIds: await memberIds(input.members ?? [], context),
      }),
    }),
  }),
);

const UpdateGroupInput = builder.inputType('UpdateGroupInput', {
  description: 'Changes of a group. Fields that are left out do not change.',
  fields: (t) => ({
    by: t.field({ type: GroupByInput, required: true, description: 'Which group to change.' }),
    name: t.string({ description: 'The new name, at most 255 characters.' }),
    description: t.string({ description: 'The new description, at most 1000 characters.' }),
  }),
});

const UpdateGroupPayload = payload('UpdateGroupPayload', 'group', GroupType);

builder.mutationField('updateGroup', (t) =>
  t.field({
    type: UpdateGroupPayload,
    nullable: true,
    description:
      'Changes the name or the description of a group. The group keeps its grants. Requires an administrator.',
    errors: { types: [InvalidArgumentError, AlreadyExistsError, FailedPreconditionError] },
    args: inputOf(UpdateGroupInput),
    resolve: async (_root, { input }, context) => ({
      group: await updateGroup(callerOf(context), input.by as GroupBy, {
        name: input.name ?? undefined,
        description: input.description ?? undefined,
      }),
    }),
  }),
);

const membersInput = (name: string, description: string) =>
  builder.inputType(name, {
    description,
    fields: (t) => ({
      by: t.field({ type: GroupByInput, required: true, description: 'Which group to change.' }),
      members: t.field({ type: [UserByInput], required: true, description: 'The users, at most 1000.' }),
    }),
  });
const AddGroupMembersInput = membersInput('AddGroupMembersInput', 'Users to add to a group.');
const RemoveGroupMembersInput = membersInput('RemoveGroupMembersInput', 'Users to remove from a group.');

const AddGroupMembersPayload = builder.objectRef<ChangedMembers>('AddGroupMembersPayload').implement({
  description: 'What `addGroupMembers` answers when it succeeds.',
  fields: (t) => ({
    group: t.expose('group', { type: GroupType, description: 'The group with its new members.' }),
    added: t.int({
      description: 'How many of the users were not members before.',
      resolve: ({ count }) => count,
    }),
  }),
});

const RemoveGroupMembersPayload = builder.objectRef<ChangedMembers>('RemoveGroupMembersPayload').implement({
  description: 'What `removeGroupMembers` answers when it succeeds.',
  fields: (t) => ({
    group: t.expose('group', { type: GroupType, description: 'The group without those members.' }),
    removed: t.int({
      description: 'How many of the users were members before.',
      resolve: ({ count }) => count,
    }),
  }),
});

builder.mutationFields((t) => ({
  addGroupMembers: t.field({
    type: AddGroupMembersPayload,
    nullable: true,
    description:
      'Adds members to a group. Users who are already members are ignored. Requires an administrator.',
    errors: { types: [InvalidArgumentError, NotFoundError, FailedPreconditionError] },
    args: inputOf(AddGroupMembersInput),
    resolve: async (_root, { input }, context) =>
      addGroupMembers(callerOf(context), input.by as GroupBy, await memberIds(input.members, context)),
  }),
  removeGroupMembers: t.field({
    type: RemoveGroupMembersPayload,
    nullable: true,
    description:
      'Removes members from a group. Users who are not members are ignored. Requires an administrator.',
    errors: { types: [InvalidArgumentError, NotFoundError, FailedPreconditionError] },
    args: inputOf(RemoveGroupMembersInput),
    resolve: async (_root, { input }, context) =>
      removeGroupMembers(callerOf(context), input.by as GroupBy, await memberIds(input.members, context)),
  }),
}));

const DeleteGroupInput = builder.inputType('DeleteGroupInput', {
  description: 'A group to delete.',
  fields: (t) => ({
    by: t.field({ type: GroupByInput, required: true, description: 'Which group to delete.' }),
  }),
});

const DeleteGroupPayload = payload(
  'DeleteGroupPayload',
  'group',
  GroupType,
  'The group as it was before it was deleted.',
);

builder.mutationField('deleteGroup', (t) =>
  t.field({
    type: DeleteGroupPayload,
    nullable: true,
    description: 'Deletes a group, its memberships and its grants. Requires an administrator.',
    errors: { types: [FailedPreconditionError] },
    args: inputOf(DeleteGroupInput),
    resolve: async (_root, { input }, context) => ({
      group: await deleteGroup(callerOf(context), input.by as GroupBy),
    }),
  }),
);

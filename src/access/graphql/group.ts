import { isAllowed } from '../../authorization/can.ts';
import {
  countGroups,
  type GroupBy,
  groupOrder,
  listGroups,
  readGroups,
} from '../../authorization/store/groups.ts';
import { builder } from '../../graphql/builder.ts';
import { type Context, callerOf } from '../../graphql/context.ts';
import { pagedList } from '../../graphql/keyset.ts';
import { GroupByInput } from '../../identity/graphql/group-by.ts';
import { PrincipalType, UserByInput, UserType } from '../../identity/graphql/user.ts';
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
import { editGroup } from '../commands/edit-group.ts';
import { removeGroupMembers } from '../commands/remove-group-members.ts';
import { groupReader } from '../group-reader.ts';

type GroupRow = { readonly id: string; readonly tenantId: string; readonly isEveryone: boolean };

/** Who is in a group is for superusers and for its members; all users of the tenant are a list for superusers. */
async function maySeeMembers(group: GroupRow, context: Context): Promise<boolean> {
  const caller = callerOf(context);
  if (group.tenantId !== caller.tenantId) return false;
  if (groupReader(caller).seesAll) return true;
  if (group.isEveryone) return false;
  if (caller.groupIds.includes(group.id)) return true;
  return (await context.loaders.groupsOfUser.load(caller.userId)).some(({ id }) => id === group.id);
}

export const GroupType = builder.prismaObject('Group', {
  description: 'Users who are granted things together.',
  fields: (t) => ({
    id: t.exposeID('id'),
    name: t.exposeString('name', {
      description: 'Unique in the tenant, without regard to case and form (NFKC).',
    }),
    description: t.exposeString('description'),
    isEveryone: t.boolean({
      description: 'Whether all users of the tenant are in it by themselves: each tenant has one such group.',
      resolve: (group) => group.isEveryone,
    }),
    memberCount: t.int({
      nullable: true,
      description: 'null for whoever may not see its members.',
      resolve: async (group, _args, context) => {
        if (!(await maySeeMembers(group, context))) return null;
        const { memberCount, userCount } = context.loaders;
        return await (group.isEveryone ? userCount.load(group.tenantId) : memberCount.load(group.id));
      },
    }),
    members: t.connection(
      {
        type: PrincipalType,
        nullable: true,
        description:
          'Its members by user name, ascending; null for whoever is neither a superuser nor one of them.',
        resolve: async (group, args, context) => {
          if (!(await maySeeMembers(group, context))) return null;
          return await pagedList(args, membersOfGroups.order, (page) =>
            context.loaders.membersOfGroup.load({ parentId: group.id, page }),
          );
        },
      },
      { name: 'GroupMemberConnection' },
      { name: 'GroupMemberEdge' },
    ),
    createdAt: t.field({ type: 'DateTime', resolve: (group) => group.createdAt }),
    updatedAt: t.field({ type: 'DateTime', resolve: (group) => group.updatedAt }),
  }),
});

builder.objectField(UserType, 'groups', (t) =>
  t.field({
    type: [GroupType],
    extensions: { listSize: 25 },
    description:
      "The user's groups, sorted by name, at most 1000. Only the user and superusers see them, with the permission `group:list`; for others the list is empty.",
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

const GroupFilterInput = builder.inputType('GroupFilter', {
  fields: (t) => ({ prefix: t.string({ description: 'How the name begins.' }) }),
});

builder.queryFields((t) => ({
  group: t.field({
    type: GroupType,
    nullable: true,
    description: 'One group; null with NOT_FOUND when it is absent or hidden.',
    args: { by: t.arg({ type: GroupByInput, required: true }) },
    resolve: async (_root, { by }, context) => {
      const [group] = await readGroups(groupReader(callerOf(context)), [by as GroupBy]);
      return group?.isVisible ? group : null;
    },
  }),
  groups: t.connection(
    {
      type: GroupType,
      description:
        'Groups by name, ascending: all of the tenant for superusers, for others those they are in.',
      args: { filter: t.arg({ type: GroupFilterInput }) },
      resolve: async (_root, { filter, ...args }, context) => {
        const reader = groupReader(callerOf(context));
        const shown = { prefix: filter?.prefix ?? null };
        const connection = await pagedList(args, groupOrder, (page) => listGroups(reader, shown, page));
        return { ...connection, count: () => countGroups(reader, shown) };
      },
    },
    {
      name: 'GroupConnection',
      fields: (t) => ({
        totalCount: t.int({
          description: 'How many there are in all; counted only when it is asked for.',
          resolve: (connection) => connection.count(),
        }),
      }),
    },
    { name: 'GroupEdge' },
  ),
}));

const MAX_MEMBERS = 1000;

type UserAddressInput = typeof UserByInput.$inferInput;

/** @throws InvalidArgumentError for too many; NotFoundError naming the first who is not there. */
async function memberIds(addresses: readonly UserAddressInput[], context: Context): Promise<string[]> {
  const path = ['input', 'members'];
  if (addresses.length > MAX_MEMBERS)
    throw InvalidArgumentError.of(path, `at most ${MAX_MEMBERS} members at once`);
  // They are about to be others.
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

type Shape = typeof GroupType.$inferType;
const groupField = (name: string) =>
  builder.objectRef<{ group: Shape }>(name).implement({
    fields: (t) => ({ group: t.field({ type: GroupType, resolve: ({ group }) => group }) }),
  });

const CreateGroupInput = builder.inputType('CreateGroupInput', {
  fields: (t) => ({
    name: t.string({ required: true, description: 'At most 255 characters.' }),
    description: t.string({ description: 'At most 1000 characters.' }),
    members: t.field({ type: [UserByInput], description: 'Users of the tenant, at most 1000.' }),
  }),
});

const CreateGroupPayload = groupField('CreateGroupPayload');

builder.mutationField('createGroup', (t) =>
  t.field({
    type: CreateGroupPayload,
    nullable: true,
    description: 'Makes a group. Needs a superuser.',
    errors: { types: [InvalidArgumentError, AlreadyExistsError, NotFoundError] },
    args: { input: t.arg({ type: CreateGroupInput, required: true }) },
    resolve: async (_root, { input }, context) => ({
      group: await createGroup(callerOf(context), {
        name: input.name,
        description: input.description ?? '',
        memberIds: await memberIds(input.members ?? [], context),
      }),
    }),
  }),
);

const EditGroupInput = builder.inputType('EditGroupInput', {
  description: 'What is left out stays as it is.',
  fields: (t) => ({
    by: t.field({ type: GroupByInput, required: true }),
    name: t.string(),
    description: t.string(),
  }),
});

const EditGroupPayload = groupField('EditGroupPayload');

builder.mutationField('editGroup', (t) =>
  t.field({
    type: EditGroupPayload,
    nullable: true,
    description: 'Renames a group, or describes it anew; its grants stay. Needs an administrator.',
    errors: { types: [InvalidArgumentError, AlreadyExistsError, FailedPreconditionError] },
    args: { input: t.arg({ type: EditGroupInput, required: true }) },
    resolve: async (_root, { input }, context) => ({
      group: await editGroup(callerOf(context), input.by as GroupBy, {
        name: input.name ?? undefined,
        description: input.description ?? undefined,
      }),
    }),
  }),
);

const GroupMembersInput = builder.inputType('GroupMembersInput', {
  fields: (t) => ({
    by: t.field({ type: GroupByInput, required: true }),
    members: t.field({ type: [UserByInput], required: true, description: 'At most 1000.' }),
  }),
});

const AddGroupMembersPayload = builder.objectRef<ChangedMembers>('AddGroupMembersPayload').implement({
  fields: (t) => ({
    group: t.field({ type: GroupType, resolve: ({ group }) => group }),
    added: t.int({ description: 'Those who were not members before.', resolve: ({ count }) => count }),
  }),
});

const RemoveGroupMembersPayload = builder.objectRef<ChangedMembers>('RemoveGroupMembersPayload').implement({
  fields: (t) => ({
    group: t.field({ type: GroupType, resolve: ({ group }) => group }),
    removed: t.int({ description: 'Those who were members until now.', resolve: ({ count }) => count }),
  }),
});

builder.mutationFields((t) => ({
  addGroupMembers: t.field({
    type: AddGroupMembersPayload,
    nullable: true,
    description: 'Makes users members; those who are already stay so. Needs an administrator.',
    errors: { types: [InvalidArgumentError, NotFoundError, FailedPreconditionError] },
    args: { input: t.arg({ type: GroupMembersInput, required: true }) },
    resolve: async (_root, { input }, context) =>
      addGroupMembers(callerOf(context), input.by as GroupBy, await memberIds(input.members, context)),
  }),
  removeGroupMembers: t.field({
    type: RemoveGroupMembersPayload,
    nullable: true,
    description: 'Takes users out of a group; those who are not in it stay so. Needs an administrator.',
    errors: { types: [InvalidArgumentError, NotFoundError, FailedPreconditionError] },
    args: { input: t.arg({ type: GroupMembersInput, required: true }) },
    resolve: async (_root, { input }, context) =>
      removeGroupMembers(callerOf(context), input.by as GroupBy, await memberIds(input.members, context)),
  }),
}));

const DeleteGroupInput = builder.inputType('DeleteGroupInput', {
  fields: (t) => ({ by: t.field({ type: GroupByInput, required: true }) }),
});

const DeleteGroupPayload = builder.objectRef<{ id: string }>('DeleteGroupPayload').implement({
  fields: (t) => ({ id: t.exposeID('id', { description: 'Of what is gone.' }) }),
});

builder.mutationField('deleteGroup', (t) =>
  t.field({
    type: DeleteGroupPayload,
    nullable: true,
    description: 'Deletes a group with its memberships and grants. Needs an administrator.',
    errors: { types: [FailedPreconditionError] },
    args: { input: t.arg({ type: DeleteGroupInput, required: true }) },
    resolve: async (_root, { input }, context) => ({
      id: await deleteGroup(callerOf(context), input.by as GroupBy),
    }),
  }),
);

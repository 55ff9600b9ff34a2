import { isAllowed } from '../../authorization/can.ts';
import { managesTenant } from '../../authorization/domain/roles.ts';
import type { User } from '../../generated/prisma/client.ts';
import type { Role, UserKind } from '../../generated/prisma/enums.ts';
import { builder } from '../../graphql/builder.ts';
import { connectionType } from '../../graphql/connection.ts';
import { type Context, callerOf } from '../../graphql/context.ts';
import { enumOf } from '../../graphql/enum.ts';
import { addressOf } from '../../graphql/input.ts';
import { pagedList } from '../../graphql/keyset.ts';
import { LevelEnum } from '../../graphql/level.ts';
import type { UserBy } from '../domain/addresses.ts';
import { findUserAt } from '../find-user.ts';
import { reachedTenantId } from '../reach.ts';
import type { PublicUser } from '../store/public-users.ts';
import type { TenantBy } from '../store/tenants.ts';
import { countUsers, listUsers, type UserFilter, type UserOrder, userOrders } from '../store/users.ts';
import { signInEnded } from '../user-gone.ts';
import { GroupByInput } from './group-by.ts';
import { TenantByInput, TenantType } from './tenant.ts';

export const RoleEnum = enumOf<Role>(
  'Role',
  'What a user may do in the tenant as a whole. On resources, grants give more.',
  {
    ROOT: 'Everything, in every tenant.',
    SYSTEM: 'Everything in the tenant, and the work of executors. Only service accounts can have this role.',
    ADMIN: 'Everything in the tenant.',
    SUPERUSER: 'Creates projects, queues and groups, and lists all users. On resources: what is granted.',
    USER: 'Creates experiments and models where the creation policy of the tenant allows it. On resources: what is granted.',
    ANNOTATOR: 'On resources: what is granted, but at most USE.',
    GUEST: 'On resources: what is granted, but at most READ.',
  },
);

export const PrincipalType = builder.objectRef<PublicUser>('Principal').implement({
  description: 'The public part of a user, which is shown wherever the API says who did something.',
  fields: (t) => ({
    id: t.exposeID('id', { description: "The user's id: a UUIDv7 that is unique across all types." }),
    username: t.exposeString('username', {
      description:
        'The name that the user signs in with, unique in the tenant. For a deleted user, the last name: another user may have it now.',
    }),
    name: t.exposeString('name', { description: 'The name for people.' }),
    deletedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When the user was deleted; null if the user is not deleted.',
      resolve: ({ deletedAt }) => deletedAt ?? null,
    }),
  }),
});

export const UserKindEnum = enumOf<UserKind>('UserKind', 'Whether a user is a person or a program.', {
  PERSON: 'A person, who signs in with a password, with Kerberos or through an outside issuer.',
  SERVICE_ACCOUNT: 'A program, which signs in with access keys only.',
});

const isSelf = (user: User, context: Context) => callerOf(context).userId === user.id;
/** Whether the caller is this user or an administrator. */
const isConfidant = (user: User, context: Context) =>
  isSelf(user, context) || managesTenant(callerOf(context).role);

/** Fields do not use `select`: every loader reads the whole row, so it is not read again. */
export const UserType = builder.prismaObject('User', {
  description: 'A person or a program that signs in.',
  fields: (t) => ({
    id: t.exposeID('id', {
      description: 'A UUIDv7 that is unique across all types. `user` finds the user by it.',
    }),
    kind: t.expose('kind', { type: UserKindEnum, description: 'Whether it is a person or a program.' }),
    username: t.exposeString('username', {
      description:
        'The name that the user signs in with. It is unique in the tenant: names are equal if they differ only in case or Unicode form (NFKC).',
    }),
    email: t.string({
      nullable: true,
      description: 'The e-mail address. Null if you are neither this user nor an administrator.',
      resolve: (user, _args, context) => (isConfidant(user, context) ? user.email : null),
    }),
    name: t.exposeString('name', { description: 'The name for people.' }),
    givenName: t.exposeString('givenName', {
      nullable: true,
      description: 'The given name, if it is known.',
    }),
    familyName: t.exposeString('familyName', {
      nullable: true,
      description: 'The family name, if it is known.',
    }),
    avatar: t.exposeString('avatar', {
      nullable: true,
      description: 'The address of a picture, if there is one.',
    }),
    role: t.expose('role', { type: RoleEnum, description: 'What the user may do in the tenant as a whole.' }),
    isAdmin: t.boolean({
      description: 'Whether the role is ADMIN, ROOT or SYSTEM.',
      resolve: (user) => managesTenant(user.role),
    }),
    isFixed: t.exposeBoolean('isFixed', {
      description:
        "Whether the server's configuration declares the user. Such a user cannot be changed here.",
    }),
    defaultLevel: t.field({
      type: LevelEnum,
      nullable: true,
      description:
        "The user's level on a resource if no grant decides; null means the default level of the tenant. Also null if you are neither this user nor an administrator.",
      resolve: (user, _args, context) => (isConfidant(user, context) ? user.defaultLevel : null),
    }),
    preferences: t.field({
      type: 'JSON',
      nullable: true,
      description:
        'An object with settings that user interfaces store for the user. Null if you are another user.',
      resolve: (user, _args, context) => (isSelf(user, context) ? user.preferences : null),
    }),
    tenant: t.field({
      type: TenantType,
      nullable: true,
      description: 'The tenant of the user. Null if your scopes do not include `tenant:read`.',
      resolve: async (user, _args, context) =>
        (await isAllowed(callerOf(context), 'tenant:read'))
          ? await context.loaders.tenant.load(user.tenantId)
          : null,
    }),
    disabledAt: t.expose('disabledAt', {
      type: 'DateTime',
      nullable: true,
      description:
        'When the user was disabled. A disabled user cannot sign in. Null if the user is not disabled.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the user was created.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When the user last changed.' }),
  }),
});

export const UserByInput = builder.inputType('UserByInput', {
  description:
    'The address of a user. Names and e-mail addresses are equal if they differ only in case or Unicode form (NFKC).',
  isOneOf: true,
  fields: (t) => ({
    id: t.id({ description: "The user's id." }),
    username: t.string({
      description: 'The user name, or the name of the tenant and the user name: `tenant/name`.',
    }),
    email: t.string({ description: "The user's e-mail address." }),
  }),
});

const UserConnection = connectionType(UserType);
export const PrincipalConnection = connectionType(PrincipalType);

const UserFilterInput = builder.inputType('UserFilterInput', {
  description: 'Which users a list shows: the users that meet all of these conditions.',
  fields: (t) => ({
    roles: t.field({ type: [RoleEnum], description: 'Only users with one of these roles.' }),
    kind: t.field({ type: UserKindEnum, description: 'Only persons, or only programs.' }),
    disabled: t.boolean({ description: 'True: only users who are disabled. False: only users who are not.' }),
    usernamePrefix: t.string({ description: 'Only users whose user names begin with this text.' }),
    group: t.field({ type: GroupByInput, description: 'Only members of this group.' }),
    tenant: t.field({
      type: TenantByInput,
      description:
        'The tenant of the users. If left out: your own. Another tenant requires the role ROOT, or SYSTEM in the first tenant.',
    }),
  }),
});

const UserOrderEnum = enumOf<UserOrder>('UserOrder', 'How a list of users is sorted.', {
  USERNAME: 'By user name, ascending.',
  NEWEST: 'By time of creation, newest first.',
});

builder.queryFields((t) => ({
  viewer: t.field({
    type: UserType,
    nullable: true,
    description: 'The user of this sign-in: you.',
    resolve: async (_root, _args, context) => {
      const user = await context.loaders.user.load(callerOf(context).userId);
      if (!user) throw signInEnded();
      return user;
    },
  }),
  user: t.field({
    type: UserType,
    nullable: true,
    description:
      'One user. Null and NOT_FOUND if the user does not exist. Other users than yourself require the role SUPERUSER or a higher one.',
    args: addressOf(UserByInput, 'user'),
    resolve: (_root, { by }, context) => findUserAt(context, by as UserBy),
  }),
  users: t.connection(
    {
      type: UserType,
      description: 'The users of a tenant. Requires the role SUPERUSER or a higher one.',
      args: {
        filter: t.arg({
          type: UserFilterInput,
          description: 'Which users to list. If left out: all of your tenant.',
        }),
        orderBy: t.arg({
          type: UserOrderEnum,
          defaultValue: 'USERNAME',
          description: 'How to sort the list.',
        }),
      },
      resolve: async (_root, { filter, orderBy, ...args }, context) => {
        const tenant = (filter?.tenant ?? null) as TenantBy | null;
        const path = ['filter', 'tenant'];
        const userFilter: UserFilter = {
          tenantId: await reachedTenantId(callerOf(context), tenant, path),
          roles: filter?.roles ?? null,
          kind: filter?.kind ?? null,
          isDisabled: filter?.disabled ?? null,
          prefix: filter?.usernamePrefix ?? null,
          group: (filter?.group ?? null) as UserFilter['group'] & object,
        };
        const order = orderBy ?? 'USERNAME';
        return await pagedList(
          args,
          userOrders[order],
          (page) => listUsers(userFilter, order, page),
          () => countUsers(userFilter),
        );
      },
    },
    UserConnection,
  ),
}));

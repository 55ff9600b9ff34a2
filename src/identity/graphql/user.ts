import { isAllowed } from '../../authorization/can.ts';
import { managesTenant } from '../../authorization/domain/roles.ts';
import type { User } from '../../generated/prisma/client.ts';
import { builder } from '../../graphql/builder.ts';
import { type Context, callerOf } from '../../graphql/context.ts';
import { pagedList } from '../../graphql/keyset.ts';
import { LevelEnum } from '../../graphql/level.ts';
import { addressedUser } from '../addressed-user.ts';
import type { UserBy } from '../domain/addresses.ts';
import { reachedTenantId } from '../reach.ts';
import type { PublicUser } from '../store/public-users.ts';
import type { TenantBy } from '../store/tenants.ts';
import { countUsers, listUsers, type UserFilter, userOrders } from '../store/users.ts';
import { signInEnded } from '../user-gone.ts';
import { GroupByInput } from './group-by.ts';
import { TenantByInput, TenantType } from './tenant.ts';

export const RoleEnum = builder.enumType('Role', {
  description: 'What a user may do in the tenant at large.',
  values: {
    ROOT: { description: 'Everything, in every tenant.' },
    SYSTEM: { description: 'Programs of the platform: executors, engines. No person has it.' },
    ADMIN: { description: 'Everything in the tenant.' },
    SUPERUSER: { description: 'Makes projects, queues and groups, and sees all users.' },
    USER: { description: 'Makes things where it may; else what is granted.' },
    ANNOTATOR: { description: 'Nothing above USE, whatever is granted.' },
    GUEST: { description: 'Nothing above READ, whatever is granted.' },
  } as const,
});

export const PrincipalType = builder.objectRef<PublicUser>('Principal').implement({
  description: 'The public identity of a user, shown wherever an action is attributed to the user.',
  fields: (t) => ({
    id: t.exposeID('id'),
    username: t.exposeString('username', {
      description: 'Of a deleted user, the name that it had: somebody else may have it now.',
    }),
    name: t.exposeString('name'),
    deletedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When the user was deleted; null for a user who is there.',
      resolve: ({ deletedAt }) => deletedAt ?? null,
    }),
  }),
});

export const UserKindEnum = builder.enumType('UserKind', {
  values: {
    PERSON: { description: 'Signs in by password, or through another service.' },
    SERVICE_ACCOUNT: { description: 'A program: signs in with access keys only.' },
  } as const,
});

const isSelf = (user: User, context: Context) => callerOf(context).userId === user.id;
/** For the user itself and those who administer. */
const isConfidant = (user: User, context: Context) =>
  isSelf(user, context) || managesTenant(callerOf(context).role);

/** Fields name no `select`: the whole row is there whoever loaded it, and is not read again. */
export const UserType = builder.prismaObject('User', {
  description: 'A person or a program that signs in.',
  fields: (t) => ({
    id: t.exposeID('id'),
    kind: t.field({ type: UserKindEnum, resolve: (user) => user.kind }),
    username: t.exposeString('username', {
      description: 'As it was written; compared without regard to case and form (NFKC).',
    }),
    email: t.string({
      nullable: true,
      description: 'Shown to the user and to administrators.',
      resolve: (user, _args, context) => (isConfidant(user, context) ? user.email : null),
    }),
    name: t.exposeString('name'),
    givenName: t.string({ nullable: true, resolve: (user) => user.givenName }),
    familyName: t.string({ nullable: true, resolve: (user) => user.familyName }),
    avatar: t.string({
      nullable: true,
      description: 'Address of a picture.',
      resolve: (user) => user.avatar,
    }),
    role: t.field({ type: RoleEnum, resolve: (user) => user.role }),
    isAdmin: t.boolean({
      description: 'Whether the role is ADMIN, ROOT or SYSTEM.',
      resolve: (user) => managesTenant(user.role),
    }),
    isFixed: t.boolean({
      description: "Declared in the server's configuration.",
      resolve: (user) => user.isFixed,
    }),
    defaultLevel: t.field({
      type: LevelEnum,
      nullable: true,
      description:
        'What the user may do where no grant decides; null: what the tenant says. Shown to the user and to administrators.',
      resolve: (user, _args, context) => (isConfidant(user, context) ? user.defaultLevel : null),
    }),
    preferences: t.field({
      type: 'JSON',
      nullable: true,
      description: 'Settings that front ends keep for the user. Shown to nobody else.',
      resolve: (user, _args, context) => (isSelf(user, context) ? user.preferences : null),
    }),
    tenant: t.field({
      type: TenantType,
      nullable: true,
      description: 'The tenant of the user. Null without the permission `tenant:read`.',
      resolve: async (user, _args, context) =>
        (await isAllowed(callerOf(context), 'tenant:read'))
          ? await context.loaders.tenant.load(user.tenantId)
          : null,
    }),
    disabledAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'Since when it cannot sign in; null: it can.',
      resolve: (user) => user.disabledAt,
    }),
    createdAt: t.field({ type: 'DateTime', resolve: (user) => user.createdAt }),
    updatedAt: t.field({ type: 'DateTime', resolve: (user) => user.updatedAt }),
  }),
});

export const UserByInput = builder.inputType('UserBy', {
  description: 'Which user. Names and addresses are compared without regard to case and form (NFKC).',
  isOneOf: true,
  fields: (t) => ({ id: t.id(), username: t.string(), email: t.string() }),
});

const UserFilterInput = builder.inputType('UserFilter', {
  fields: (t) => ({
    roles: t.field({ type: [RoleEnum], description: 'Only these roles.' }),
    kind: t.field({ type: UserKindEnum }),
    disabled: t.boolean({ description: 'Only those who cannot sign in, or only those who can.' }),
    prefix: t.string({ description: 'How the user name begins.' }),
    group: t.field({ type: GroupByInput, description: 'Only its members.' }),
    tenant: t.field({
      type: TenantByInput,
      description: "Left out: the caller's own. Another one only for those who reach all.",
    }),
  }),
});

const UserOrderEnum = builder.enumType('UserOrder', {
  values: {
    USERNAME: { description: 'By user name, ascending.' },
    NEWEST: { description: 'Those made last first.' },
  } as const,
});

builder.queryFields((t) => ({
  viewer: t.field({
    type: UserType,
    nullable: true,
    description: 'Who you are.',
    resolve: async (_root, _args, context) => {
      const user = await context.loaders.user.load(callerOf(context).userId);
      if (!user) throw signInEnded();
      return user;
    },
  }),
  user: t.field({
    type: UserType,
    nullable: true,
    description: 'One user. Whoever is no superuser may ask for itself only.',
    args: { by: t.arg({ type: UserByInput, required: true }) },
    resolve: (_root, { by }, context) => addressedUser(context, by as UserBy),
  }),
  users: t.connection(
    {
      type: UserType,
      description: 'Users of the tenant by user name, ascending, unless told otherwise. Needs a superuser.',
      args: {
        filter: t.arg({ type: UserFilterInput }),
        orderBy: t.arg({ type: UserOrderEnum, defaultValue: 'USERNAME' as const }),
      },
      resolve: async (_root, { filter, orderBy, ...args }, context) => {
        const tenant = (filter?.tenant ?? null) as TenantBy | null;
        const path = ['filter', 'tenant'];
        const shown: UserFilter = {
          tenantId: await reachedTenantId(callerOf(context), tenant, path),
          roles: filter?.roles ?? null,
          kind: filter?.kind ?? null,
          isDisabled: filter?.disabled ?? null,
          prefix: filter?.prefix ?? null,
          group: (filter?.group ?? null) as UserFilter['group'] & object,
        };
        const order = orderBy ?? 'USERNAME';
        const connection = await pagedList(args, userOrders[order], (page) => listUsers(shown, order, page));
        return { ...connection, count: () => countUsers(shown) };
      },
    },
    {
      name: 'UserConnection',
      fields: (t) => ({
        totalCount: t.int({
          description: 'How many there are in all; counted only when it is asked for.',
          resolve: (connection) => connection.count(),
        }),
      }),
    },
    { name: 'UserEdge' },
  ),
}));

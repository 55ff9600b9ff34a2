import type { User } from '../../generated/prisma/client.ts';
import { builder } from '../../graphql/builder.ts';
import { type Context, callerOf } from '../../graphql/context.ts';
import { LevelEnum } from '../../graphql/level.ts';
import {
  AlreadyExistsError,
  FailedPreconditionError,
  InvalidArgumentError,
  NotFoundError,
  ResourceExhaustedError,
} from '../../platform/errors.ts';
import { addressedUser } from '../addressed-user.ts';
import type { UserChanges } from '../commands/change-user.ts';
import { createUser } from '../commands/create-user.ts';
import { deleteUser } from '../commands/delete-user.ts';
import { editUser } from '../commands/edit-user.ts';
import { type SetPreferences, setPreferences } from '../commands/set-preferences.ts';
import { updateUserAdmin } from '../commands/update-user-admin.ts';
import { addressText, isOwn, type UserBy } from '../domain/addresses.ts';
import type { TenantBy } from '../store/tenants.ts';
import { userGone } from '../user-gone.ts';
import { TenantByInput } from './tenant.ts';
import { RoleEnum, UserByInput, UserKindEnum, UserType } from './user.ts';

/** The rule has found it a moment ago; what follows in the request reads it anew, since it is about to change. */
export async function userAt(context: Context, by: UserBy): Promise<User> {
  const user = await addressedUser(context, by);
  context.loaders.userAt.clearAll();
  const caller = callerOf(context);
  if (!user) throw userGone(caller, isOwn(caller, by) ? caller.userId : '', addressText(by));
  return user;
}

const CreateUserInput = builder.inputType('CreateUserInput', {
  description: 'A user name or an e-mail address is needed; either stands in for the other.',
  fields: (t) => ({
    username: t.string({
      description:
        'At most 255 characters, no colon, slash or control characters. Left out: the e-mail address.',
    }),
    email: t.string({ description: 'At most 254 characters.' }),
    password: t.string({
      description: '12 to 1024 characters. Left out: the user cannot sign in by password.',
    }),
    name: t.string({ description: 'For people. Left out: the user name.' }),
    givenName: t.string(),
    familyName: t.string(),
    avatar: t.string({ description: 'Address of a picture.' }),
    role: t.field({
      type: RoleEnum,
      defaultValue: 'USER' as const,
      description: "None above the caller's; but an administrator may make service accounts with SYSTEM.",
    }),
    kind: t.field({ type: UserKindEnum, defaultValue: 'PERSON' as const }),
    defaultLevel: t.field({
      type: LevelEnum,
      description: 'What the user may do where no grant decides. Left out: what the tenant says.',
    }),
    tenant: t.field({
      type: TenantByInput,
      description: "Left out: the caller's. Another one only for those who reach all.",
    }),
  }),
});

export const userPayload = (name: string) =>
  builder.objectRef<{ user: User }>(name).implement({
    fields: (t) => ({ user: t.field({ type: UserType, resolve: ({ user }) => user }) }),
  });

const CreateUserPayload = userPayload('CreateUserPayload');

builder.mutationField('createUser', (t) =>
  t.field({
    type: CreateUserPayload,
    nullable: true,
    description: 'Makes a person or a service account. Needs an administrator.',
    errors: { types: [InvalidArgumentError, AlreadyExistsError, NotFoundError, ResourceExhaustedError] },
    args: { input: t.arg({ type: CreateUserInput, required: true }) },
    resolve: async (_root, { input }, context) => ({
      user: await createUser(callerOf(context), {
        username: input.username ?? null,
        email: input.email ?? null,
        password: input.password ?? null,
        name: input.name ?? null,
        givenName: input.givenName ?? null,
        familyName: input.familyName ?? null,
        avatar: input.avatar ?? null,
        role: input.role ?? 'USER',
        kind: input.kind ?? 'PERSON',
        defaultLevel: input.defaultLevel ?? null,
        tenant: (input.tenant ?? null) as TenantBy | null,
      }),
    }),
  }),
);

const EditUserInput = builder.inputType('EditUserInput', {
  description:
    'What is left out stays as it is. Names and picture one may change oneself; the rest administrators.',
  fields: (t) => ({
    by: t.field({ type: UserByInput, required: true }),
    username: t.string(),
    email: t.string({ description: 'null takes it away.' }),
    name: t.string(),
    givenName: t.string({ description: 'null takes it away.' }),
    familyName: t.string({ description: 'null takes it away.' }),
    avatar: t.string({ description: 'Address of a picture; null takes it away.' }),
    role: t.field({ type: RoleEnum }),
    defaultLevel: t.field({ type: LevelEnum, description: 'null: what the tenant says.' }),
    disabled: t.boolean({ description: 'true ends every sign-in at once, and refuses new ones.' }),
  }),
});

interface Edited {
  readonly user: User;
  readonly isChanged: boolean;
  readonly fields: readonly string[];
}

const EditUserPayload = builder.objectRef<Edited>('EditUserPayload').implement({
  fields: (t) => ({
    user: t.field({ type: UserType, resolve: ({ user }) => user }),
    updated: t.int({
      description: '1 when anything became another; 0 when all was so already.',
      resolve: ({ isChanged }) => (isChanged ? 1 : 0),
    }),
    fields: t.stringList({
      description: 'The fields that were given.',
      resolve: ({ fields }) => [...fields],
    }),
  }),
});

builder.mutationField('editUser', (t) =>
  t.field({
    type: EditUserPayload,
    nullable: true,
    description:
      'Changes what is given of a user. Nobody demotes or disables itself, nor the last administrator of a tenant.',
    errors: { types: [InvalidArgumentError, AlreadyExistsError, FailedPreconditionError] },
    args: { input: t.arg({ type: EditUserInput, required: true }) },
    resolve: async (_root, { input: { by, ...input } }, context) => {
      // null takes away what can be absent; of the others it gives nothing.
      const changes: UserChanges = {
        ...{ username: input.username ?? undefined, name: input.name ?? undefined },
        ...{ role: input.role ?? undefined, isDisabled: input.disabled ?? undefined },
        ...{ email: input.email, defaultLevel: input.defaultLevel, avatar: input.avatar },
        ...{ givenName: input.givenName, familyName: input.familyName },
      };
      const edited = await editUser(callerOf(context), await userAt(context, by as UserBy), changes);
      const isGiven = (field: string) =>
        changes[(field === 'disabled' ? 'isDisabled' : field) as keyof UserChanges] !== undefined;
      return { ...edited, fields: Object.keys(input).filter(isGiven) };
    },
  }),
);

const UpdateUserAdminInput = builder.inputType('UpdateUserAdminInput', {
  fields: (t) => ({
    by: t.field({ type: UserByInput, required: true }),
    isAdmin: t.boolean({
      required: true,
      description: 'true: the role becomes ADMIN. false: USER, where it was ADMIN.',
    }),
  }),
});

const UpdateUserAdminPayload = userPayload('UpdateUserAdminPayload');

builder.mutationField('updateUserAdmin', (t) =>
  t.field({
    type: UpdateUserAdminPayload,
    nullable: true,
    description: 'Makes somebody an administrator, or no longer. Refused for ROOT and SYSTEM.',
    errors: { types: [FailedPreconditionError] },
    args: { input: t.arg({ type: UpdateUserAdminInput, required: true }) },
    resolve: async (_root, { input }, context) => {
      const user = await userAt(context, input.by as UserBy);
      return await updateUserAdmin(callerOf(context), user, input.isAdmin);
    },
  }),
);

const DeleteUserInput = builder.inputType('DeleteUserInput', {
  fields: (t) => ({ by: t.field({ type: UserByInput, required: true }) }),
});

const DeleteUserPayload = builder.objectRef<{ id: string }>('DeleteUserPayload').implement({
  fields: (t) => ({ id: t.exposeID('id', { description: 'Of who is gone.' }) }),
});

builder.mutationField('deleteUser', (t) =>
  t.field({
    type: DeleteUserPayload,
    nullable: true,
    description:
      'Deletes a user for good, with its access keys, memberships and grants. Needs an administrator.',
    errors: { types: [FailedPreconditionError] },
    args: { input: t.arg({ type: DeleteUserInput, required: true }) },
    resolve: async (_root, { input }, context) => {
      const user = await userAt(context, input.by as UserBy);
      return { id: await deleteUser(callerOf(context), user) };
    },
  }),
);

const SetPreferencesInput = builder.inputType('SetPreferencesInput', {
  fields: (t) => ({
    preferences: t.field({
      type: 'JSON',
      required: true,
      description:
        'An object, merged into what is there: a dotted key reaches into nested objects, null takes a key away. No key begins with $. At most 64 KiB in all.',
    }),
  }),
});

const SetPreferencesPayload = builder.objectRef<SetPreferences>('SetPreferencesPayload').implement({
  fields: (t) => ({
    preferences: t.field({ type: 'JSON', resolve: ({ preferences }) => preferences }),
    updated: t.int({
      description: '1 when anything became another; 0 when all was so already.',
      resolve: ({ isChanged }) => (isChanged ? 1 : 0),
    }),
  }),
});

builder.mutationField('setPreferences', (t) =>
  t.field({
    type: SetPreferencesPayload,
    nullable: true,
    description: 'Changes the caller’s own preferences.',
    errors: { types: [InvalidArgumentError] },
    args: { input: t.arg({ type: SetPreferencesInput, required: true }) },
    resolve: (_root, { input }, context) => setPreferences(callerOf(context), input.preferences),
  }),
);

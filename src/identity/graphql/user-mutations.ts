import type { User } from '../../generated/prisma/client.ts';
import { builder } from '../../graphql/builder.ts';
import { type Context, callerOf } from '../../graphql/context.ts';
import { inputOf } from '../../graphql/input.ts';
import { LevelEnum } from '../../graphql/level.ts';
import { payload } from '../../graphql/payload.ts';
import {
  AlreadyExistsError,
  FailedPreconditionError,
  InvalidArgumentError,
  NotFoundError,
  ResourceExhaustedError,
} from '../../platform/errors.ts';
import type { UserChanges } from '../commands/change-user.ts';
import { createUser } from '../commands/create-user.ts';
import { deleteUser } from '../commands/delete-user.ts';
import { editUser } from '../commands/edit-user.ts';
import { type UpdatePreferences, updatePreferences } from '../commands/update-preferences.ts';
import { updateUserAdmin } from '../commands/update-user-admin.ts';
import { addressText, isOwn, type UserBy } from '../domain/addresses.ts';
import { findUserAt } from '../find-user.ts';
import type { TenantBy } from '../store/tenants.ts';
import { userGone } from '../user-gone.ts';
import { TenantByInput } from './tenant.ts';
import { RoleEnum, UserByInput, UserKindEnum, UserType } from './user.ts';

/**
 * The user whom the rule has just found. The rest of the request reads the user again, because the user is about to
 * change.
 */
export async function userAt(context: Context, by: UserBy): Promise<User> {
  const user = await findUserAt(context, by);
  context.loaders.userAt.clearAll();
  const caller = callerOf(context);
  if (!user) throw userGone(caller, isOwn(caller, by) ? caller.userId : '', addressText(by));
  return user;
}

const CreateUserInput = builder.inputType('CreateUserInput', {
  description: 'A user to create. Give a user name, an e-mail address, or both.',
  fields: (t) => ({
    username: t.string({
      description:
        'The name to sign in with: at most 255 characters without colons, slashes and control characters. If left out: the e-mail address.',
    }),
    email: t.string({ description: 'The e-mail address, at most 254 characters.' }),
    password: t.string({
      description:
        'The password: 12 to 1024 characters. If left out: the user cannot sign in with a password.',
    }),
    name: t.string({ description: 'The name for people. If left out: the user name.' }),
    givenName: t.string({ description: 'The given name, if it is known.' }),
    familyName: t.string({ description: 'The family name, if it is known.' }),
    avatar: t.string({ description: 'The address of a picture.' }),
    role: t.field({
      type: RoleEnum,
      defaultValue: 'USER',
      description:
        'The role, not higher than your own. Administrators may also create service accounts with the role SYSTEM.',
    }),
    kind: t.field({ type: UserKindEnum, defaultValue: 'PERSON', description: 'A person or a program.' }),
    defaultLevel: t.field({
      type: LevelEnum,
      description:
        "The user's level on a resource if no grant decides. If left out: the default level of the tenant.",
    }),
    tenant: t.field({
      type: TenantByInput,
      description:
        'The tenant that the user will belong to. If left out: your own. Another one requires the role ROOT, or SYSTEM in the first tenant.',
    }),
  }),
});

export const userPayload = (name: `${string}Payload`) => payload(name, 'user', UserType);

const CreateUserPayload = userPayload('CreateUserPayload');

builder.mutationField('createUser', (t) =>
  t.field({
    type: CreateUserPayload,
    nullable: true,
    description: 'Creates a person or a service account. Requires an administrator.',
    errors: { types: [InvalidArgumentError, AlreadyExistsError, NotFoundError, ResourceExhaustedError] },
    args: inputOf(CreateUserInput),
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
    'The changes of a user. Fields that are left out do not change. You may change your own names and picture; everything else requires an administrator.',
  fields: (t) => ({
    by: t.field({ type: UserByInput, required: true, description: 'Which user to change.' }),
    username: t.string({ description: 'The new name to sign in with.' }),
    email: t.string({ description: 'The new e-mail address; null removes it.' }),
    name: t.string({ description: 'The new name for people.' }),
    givenName: t.string({ description: 'The new given name; null removes it.' }),
    familyName: t.string({ description: 'The new family name; null removes it.' }),
    avatar: t.string({ description: 'The new address of a picture; null removes it.' }),
    role: t.field({ type: RoleEnum, description: 'The new role, not higher than your own.' }),
    defaultLevel: t.field({
      type: LevelEnum,
      description:
        "The user's new level on a resource if no grant decides; null means the default level of the tenant.",
    }),
    disabled: t.boolean({
      description:
        'True: all sign-ins of the user end at once, and the user cannot sign in. False: the user can sign in again.',
    }),
  }),
});

interface Edited {
  readonly user: User;
  readonly isChanged: boolean;
  readonly fields: readonly string[];
}

const EditUserPayload = builder.objectRef<Edited>('EditUserPayload').implement({
  description: 'What `editUser` answers when it succeeds.',
  fields: (t) => ({
    user: t.expose('user', { type: UserType, description: 'The user after the changes.' }),
    updated: t.int({
      description:
        'The number of users that changed: 1, or 0 if nothing was different. This field comes from ClearML.',
      resolve: ({ isChanged }) => (isChanged ? 1 : 0),
    }),
    fields: t.stringList({
      description:
        'The names of the fields in the input, even if their values did not change. This field comes from ClearML.',
      resolve: ({ fields }) => [...fields],
    }),
  }),
});

builder.mutationField('editUser', (t) =>
  t.field({
    type: EditUserPayload,
    nullable: true,
    description:
      'Changes a user. You cannot disable yourself or lower your own role, and nobody can do this to the last administrator of a tenant.',
    errors: { types: [InvalidArgumentError, AlreadyExistsError, FailedPreconditionError] },
    args: inputOf(EditUserInput),
    resolve: async (_root, { input: { by, ...input } }, context) => {
      // Null removes a field that may be absent. For the other fields it means no change.
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
  description: 'A user who becomes an administrator, or stops being one.',
  fields: (t) => ({
    by: t.field({ type: UserByInput, required: true, description: 'Which user to change.' }),
    isAdmin: t.boolean({
      required: true,
      description:
        'True: the user gets the role ADMIN. False: a user with the role ADMIN gets the role USER.',
    }),
  }),
});

const UpdateUserAdminPayload = userPayload('UpdateUserAdminPayload');

builder.mutationField('updateUserAdmin', (t) =>
  t.field({
    type: UpdateUserAdminPayload,
    nullable: true,
    description:
      'Gives a user the role ADMIN, or takes it away. Requires an administrator. Refused for users with the role ROOT or SYSTEM.',
    errors: { types: [FailedPreconditionError] },
    args: inputOf(UpdateUserAdminInput),
    resolve: async (_root, { input }, context) => {
      const user = await userAt(context, input.by as UserBy);
      return await updateUserAdmin(callerOf(context), user, input.isAdmin);
    },
  }),
);

const DeleteUserInput = builder.inputType('DeleteUserInput', {
  description: 'A user to delete.',
  fields: (t) => ({
    by: t.field({ type: UserByInput, required: true, description: 'Which user to delete.' }),
  }),
});

const DeleteUserPayload = payload(
  'DeleteUserPayload',
  'user',
  UserType,
  'The user as it was before it was deleted.',
);

builder.mutationField('deleteUser', (t) =>
  t.field({
    type: DeleteUserPayload,
    nullable: true,
    description:
      'Deletes a user permanently, with the access keys, memberships and grants of the user. Requires an administrator.',
    errors: { types: [FailedPreconditionError] },
    args: inputOf(DeleteUserInput),
    resolve: async (_root, { input }, context) => {
      const user = await userAt(context, input.by as UserBy);
      return { user: await deleteUser(callerOf(context), user) };
    },
  }),
);

const UpdatePreferencesInput = builder.inputType('UpdatePreferencesInput', {
  description: 'The changes of your own preferences.',
  fields: (t) => ({
    preferences: t.field({
      type: 'JSON',
      required: true,
      description:
        'An object that is merged into the preferences. A key with dots, such as `a.b`, changes a value inside of a nested object; null removes a key. Keys must not begin with $. All preferences together have at most 64 KiB.',
    }),
  }),
});

const UpdatePreferencesPayload = builder.objectRef<UpdatePreferences>('UpdatePreferencesPayload').implement({
  description: 'What `updatePreferences` answers when it succeeds.',
  fields: (t) => ({
    preferences: t.field({
      type: 'JSON',
      description: 'All preferences after the changes.',
      resolve: ({ preferences }) => preferences,
    }),
    updated: t.int({
      description:
        'The number of users that changed: 1, or 0 if nothing was different. This field comes from ClearML.',
      resolve: ({ isChanged }) => (isChanged ? 1 : 0),
    }),
  }),
});

builder.mutationField('updatePreferences', (t) =>
  t.field({
    type: UpdatePreferencesPayload,
    nullable: true,
    description: 'Changes your own preferences.',
    errors: { types: [InvalidArgumentError] },
    args: inputOf(UpdatePreferencesInput),
    resolve: (_root, { input }, context) => updatePreferences(callerOf(context), input.preferences),
  }),
);

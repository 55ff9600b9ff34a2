import { builder } from '../../graphql/builder.ts';
import { callerOf } from '../../graphql/context.ts';
import { inputOf } from '../../graphql/input.ts';
import type { UserBy } from '../../identity/domain/addresses.ts';
import { UserByInput } from '../../identity/graphql/user.ts';
import { userAt, userPayload } from '../../identity/graphql/user-mutations.ts';
import {
  FailedPreconditionError,
  InvalidArgumentError,
  ResourceExhaustedError,
} from '../../platform/errors.ts';
import { updateUserPassword } from '../commands/update-user-password.ts';

const UpdateUserPasswordInput = builder.inputType('UpdateUserPasswordInput', {
  description: 'A new password for a user.',
  fields: (t) => ({
    by: t.field({ type: UserByInput, description: 'The user who gets the new password. If left out: you.' }),
    password: t.string({ required: true, description: 'The new password: 12 to 1024 characters.' }),
    currentPassword: t.string({ description: 'The current password. Required to change your own.' }),
  }),
});

const UpdateUserPasswordPayload = userPayload('UpdateUserPasswordPayload');

builder.mutationField('updateUserPassword', (t) =>
  t.field({
    type: UpdateUserPasswordPayload,
    nullable: true,
    description:
      'Sets the password of a user. Another user than yourself requires an administrator. The old password and all older tokens stop working at once.',
    errors: { types: [InvalidArgumentError, FailedPreconditionError, ResourceExhaustedError] },
    args: inputOf(UpdateUserPasswordInput),
    resolve: async (_root, { input }, context) => {
      const caller = callerOf(context);
      const user = await userAt(context, (input.by ?? { id: caller.userId }) as UserBy);
      const { password, currentPassword = null } = input;
      return { user: await updateUserPassword(caller, user, { password, currentPassword }) };
    },
  }),
);

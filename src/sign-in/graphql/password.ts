import { builder } from '../../graphql/builder.ts';
import { callerOf } from '../../graphql/context.ts';
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
  fields: (t) => ({
    by: t.field({ type: UserByInput, description: 'Left out: the caller.' }),
    password: t.string({ required: true, description: 'The new one: 12 to 1024 characters.' }),
    currentPassword: t.string({ description: 'Needed to change one’s own.' }),
  }),
});

const UpdateUserPasswordPayload = userPayload('UpdateUserPasswordPayload');

builder.mutationField('updateUserPassword', (t) =>
  t.field({
    type: UpdateUserPasswordPayload,
    nullable: true,
    description:
      'Sets a password, one’s own or as an administrator. The old one stops at once, and so do all tokens made before.',
    errors: { types: [InvalidArgumentError, FailedPreconditionError, ResourceExhaustedError] },
    args: { input: t.arg({ type: UpdateUserPasswordInput, required: true }) },
    resolve: async (_root, { input }, context) => {
      const caller = callerOf(context);
      const user = await userAt(context, (input.by ?? { id: caller.userId }) as UserBy);
      const { password, currentPassword = null } = input;
      return { user: await updateUserPassword(caller, user, { password, currentPassword }) };
    },
  }),
);

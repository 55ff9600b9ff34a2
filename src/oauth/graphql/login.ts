import { builder } from '../../graphql/builder.ts';
import { callerOf } from '../../graphql/context.ts';
import { InvalidArgumentError } from '../../platform/errors.ts';
import { login } from '../commands/login.ts';

const LoginPayload = builder.objectRef<{ token: string; expiresAt: Date }>('LoginPayload').implement({
  fields: (t) => ({
    token: t.exposeString('token', {
      description: 'For `Authorization: Bearer`. Shown only here.',
    }),
    expiresAt: t.field({
      type: 'DateTime',
      resolve: (payload) => payload.expiresAt,
    }),
  }),
});

const LoginInput = builder.inputType('LoginInput', {
  fields: (t) => ({
    expiresIn: t.field({
      type: 'Duration',
      description: 'How long the token lives: a second to 365 days; left out, what the server is set to.',
    }),
  }),
});

builder.mutationField('login', (t) =>
  t.field({
    type: LoginPayload,
    nullable: true,
    description: 'A new token for the caller, who signs in to this very request with Basic, or with a token.',
    errors: { types: [InvalidArgumentError] },
    args: { input: t.arg({ type: LoginInput }) },
    resolve: (_root, { input }, context) => login(callerOf(context), input?.expiresIn ?? null),
  }),
);

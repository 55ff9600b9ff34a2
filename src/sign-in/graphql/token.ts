import { builder } from '../../graphql/builder.ts';
import { callerOf } from '../../graphql/context.ts';
import type { UserBy } from '../../identity/domain/addresses.ts';
import { UserByInput } from '../../identity/graphql/user.ts';
import { InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { createTokenForUser } from '../commands/create-token-for-user.ts';
import { type TokenValidation, validateToken } from '../validate-token.ts';

const CreateTokenForUserInput = builder.inputType('CreateTokenForUserInput', {
  fields: (t) => ({
    user: t.field({ type: UserByInput, required: true }),
    tenant: t.id({ description: "The id of the user's tenant; left out, the caller's own." }),
    expiresIn: t.field({
      type: 'Duration',
      description: 'How long the token lives: a second to 365 days; left out, what the server is set to.',
    }),
  }),
});

const CreateTokenForUserPayload = builder
  .objectRef<{ token: string; expiresAt: Date }>('CreateTokenForUserPayload')
  .implement({
    fields: (t) => ({
      token: t.exposeString('token', { description: 'For `Authorization: Bearer`. Shown only here.' }),
      expiresAt: t.field({ type: 'DateTime', resolve: (payload) => payload.expiresAt }),
    }),
  });

builder.mutationField('createTokenForUser', (t) =>
  t.field({
    type: CreateTokenForUserPayload,
    nullable: true,
    description:
      'A token for a user. It remembers who asked for it, and ends with either sign-in. Root, and the system of the first tenant, may ask for users of any tenant, administrators for those of theirs, everyone for themselves; nobody for somebody above them.',
    errors: { types: [InvalidArgumentError, NotFoundError] },
    args: { input: t.arg({ type: CreateTokenForUserInput, required: true }) },
    resolve: (_root, { input }, context) =>
      createTokenForUser(callerOf(context), {
        user: input.user as UserBy,
        tenantId: input.tenant ?? null,
        expiresInMs: input.expiresIn ?? null,
      }),
  }),
);

const TokenUser = builder.objectRef<NonNullable<TokenValidation['user']>>('TokenUser').implement({
  description: 'Whom a token stands for.',
  fields: (t) => ({
    id: t.exposeID('id'),
    username: t.exposeString('username'),
    name: t.exposeString('name'),
  }),
});

const TokenValidationType = builder.objectRef<TokenValidation>('TokenValidation').implement({
  description: 'What became of a token.',
  fields: (t) => ({
    valid: t.exposeBoolean('valid', { description: 'Whether it signs in now.' }),
    user: t.field({
      type: TokenUser,
      nullable: true,
      description:
        'Also of a token that is not valid any more and of a user who was deleted; null when it is no token of this server.',
      resolve: (validation) => validation.user,
    }),
    tenant: t.exposeID('tenantId', { nullable: true, description: "The id of the user's tenant." }),
    expiresAt: t.field({ type: 'DateTime', nullable: true, resolve: (validation) => validation.expiresAt }),
    message: t.exposeString('message', { nullable: true, description: 'Why it is not valid, for people.' }),
  }),
});

builder.queryField('validateToken', (t) =>
  t.field({
    type: TokenValidationType,
    nullable: true,
    description:
      "Whether a token is good, and whose. A bad one is an answer, no error. Root and system may ask about any, others about their own; another's looks like none.",
    args: { token: t.arg.string({ required: true, description: 'As it stands behind `Bearer`.' }) },
    resolve: (_root, { token }, context) => validateToken(callerOf(context), token),
  }),
);

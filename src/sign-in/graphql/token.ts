import { builder } from '../../graphql/builder.ts';
import { callerOf } from '../../graphql/context.ts';
import { inputOf } from '../../graphql/input.ts';
import type { UserBy } from '../../identity/domain/addresses.ts';
import { TenantByInput } from '../../identity/graphql/tenant.ts';
import { UserByInput } from '../../identity/graphql/user.ts';
import type { TenantBy } from '../../identity/store/tenants.ts';
import { InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { createTokenForUser } from '../commands/create-token-for-user.ts';
import { type TokenValidation, validateToken } from '../validate-token.ts';

const CreateTokenForUserInput = builder.inputType('CreateTokenForUserInput', {
  description: 'A token to issue for a user.',
  fields: (t) => ({
    user: t.field({ type: UserByInput, required: true, description: 'The user of the token.' }),
    tenant: t.field({
      type: TenantByInput,
      description:
        "The user's tenant. If left out: your own. Another one requires the role ROOT, or SYSTEM in the first tenant.",
    }),
    expiresIn: t.field({
      type: 'Duration',
      description: "How long the token is valid: a second to 365 days. If left out: the server's default.",
    }),
  }),
});

const CreateTokenForUserPayload = builder
  .objectRef<{ token: string; expiresAt: Date }>('CreateTokenForUserPayload')
  .implement({
    description: 'What `createTokenForUser` answers when it succeeds.',
    fields: (t) => ({
      token: t.exposeString('token', {
        description: 'The token, for `Authorization: Bearer`. It is shown only here.',
      }),
      expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'When the token ends.' }),
    }),
  });

builder.mutationField('createTokenForUser', (t) =>
  t.field({
    type: CreateTokenForUserPayload,
    nullable: true,
    description:
      'Issues a token for a user. Users of your tenant require an administrator; users of other tenants require the role ROOT, or SYSTEM in the first tenant. You cannot issue a token for a user with a higher role than yours. The token records who asked for it, and ends when the sign-in of you or of the user ends.',
    errors: { types: [InvalidArgumentError, NotFoundError] },
    args: inputOf(CreateTokenForUserInput),
    resolve: (_root, { input }, context) =>
      createTokenForUser(callerOf(context), {
        user: input.user as UserBy,
        tenant: (input.tenant ?? null) as TenantBy | null,
        expiresInMs: input.expiresIn ?? null,
      }),
  }),
);

const TokenUser = builder.objectRef<NonNullable<TokenValidation['user']>>('TokenUser').implement({
  description: 'The user of a token.',
  fields: (t) => ({
    id: t.exposeID('id', { description: "The user's id: a UUIDv7 that is unique across all types." }),
    username: t.exposeString('username', { description: 'The name that the user signs in with.' }),
    name: t.exposeString('name', { description: 'The name for people.' }),
  }),
});

const TokenValidationType = builder.objectRef<TokenValidation>('TokenValidation').implement({
  description: 'Whether a token is valid, and for which user.',
  fields: (t) => ({
    valid: t.exposeBoolean('valid', { description: 'Whether the token is valid now.' }),
    user: t.field({
      type: TokenUser,
      nullable: true,
      description:
        'The user of the token, even if the token has ended or the user was deleted. Null if this server did not issue the token, or if you may not ask about it.',
      resolve: (validation) => validation.user,
    }),
    tenantId: t.exposeID('tenantId', {
      nullable: true,
      description: "The id of the user's tenant; null if `user` is null.",
    }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the token ends or has ended; null if `user` is null.',
    }),
    message: t.exposeString('message', {
      nullable: true,
      description: 'Why the token is not valid, for people; null if it is valid.',
    }),
  }),
});

builder.queryField('validateToken', (t) =>
  t.field({
    type: TokenValidationType,
    nullable: true,
    description:
      'Whether a token is valid, and for which user. An invalid token is not an error: the answer says why it is not valid. You may ask about your own tokens, with the role SYSTEM about all tokens of your tenant, and with the role ROOT, or SYSTEM in the first tenant, about all tokens. For other tokens the answer is the same as for a text that is not a token.',
    args: { token: t.arg.string({ required: true, description: 'The token, without the word `Bearer`.' }) },
    resolve: (_root, { token }, context) => validateToken(callerOf(context), token),
  }),
);

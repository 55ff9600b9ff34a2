import { builder } from '../../graphql/builder.ts';
import { callerOf } from '../../graphql/context.ts';
import { inputOf } from '../../graphql/input.ts';
import type { UserBy } from '../../identity/domain/addresses.ts';
import { ActorInterface } from '../../identity/graphql/actor.ts';
import { TenantByInput } from '../../identity/graphql/tenant.ts';
import { UserByInput } from '../../identity/graphql/user.ts';
import type { TenantBy } from '../../identity/store/tenants.ts';
import { InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { createTokenForUser } from '../commands/create-token-for-user.ts';
import { type TokenValidation, validateToken } from '../validate-token.ts';

const CreateTokenForUserInput = builder.inputType('CreateTokenForUserInput', {
  description: 'A token to issue for a user.',
  fields: (t) => ({
    user: t.field({ type: UserByInput, required: true, description: 'The user that the token signs in.' }),
    tenant: t.field({
      type: TenantByInput,
      description:
        "The user's tenant. Left out: your own. Another one requires the role ROOT, or SYSTEM in the first tenant.",
    }),
    expiresIn: t.field({
      type: 'Duration',
      description: 'How long the token lives: a second to 365 days. Left out: as the server is configured.',
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
      'Issues a token for a user. It remembers who asked for it, and ends with the sign-in of either. You may ask for yourself, as an administrator for users of your tenant, and with the role ROOT, or SYSTEM in the first tenant, for all; never for a user of a role above yours.',
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
  description: 'The user that a token signs in.',
  interfaces: [ActorInterface],
  fields: (t) => ({
    username: t.exposeString('username', { description: 'The name that the user signs in with.' }),
    name: t.exposeString('name', { description: 'The name that people read.' }),
  }),
});

const TokenValidationType = builder.objectRef<TokenValidation>('TokenValidation').implement({
  description: 'What the server knows of a token.',
  fields: (t) => ({
    valid: t.exposeBoolean('valid', { description: 'Whether the token signs in now.' }),
    user: t.field({
      type: TokenUser,
      nullable: true,
      description:
        'The user that it signs in, or did while it was valid; also after the user was deleted. Null when it is not a token of this server.',
      resolve: (validation) => validation.user,
    }),
    tenantId: t.exposeID('tenantId', {
      nullable: true,
      description: "The id of the user's tenant; null when the user is.",
    }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it ends or has ended; null when it is not a token of this server.',
    }),
    message: t.exposeString('message', {
      nullable: true,
      description: 'Why it is not valid, for people; null when it is.',
    }),
  }),
});

builder.queryField('validateToken', (t) =>
  t.field({
    type: TokenValidationType,
    nullable: true,
    description:
      "Whether a token is valid, and which user it signs in. An invalid token is an answer, not an error. With the role ROOT or SYSTEM you may ask about every token, otherwise about your own; another user's looks like no token.",
    args: { token: t.arg.string({ required: true, description: 'The token, as it stands after `Bearer`.' }) },
    resolve: (_root, { token }, context) => validateToken(callerOf(context), token),
  }),
);

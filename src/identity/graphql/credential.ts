import type { Credential } from '../../generated/prisma/client.ts';
import { builder } from '../../graphql/builder.ts';
import { callerOf } from '../../graphql/context.ts';
import { pagedList } from '../../graphql/keyset.ts';
import {
  FailedPreconditionError,
  InvalidArgumentError,
  NotFoundError,
  ResourceExhaustedError,
} from '../../platform/errors.ts';
import { createCredentials, type MadeCredentials } from '../commands/create-credentials.ts';
import { editCredentials } from '../commands/edit-credentials.ts';
import { revokeCredentials } from '../commands/revoke-credentials.ts';
import type { UserBy } from '../domain/addresses.ts';
import { scopesOf } from '../domain/credentials.ts';
import { credentialOrder, listCredentials } from '../list-credentials.ts';
import { UserByInput } from './user.ts';

/** Without the hash of its secret. */
export type CredentialRow = Omit<Credential, 'secretHash'>;

const CredentialType = builder.objectRef<CredentialRow>('Credential').implement({
  description: 'An access key: how programs sign in. Its secret was shown when it was made.',
  fields: (t) => ({
    id: t.exposeID('id'),
    accessKey: t.exposeString('accessKey', {
      description: 'The user name of Basic; the secret is the password.',
    }),
    label: t.exposeString('label', { nullable: true }),
    scopes: t.stringList({
      nullable: true,
      description:
        'The permissions that the key is limited to, such as `execution:read`, `execution:*` or `*:read`. Null: the key may do all that its user may do.',
      resolve: (row) => scopesOf(row),
    }),
    expiresAt: t.field({ type: 'DateTime', nullable: true, resolve: (row) => row.expiresAt }),
    lastUsedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'To a minute. Tokens that were made with it do not count.',
      resolve: (row) => row.lastUsedAt,
    }),
    lastUsedFrom: t.exposeString('lastUsedFrom', {
      nullable: true,
      description: 'What the program called itself in `X-Slipway-Worker`, else its address.',
    }),
    createdAt: t.field({ type: 'DateTime', resolve: (row) => row.createdAt }),
    revokedAt: t.field({ type: 'DateTime', nullable: true, resolve: (row) => row.revokedAt }),
  }),
});

builder.queryField('credentials', (t) =>
  t.connection(
    {
      type: CredentialType,
      nullable: true,
      description: "A user's access keys, newest first.",
      args: {
        user: t.arg({
          type: UserByInput,
          description: "Whose; left out, the caller's own. Another's needs an administrator.",
        }),
        withRevoked: t.arg.boolean({ defaultValue: false, description: 'Also those that were revoked.' }),
      },
      resolve: async (_root, { user, withRevoked, ...args }, context) => {
        const asked = { user: (user ?? null) as UserBy | null, withRevoked: withRevoked ?? false };
        return await pagedList(args, credentialOrder, (page) =>
          listCredentials(callerOf(context), asked, page),
        );
      },
    },
    { name: 'CredentialConnection' },
    { name: 'CredentialEdge' },
  ),
);

const CreateCredentialsInput = builder.inputType('CreateCredentialsInput', {
  fields: (t) => ({
    user: t.field({
      type: UserByInput,
      description: "Whose; left out, the caller's own. Another's needs an administrator.",
    }),
    label: t.string({ description: 'For people; at most 255 characters.' }),
    expiresAt: t.field({ type: 'DateTime', description: 'When it ends by itself; left out, never.' }),
    scopes: t.stringList({
      description:
        'Limits the key to permissions such as `execution:read`, `execution:*` or `*:read`: 1 to 50 of them. `executor` is for users of role SYSTEM. Left out, the key may do as much as this sign-in.',
    }),
  }),
});

const CreateCredentialsPayload = builder.objectRef<MadeCredentials>('CreateCredentialsPayload').implement({
  fields: (t) => ({
    credential: t.field({ type: CredentialType, resolve: ({ credential }) => credential }),
    accessKey: t.string({ resolve: ({ credential }) => credential.accessKey }),
    secretKey: t.exposeString('secretKey', { description: 'Shown only here.' }),
  }),
});

const EditCredentialsInput = builder.inputType('EditCredentialsInput', {
  fields: (t) => ({
    accessKey: t.string({ required: true }),
    label: t.string({ description: 'At most 255 characters; left out, the label is cleared.' }),
    expiresAt: t.field({
      type: 'DateTime',
      description: 'When it ends by itself; null for never; left out, as it was.',
    }),
  }),
});

const EditCredentialsPayload = builder
  .objectRef<{ credential: CredentialRow }>('EditCredentialsPayload')
  .implement({
    fields: (t) => ({
      credential: t.field({ type: CredentialType, resolve: ({ credential }) => credential }),
    }),
  });

const RevokeCredentialsInput = builder.inputType('RevokeCredentialsInput', {
  fields: (t) => ({ accessKey: t.string({ required: true }) }),
});

const RevokeCredentialsPayload = builder
  .objectRef<{ revoked: number }>('RevokeCredentialsPayload')
  .implement({
    fields: (t) => ({ revoked: t.exposeInt('revoked', { description: 'How many were: 1.' }) }),
  });

builder.mutationFields((t) => ({
  createCredentials: t.field({
    type: CreateCredentialsPayload,
    nullable: true,
    description: 'Makes an access key and its secret, which is shown once. At most 100 a user.',
    errors: { types: [InvalidArgumentError, NotFoundError, FailedPreconditionError, ResourceExhaustedError] },
    args: { input: t.arg({ type: CreateCredentialsInput, required: true }) },
    resolve: (_root, { input }, context) =>
      createCredentials(callerOf(context), {
        user: (input.user ?? null) as UserBy | null,
        label: input.label ?? null,
        expiresAt: input.expiresAt ?? null,
        scopes: input.scopes ?? null,
      }),
  }),
  editCredentials: t.field({
    type: EditCredentialsPayload,
    nullable: true,
    description: 'Changes the label and the end of an access key.',
    errors: { types: [InvalidArgumentError, NotFoundError] },
    args: { input: t.arg({ type: EditCredentialsInput, required: true }) },
    resolve: async (_root, { input }, context) => ({
      credential: await editCredentials(callerOf(context), {
        accessKey: input.accessKey,
        label: input.label ?? null,
        expiresAt: input.expiresAt,
      }),
    }),
  }),
  revokeCredentials: t.field({
    type: RevokeCredentialsPayload,
    nullable: true,
    description:
      'Ends an access key, and every token that was made with it: at once here, within a second on every server.',
    errors: { types: [NotFoundError] },
    args: { input: t.arg({ type: RevokeCredentialsInput, required: true }) },
    resolve: async (_root, { input }, context) => {
      await revokeCredentials(callerOf(context), input.accessKey);
      return { revoked: 1 };
    },
  }),
}));

import type { Credential } from '../../generated/prisma/client.ts';
import { builder } from '../../graphql/builder.ts';
import { connectionType } from '../../graphql/connection.ts';
import { callerOf } from '../../graphql/context.ts';
import { inputOf } from '../../graphql/input.ts';
import { pagedList } from '../../graphql/keyset.ts';
import { payload } from '../../graphql/payload.ts';
import {
  FailedPreconditionError,
  InvalidArgumentError,
  NotFoundError,
  ResourceExhaustedError,
} from '../../platform/errors.ts';
import { createCredentials, type MadeCredentials } from '../commands/create-credentials.ts';
import { editCredentials } from '../commands/edit-credentials.ts';
import { revokeCredentials } from '../commands/revoke-credentials.ts';
import type { CredentialBy, UserBy } from '../domain/addresses.ts';
import { scopesOf } from '../domain/credentials.ts';
import { countCredentials, credentialOrder, listCredentials, listedOwnerId } from '../list-credentials.ts';
import { UserByInput } from './user.ts';

/** Without the hash of its secret. */
export type CredentialRow = Omit<Credential, 'secretHash'>;

const CredentialType = builder.objectRef<CredentialRow>('Credential').implement({
  description:
    'An access key, which a program signs in with. Its secret was keyFilter once, when it was created.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'An opaque UUIDv7, unique over all types. The audit log names it.' }),
    accessKey: t.exposeString('accessKey', {
      description: 'The public half: the user name of Basic. The secret is the password.',
    }),
    label: t.exposeString('label', {
      nullable: true,
      description: 'What people call it; null when nobody said.',
    }),
    scopes: t.stringList({
      nullable: true,
      description:
        'The permissions that the key is limited to, such as `execution:read`, `execution:*` or `*:read`. Null: the key may do all that its user may do.',
      resolve: (row) => scopesOf(row),
    }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it ends by itself; null for never.',
    }),
    lastUsedAt: t.expose('lastUsedAt', {
      type: 'DateTime',
      nullable: true,
      description:
        'When it last signed in, to the minute; null when it never did. Tokens made with it do not count.',
    }),
    lastUsedFrom: t.exposeString('lastUsedFrom', {
      nullable: true,
      description:
        'Who last signed in with it: what the program called itself in `X-Slipway-Worker`, otherwise its IP address.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was created.' }),
    revokedAt: t.expose('revokedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was revoked; null while it is not.',
    }),
  }),
});

const CredentialConnection = connectionType(CredentialType);

builder.queryField('credentials', (t) =>
  t.connection(
    {
      type: CredentialType,
      description: 'The access keys of a user, newest first.',
      args: {
        user: t.arg({
          type: UserByInput,
          description: "Whose keys. Left out: your own. Another user's require an administrator.",
        }),
        withRevoked: t.arg.boolean({ defaultValue: false, description: 'List revoked keys as well.' }),
      },
      resolve: async (_root, { user, withRevoked, ...args }, context) => {
        const userId = await listedOwnerId(callerOf(context), (user ?? null) as UserBy | null);
        const keyFilter = { userId, withRevoked: withRevoked ?? false };
        return await pagedList(
          args,
          credentialOrder,
          (page) => listCredentials(keyFilter, page),
          () => countCredentials(keyFilter),
        );
      },
    },
    CredentialConnection,
  ),
);

const CreateCredentialsInput = builder.inputType('CreateCredentialsInput', {
  description: 'An access key to create.',
  fields: (t) => ({
    user: t.field({
      type: UserByInput,
      description: "Whose key it will be. Left out: your own. Another user's requires an administrator.",
    }),
    label: t.string({ description: 'What people call it, at most 255 characters.' }),
    expiresAt: t.field({
      type: 'DateTime',
      description:
        'When it ends by itself. Left out: never, or with a sign-in that has an end of its own, such as an access key or the token of an outside issuer. No later than that.',
    }),
    scopes: t.stringList({
      description:
        'Limits the key to permissions such as `execution:read`, `execution:*` or `*:read`: 1 to 50 of them. `executor` is for users of the role SYSTEM. Left out: the key may do as much as this sign-in.',
    }),
  }),
});

const CreateCredentialsPayload = builder.objectRef<MadeCredentials>('CreateCredentialsPayload').implement({
  description: 'What `createCredentials` answers when it succeeds.',
  fields: (t) => ({
    credential: t.expose('credential', { type: CredentialType, description: 'The access key.' }),
    accessKey: t.string({
      description: 'The public half: the user name of Basic.',
      resolve: ({ credential }) => credential.accessKey,
    }),
    secretKey: t.exposeString('secretKey', {
      description: 'The secret half: the password of Basic. It is keyFilter only here.',
    }),
  }),
});

const CredentialByInput = builder.inputType('CredentialByInput', {
  description: 'The address of an access key.',
  isOneOf: true,
  fields: (t) => ({
    id: t.id({ description: 'The id of the credential.' }),
    accessKey: t.string({ description: 'The public half of the key.' }),
  }),
});

const EditCredentialsInput = builder.inputType('EditCredentialsInput', {
  description: 'Changes of an access key.',
  fields: (t) => ({
    by: t.field({ type: CredentialByInput, required: true, description: 'Which key to change.' }),
    label: t.string({
      description: 'The new label, at most 255 characters. Left out: the label is removed.',
    }),
    expiresAt: t.field({
      type: 'DateTime',
      description: 'When it ends by itself; null for never. Left out: as it was.',
    }),
  }),
});

const EditCredentialsPayload = payload('EditCredentialsPayload', 'credential', CredentialType);

const RevokeCredentialsInput = builder.inputType('RevokeCredentialsInput', {
  description: 'An access key to revoke.',
  fields: (t) => ({
    by: t.field({ type: CredentialByInput, required: true, description: 'Which key to revoke.' }),
  }),
});

const RevokeCredentialsPayload = builder
  .objectRef<{ credential: CredentialRow }>('RevokeCredentialsPayload')
  .implement({
    description: 'What `revokeCredentials` answers when it succeeds.',
    fields: (t) => ({
      credential: t.expose('credential', {
        type: CredentialType,
        description: 'The access key, which is revoked.',
      }),
      revoked: t.int({
        description: 'How many keys were revoked: always 1. Source: ClearML.',
        resolve: () => 1,
      }),
    }),
  });

builder.mutationFields((t) => ({
  createCredentials: t.field({
    type: CreateCredentialsPayload,
    nullable: true,
    description:
      'Creates an access key and its secret, which is keyFilter once. A user has at most 100 keys.',
    errors: { types: [InvalidArgumentError, NotFoundError, FailedPreconditionError, ResourceExhaustedError] },
    args: inputOf(CreateCredentialsInput),
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
    description:
      'Changes the label and the expiry of an access key: your own, or any of the tenant as an administrator.',
    errors: { types: [InvalidArgumentError, NotFoundError] },
    args: inputOf(EditCredentialsInput),
    resolve: async (_root, { input }, context) => ({
      credential: await editCredentials(callerOf(context), input.by as CredentialBy, {
        label: input.label ?? null,
        expiresAt: input.expiresAt,
      }),
    }),
  }),
  revokeCredentials: t.field({
    type: RevokeCredentialsPayload,
    nullable: true,
    description:
      'Ends an access key and every token that was made with it: at once on this server, within a second on all. Your own, or any of the tenant as an administrator.',
    errors: { types: [NotFoundError] },
    args: inputOf(RevokeCredentialsInput),
    resolve: async (_root, { input }, context) => ({
      credential: await revokeCredentials(callerOf(context), input.by as CredentialBy),
    }),
  }),
}));

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

/** The row without the hash of the secret. */
export type CredentialRow = Omit<Credential, 'secretHash'>;

const CredentialType = builder.objectRef<CredentialRow>('Credential').implement({
  description:
    'An access key, with which a program signs in. Its secret is shown only once, when the key is created.',
  fields: (t) => ({
    id: t.exposeID('id', {
      description: 'A UUIDv7 that is unique across all types. The audit log names it.',
    }),
    accessKey: t.exposeString('accessKey', {
      description:
        'The public part, which is the user name of `Authorization: Basic`. The secret is the password.',
    }),
    label: t.exposeString('label', {
      nullable: true,
      description: 'The name that people gave it; null if it has none.',
    }),
    scopes: t.stringList({
      nullable: true,
      description:
        'The only permissions that the key may use, such as `execution:read`, `execution:*` or `*:read`. Null means no limit: the key may do everything that its user may do.',
      resolve: (row) => scopesOf(row),
    }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the key expires; null means never.',
    }),
    lastUsedAt: t.expose('lastUsedAt', {
      type: 'DateTime',
      nullable: true,
      description:
        'When the key was last used to sign in, to the minute; null if never. The use of its tokens does not count.',
    }),
    lastUsedFrom: t.exposeString('lastUsedFrom', {
      nullable: true,
      description:
        'Which program last used the key: the name that it sent in the header `X-Slipway-Worker`, or else its IP address.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was created.' }),
    revokedAt: t.expose('revokedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was revoked; null if it was not.',
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
          description:
            'The user who has the keys. If left out: you. The keys of another user require an administrator.',
        }),
        withRevoked: t.arg.boolean({ defaultValue: false, description: 'True: list revoked keys as well.' }),
      },
      resolve: async (_root, { user, withRevoked, ...args }, context) => {
        const userId = await listedOwnerId(callerOf(context), (user ?? null) as UserBy | null);
        const keyFilter = { userId, withRevoked };
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
      description: 'The user who gets the key. If left out: you. Another user requires an administrator.',
    }),
    label: t.string({ description: 'A name for people, at most 255 characters.' }),
    expiresAt: t.field({
      type: 'DateTime',
      description:
        'When the key expires. It must not be later than the end of this sign-in, if you are signed in with an access key or with the token of an outside issuer. If left out: at the end of this sign-in, or never.',
    }),
    scopes: t.stringList({
      description:
        'The only permissions that the key may use, 1 to 50, such as `execution:read`, `execution:*` or `*:read`. Only users with the role SYSTEM can have the scope `executor`. If left out: the scopes of this sign-in.',
    }),
  }),
});

const CreateCredentialsPayload = builder.objectRef<MadeCredentials>('CreateCredentialsPayload').implement({
  description: 'What `createCredentials` answers when it succeeds.',
  fields: (t) => ({
    credential: t.expose('credential', { type: CredentialType, description: 'The access key.' }),
    accessKey: t.string({
      description: 'The public part, which is the user name of `Authorization: Basic`.',
      resolve: ({ credential }) => credential.accessKey,
    }),
    secretKey: t.exposeString('secretKey', {
      description:
        'The secret part, which is the password of `Authorization: Basic`. Only this answer shows it.',
    }),
  }),
});

const CredentialByInput = builder.inputType('CredentialByInput', {
  description: 'The address of an access key.',
  isOneOf: true,
  fields: (t) => ({
    id: t.id({ description: 'The id of the credential.' }),
    accessKey: t.string({ description: 'The public part of the key.' }),
  }),
});

const EditCredentialsInput = builder.inputType('EditCredentialsInput', {
  description: 'The changes of an access key.',
  fields: (t) => ({
    by: t.field({ type: CredentialByInput, required: true, description: 'Which key to change.' }),
    label: t.string({
      description:
        'The new name for people, at most 255 characters. If left out, the key has no name any more.',
    }),
    expiresAt: t.field({
      type: 'DateTime',
      description: 'When the key expires; null means never. If left out, this does not change.',
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
        description: 'The access key after it was revoked.',
      }),
      revoked: t.int({
        description: 'The number of keys that were revoked: always 1. This field comes from ClearML.',
        resolve: () => 1,
      }),
    }),
  });

builder.mutationFields((t) => ({
  createCredentials: t.field({
    type: CreateCredentialsPayload,
    nullable: true,
    description:
      'Creates an access key and its secret. The secret is shown only once. A user can have at most 100 keys. For another user, this requires an administrator.',
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
      'Changes the name and the expiry of an access key. Keys of other users require an administrator.',
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
      'Ends an access key and all tokens that were issued with it: at once on this server, within a second on the others. Keys of other users require an administrator.',
    errors: { types: [NotFoundError] },
    args: inputOf(RevokeCredentialsInput),
    resolve: async (_root, { input }, context) => ({
      credential: await revokeCredentials(callerOf(context), input.by as CredentialBy),
    }),
  }),
}));

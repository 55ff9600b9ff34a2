import { builder } from '../../graphql/builder.ts';
import { type Context, callerOf } from '../../graphql/context.ts';
import { inputOf } from '../../graphql/input.ts';
import { payload } from '../../graphql/payload.ts';
import {
  AlreadyExistsError,
  FailedPreconditionError,
  InvalidArgumentError,
  NotFoundError,
} from '../../platform/errors.ts';
import {
  type ClientWithSecret,
  createOAuth2Client,
  type NewClient,
} from '../commands/create-oauth2-client.ts';
import { deleteOAuth2Client } from '../commands/delete-oauth2-client.ts';
import { deleteRotatedOAuth2ClientSecrets } from '../commands/delete-rotated-oauth2-client-secrets.ts';
import { patchOAuth2Client } from '../commands/patch-oauth2-client.ts';
import { rotateOAuth2ClientSecret } from '../commands/rotate-oauth2-client-secret.ts';
import { setOAuth2ClientLifespans } from '../commands/set-oauth2-client-lifespans.ts';
import { updateOAuth2Client } from '../commands/update-oauth2-client.ts';
import { lifespanNames, settingNames } from '../domain/client-settings.ts';
import { registrationUriOf } from '../registration-tokens.ts';
import type { ClientBy, ClientRow } from '../store/clients.ts';
import { OAuth2ClientByInput, OAuth2ClientType } from './client.ts';
import { OAuth2ClientInput, OAuth2ClientLifespansInput } from './client-input.ts';

const whichClient = { type: OAuth2ClientByInput, required: true, description: 'Which client.' } as const;

const CreateOAuth2ClientInput = builder.inputType('CreateOAuth2ClientInput', {
  description: 'A client to register.',
  fields: (t) => ({
    clientId: t.string({
      description:
        'The name by which the client asks for tokens, unique on the server. If it is left out, the server chooses one.',
    }),
    clientSecret: t.string({
      description:
        'A secret of your own, 6 to 255 characters of ASCII. If it is left out, a client that needs a secret gets one, which is safer.',
    }),
    client: t.field({
      type: OAuth2ClientInput,
      required: true,
      defaultValue: {},
      description: 'The settings of the client.',
    }),
  }),
});

const UpdateOAuth2ClientInput = builder.inputType('UpdateOAuth2ClientInput', {
  description: 'The settings of a client from now on.',
  fields: (t) => ({
    by: t.field(whichClient),
    client: t.field({
      type: OAuth2ClientInput,
      required: true,
      description: 'All settings. What is left out gets its default.',
    }),
    clientSecret: t.string({
      description: 'The only secret from now on. If it is left out, the secrets stay.',
    }),
  }),
});

const JsonPatchOperationInput = builder.inputType('JsonPatchOperationInput', {
  description: 'One operation of a JSON Patch (RFC 6902).',
  fields: (t) => ({
    op: t.string({
      required: true,
      description: '`add`, `remove`, `replace`, `move`, `copy` or `test`.',
    }),
    path: t.string({
      required: true,
      description: 'A JSON Pointer with the names of RFC 7591, such as `/client_name` or `/redirect_uris/-`.',
    }),
    from: t.string({ description: 'Where `move` and `copy` take the value from.' }),
    value: t.field({ type: 'JSON', description: 'The value of `add`, `replace` and `test`.' }),
  }),
});

const PatchOAuth2ClientInput = builder.inputType('PatchOAuth2ClientInput', {
  description: 'A JSON Patch of the settings of a client.',
  fields: (t) => ({
    by: t.field(whichClient),
    patch: t.field({
      type: [JsonPatchOperationInput],
      required: true,
      description: 'The operations, at most 100. Either all of them are applied or none.',
    }),
  }),
});

const SetOAuth2ClientLifespansInput = builder.inputType('SetOAuth2ClientLifespansInput', {
  description: 'The lifespans of a client from now on.',
  fields: (t) => ({
    by: t.field(whichClient),
    lifespans: t.field({
      type: OAuth2ClientLifespansInput,
      required: true,
      description: 'All lifespans. What is left out is as the server says.',
    }),
  }),
});

const onClient = (name: string, description: string) =>
  builder.inputType(name, { description, fields: (t) => ({ by: t.field(whichClient) }) });
const RotateOAuth2ClientSecretInput = onClient(
  'RotateOAuth2ClientSecretInput',
  'A client that needs a new secret.',
);
const DeleteRotatedOAuth2ClientSecretsInput = onClient(
  'DeleteRotatedOAuth2ClientSecretsInput',
  'A client whose older secrets are deleted.',
);
const DeleteOAuth2ClientInput = onClient('DeleteOAuth2ClientInput', 'A client to delete.');

const withSecret = <Shape extends ClientWithSecret = ClientWithSecret>(
  name: string,
  mutation: string,
  secret: string,
) =>
  builder.objectRef<Shape>(name).implement({
    description: `What \`${mutation}\` answers when it succeeds.`,
    fields: (t) => ({
      client: t.field({
        type: OAuth2ClientType,
        description: 'The client after the mutation.',
        resolve: ({ client }) => client,
      }),
      clientSecret: t.string({
        nullable: true,
        description: `${secret} It is shown only here.`,
        resolve: ({ clientSecret }) => clientSecret,
      }),
    }),
  });
const CreateOAuth2ClientPayload = withSecret<NewClient>(
  'CreateOAuth2ClientPayload',
  'createOAuth2Client',
  'The secret of the client; null if it needs none.',
);
const unlessOff = 'Null unless OAUTH_REGISTRATION is on.';
builder.objectFields(CreateOAuth2ClientPayload, (t) => ({
  registrationAccessToken: t.string({
    nullable: true,
    description: `The token with which the client manages its registration (RFC 7592). It is shown only here. ${unlessOff}`,
    resolve: ({ registrationToken }) => registrationToken,
  }),
  registrationClientUri: t.string({
    nullable: true,
    description: `The address where the client manages its registration. ${unlessOff}`,
    resolve: ({ client, registrationToken }, _args, { publicUrl }) =>
      registrationToken === null ? null : registrationUriOf(publicUrl, client.clientId),
  }),
}));
const UpdateOAuth2ClientPayload = withSecret(
  'UpdateOAuth2ClientPayload',
  'updateOAuth2Client',
  'The secret that was set, or that the client got because it needs one now; null if its secrets stay.',
);
const PatchOAuth2ClientPayload = withSecret(
  'PatchOAuth2ClientPayload',
  'patchOAuth2Client',
  'The secret that the client got because it needs one now; null if its secrets stay.',
);
const RotateOAuth2ClientSecretPayload = withSecret(
  'RotateOAuth2ClientSecretPayload',
  'rotateOAuth2ClientSecret',
  'The new secret.',
);
const SetOAuth2ClientLifespansPayload = payload(
  'SetOAuth2ClientLifespansPayload',
  'client',
  OAuth2ClientType,
);
const DeleteOAuth2ClientPayload = payload(
  'DeleteOAuth2ClientPayload',
  'client',
  OAuth2ClientType,
  'The client as it was.',
);

type Deletion = Awaited<ReturnType<typeof deleteRotatedOAuth2ClientSecrets>>;
const DeleteRotatedOAuth2ClientSecretsPayload = builder
  .objectRef<Deletion>('DeleteRotatedOAuth2ClientSecretsPayload')
  .implement({
    description: 'What `deleteRotatedOAuth2ClientSecrets` answers when it succeeds.',
    fields: (t) => ({
      client: t.field({
        type: OAuth2ClientType,
        description: 'The client after the mutation.',
        resolve: ({ client }) => client,
      }),
      deletedSecrets: t.exposeInt('deletedSecrets', { description: 'How many secrets were deleted.' }),
    }),
  });

/** Runs a command on the client that the rule has found, and lets fields that follow read it again. */
async function onFound<T>(
  context: Context,
  by: unknown,
  command: (client: ClientRow) => Promise<T>,
): Promise<T> {
  const { oauth2Client } = context.loaders;
  const client = await oauth2Client.load(by as ClientBy);
  if (!client) throw new NotFoundError('oauth2 client', '', ['input', 'by']);
  const result = await command(client);
  oauth2Client.clearAll();
  return result;
}

/** The settings that were given. Null means the same as left out, except where it is a value. */
const givenOf = (input: object, names: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(
    names.flatMap((name) => {
      const value = (input as Record<string, unknown>)[name];
      return value === undefined || value === null ? [] : [[name, value] as const];
    }),
  );

const errors = { types: [InvalidArgumentError, NotFoundError] };

builder.mutationFields((t) => ({
  createOAuth2Client: t.field({
    type: CreateOAuth2ClientPayload,
    nullable: true,
    description: 'Registers a client in your tenant. Requires an administrator.',
    errors: { types: [InvalidArgumentError, AlreadyExistsError] },
    args: inputOf(CreateOAuth2ClientInput),
    resolve: (_root, { input }, context) =>
      createOAuth2Client(callerOf(context), {
        clientId: input.clientId || null,
        clientSecret: input.clientSecret || null,
        settings: givenOf(input.client, settingNames),
      }),
  }),
  updateOAuth2Client: t.field({
    type: UpdateOAuth2ClientPayload,
    nullable: true,
    description:
      'Replaces all settings of a client; its lifespans stay. Requires an administrator. A client that does not use secrets any more loses them.',
    errors,
    args: inputOf(UpdateOAuth2ClientInput),
    resolve: (_root, { input }, context) =>
      onFound(context, input.by, (client) =>
        updateOAuth2Client(callerOf(context), client, {
          settings: givenOf(input.client, settingNames),
          clientSecret: input.clientSecret || null,
        }),
      ),
  }),
  patchOAuth2Client: t.field({
    type: PatchOAuth2ClientPayload,
    nullable: true,
    description:
      'Changes settings of a client by a JSON Patch. Requires an administrator. The client id, the secrets and the times cannot be patched.',
    errors,
    args: inputOf(PatchOAuth2ClientInput),
    resolve: (_root, { input }, context) =>
      onFound(context, input.by, (client) => patchOAuth2Client(callerOf(context), client, input.patch)),
  }),
  setOAuth2ClientLifespans: t.field({
    type: SetOAuth2ClientLifespansPayload,
    nullable: true,
    description:
      'Replaces all lifespans of a client. Requires an administrator. They count for tokens that are issued from now on.',
    errors,
    args: inputOf(SetOAuth2ClientLifespansInput),
    resolve: async (_root, { input }, context) => ({
      client: await onFound(context, input.by, (client) =>
        setOAuth2ClientLifespans(callerOf(context), client, givenOf(input.lifespans, lifespanNames)),
      ),
    }),
  }),
  rotateOAuth2ClientSecret: t.field({
    type: RotateOAuth2ClientSecretPayload,
    nullable: true,
    description:
      'Gives a client a new secret. Requires an administrator. The older secrets stay valid until `deleteRotatedOAuth2ClientSecrets`; the five newest of them are kept.',
    errors: { types: [FailedPreconditionError, NotFoundError] },
    args: inputOf(RotateOAuth2ClientSecretInput),
    resolve: (_root, { input }, context) =>
      onFound(context, input.by, (client) => rotateOAuth2ClientSecret(callerOf(context), client)),
  }),
  deleteRotatedOAuth2ClientSecrets: t.field({
    type: DeleteRotatedOAuth2ClientSecretsPayload,
    nullable: true,
    description:
      'Deletes all secrets of a client but the newest one. Requires an administrator. They stop working at once.',
    errors: { types: [NotFoundError] },
    args: inputOf(DeleteRotatedOAuth2ClientSecretsInput),
    resolve: (_root, { input }, context) =>
      onFound(context, input.by, (client) => deleteRotatedOAuth2ClientSecrets(callerOf(context), client)),
  }),
  deleteOAuth2Client: t.field({
    type: DeleteOAuth2ClientPayload,
    nullable: true,
    description: 'Deletes a client and everything that it has got. Requires an administrator.',
    errors: { types: [NotFoundError] },
    args: inputOf(DeleteOAuth2ClientInput),
    resolve: async (_root, { input }, context) => ({
      client: await onFound(context, input.by, (client) => deleteOAuth2Client(callerOf(context), client)),
    }),
  }),
}));

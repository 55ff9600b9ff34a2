import { builder } from '../../graphql/builder.ts';
import { connectionType } from '../../graphql/connection.ts';
import { callerOf } from '../../graphql/context.ts';
import { inputOf } from '../../graphql/input.ts';
import { pagedList } from '../../graphql/keyset.ts';
import { payload } from '../../graphql/payload.ts';
import { GroupByInput } from '../../identity/graphql/group-by.ts';
import { RoleEnum } from '../../identity/graphql/user.ts';
import { AlreadyExistsError, InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { redirectUriOf } from '../callback-path.ts';
import { createIdentityProvider, updateIdentityProvider } from '../commands/change-identity-provider.ts';
import { deleteIdentityProvider } from '../commands/delete-identity-provider.ts';
import type { GroupRule } from '../domain/provider-settings.ts';
import {
  countProviders,
  listProviders,
  type ProviderBy,
  type ProviderRow,
  providerOrder,
} from '../store/identity-providers.ts';

const texts = {
  name: 'What people know it by: the login page has a button with this name. Unique in the tenant.',
  issuer:
    'Its issuer URL, exactly as it names itself in `iss`. The server finds its addresses and keys through OpenID Connect Discovery.',
  clientId: 'What it knows this server by.',
  scopes: 'The scopes that the server asks for. `openid` is always among them.',
  usernameClaim:
    'The claim with the user name for people who are new here. `email` counts only if the provider says that it is verified.',
  groupsClaim: 'The claim with the groups of a person. Null if groups are not taken over.',
  newUserRole:
    'The role of users that the server creates when people come for the first time: USER or GUEST. Null if it creates none.',
  linksByPassword:
    'Whether people who come for the first time may connect the account with a user who exists, by the password of that user.',
  isEnabled:
    'Whether people can sign in with it now. The login page shows at most 20 providers, the first ones by name.',
  groups:
    'The groups that follow the groups claim. At each sign-in, the user is added to the groups of its values and removed from the others of this list. Memberships in other groups stay.',
  value: 'A value of the groups claim.',
} as const;

const IdentityProviderGroup = builder.objectRef<GroupRule>('IdentityProviderGroup').implement({
  description: 'A value of the groups claim, and the group whose members its people are.',
  fields: (t) => ({
    value: t.exposeString('value', { description: texts.value }),
    groupId: t.exposeID('groupId', { description: 'The id of the group.' }),
  }),
});

const MAX_GROUPS = 100;

export const IdentityProviderType = builder.objectRef<ProviderRow>('IdentityProvider').implement({
  description:
    'An outside issuer of OpenID Connect with which people of the tenant sign in at the built-in login page.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'An opaque id, unique over all types.' }),
    name: t.exposeString('name', { description: texts.name }),
    issuer: t.exposeString('issuer', { description: texts.issuer }),
    clientId: t.exposeString('clientId', { description: texts.clientId }),
    hasClientSecret: t.boolean({
      description: 'Whether the server has a secret for it. Nobody can read the secret.',
      resolve: ({ clientSecretSealed }) => clientSecretSealed !== null,
    }),
    redirectUri: t.string({
      description: 'The redirect URI of this server. Register it at the provider.',
      resolve: (provider, _args, { publicUrl }) => redirectUriOf(publicUrl, provider),
    }),
    scopes: t.stringList({ description: texts.scopes, resolve: ({ scopes }) => scopes }),
    usernameClaim: t.exposeString('usernameClaim', { description: texts.usernameClaim }),
    groupsClaim: t.exposeString('groupsClaim', { nullable: true, description: texts.groupsClaim }),
    groups: t.field({
      type: [IdentityProviderGroup],
      description: texts.groups,
      extensions: { listSize: MAX_GROUPS },
      resolve: ({ id }, _args, { loaders }) => loaders.identityProviderGroups.load(id),
    }),
    newUserRole: t.expose('newUserRole', { type: RoleEnum, nullable: true, description: texts.newUserRole }),
    linksByPassword: t.exposeBoolean('linksByPassword', { description: texts.linksByPassword }),
    isEnabled: t.exposeBoolean('isEnabled', { description: texts.isEnabled }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was created.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When it was last changed.' }),
  }),
});

export const IdentityProviderByInput = builder.inputType('IdentityProviderByInput', {
  description: 'The address of an identity provider.',
  isOneOf: true,
  fields: (t) => ({
    id: t.id({ description: "The provider's id." }),
    name: t.string({
      description: 'Its name. Names are equal if they differ only in case or Unicode form (NFKC).',
    }),
  }),
});

builder.queryFields((t) => ({
  identityProviders: t.connection(
    {
      type: IdentityProviderType,
      description: 'The identity providers of your tenant, by name. Requires an administrator.',
      resolve: (_root, args, context) => {
        const { tenantId } = callerOf(context);
        return pagedList(
          args,
          providerOrder,
          (page) => listProviders(tenantId, page),
          () => countProviders(tenantId),
        );
      },
    },
    connectionType(IdentityProviderType),
  ),
}));

const IdentityProviderGroupInput = builder.inputType('IdentityProviderGroupInput', {
  description: 'A value of the groups claim, and a group.',
  fields: (t) => ({
    value: t.string({ required: true, description: texts.value }),
    group: t.field({
      type: GroupByInput,
      required: true,
      description: 'The group. Give exactly one of the fields. It cannot be the group of all users.',
    }),
  }),
});

const IdentityProviderInput = builder.inputType('IdentityProviderInput', {
  description: 'The settings of an identity provider.',
  fields: (t) => ({
    name: t.string({ required: true, description: texts.name }),
    issuer: t.string({ required: true, description: texts.issuer }),
    clientId: t.string({ required: true, description: texts.clientId }),
    scopes: t.stringList({ defaultValue: ['openid', 'profile', 'email'], description: texts.scopes }),
    usernameClaim: t.string({ defaultValue: 'preferred_username', description: texts.usernameClaim }),
    groupsClaim: t.string({ description: texts.groupsClaim }),
    groups: t.field({ type: [IdentityProviderGroupInput], defaultValue: [], description: texts.groups }),
    newUserRole: t.field({ type: RoleEnum, description: texts.newUserRole }),
    linksByPassword: t.boolean({ defaultValue: true, description: texts.linksByPassword }),
    isEnabled: t.boolean({ defaultValue: true, description: texts.isEnabled }),
  }),
});

const secretText = 'The secret that the provider has given to this server. It is stored encrypted.';

const CreateIdentityProviderInput = builder.inputType('CreateIdentityProviderInput', {
  description: 'A new identity provider.',
  fields: (t) => ({
    identityProvider: t.field({ type: IdentityProviderInput, required: true, description: 'Its settings.' }),
    clientSecret: t.string({ description: `${secretText} Leave it out if the provider wants none.` }),
  }),
});

const by = {
  type: IdentityProviderByInput,
  required: true,
  description: 'Which identity provider. Give exactly one of the fields.',
} as const;

const UpdateIdentityProviderInput = builder.inputType('UpdateIdentityProviderInput', {
  description: 'An identity provider, and all its settings from now on.',
  fields: (t) => ({
    by: t.field(by),
    identityProvider: t.field({
      type: IdentityProviderInput,
      required: true,
      description: 'Its settings. They replace all settings, and what is left out gets its default.',
    }),
    clientSecret: t.string({
      description: `${secretText} Leave it out to keep the secret; null removes it.`,
    }),
  }),
});

const DeleteIdentityProviderInput = builder.inputType('DeleteIdentityProviderInput', {
  description: 'The identity provider to delete.',
  fields: (t) => ({ by: t.field(by) }),
});

const CreateIdentityProviderPayload = payload(
  'CreateIdentityProviderPayload',
  'identityProvider',
  IdentityProviderType,
);
const UpdateIdentityProviderPayload = payload(
  'UpdateIdentityProviderPayload',
  'identityProvider',
  IdentityProviderType,
);
const DeleteIdentityProviderPayload = payload(
  'DeleteIdentityProviderPayload',
  'identityProvider',
  IdentityProviderType,
  'The identity provider, as it was.',
);

type Settings = typeof IdentityProviderInput.$inferInput;

function wantedOf({ groups, ...settings }: Settings) {
  return {
    settings: {
      ...settings,
      groupsClaim: settings.groupsClaim ?? null,
      newUserRole: settings.newUserRole ?? null,
    },
    groups: (groups ?? []).map(({ value, group }) => ({
      value,
      group: group as { id: string } | { name: string },
    })),
  };
}

const errors = { types: [InvalidArgumentError, AlreadyExistsError, NotFoundError] };

builder.mutationFields((t) => ({
  createIdentityProvider: t.field({
    type: CreateIdentityProviderPayload,
    nullable: true,
    description:
      'Lets people of your tenant sign in with an outside issuer of OpenID Connect. Requires an administrator. NotFoundError if a group does not exist.',
    errors,
    args: inputOf(CreateIdentityProviderInput),
    resolve: async (_root, { input }, context) => ({
      identityProvider: await createIdentityProvider(callerOf(context), {
        ...wantedOf(input.identityProvider),
        clientSecret: input.clientSecret ?? null,
      }),
    }),
  }),
  updateIdentityProvider: t.field({
    type: UpdateIdentityProviderPayload,
    nullable: true,
    description:
      'Replaces all settings of an identity provider. Sessions that have begun with it stay. Requires an administrator.',
    errors,
    args: inputOf(UpdateIdentityProviderInput),
    resolve: async (_root, { input }, context) => {
      const { loaders } = context;
      const address = input.by as ProviderBy;
      const provider = await loaders.identityProvider.load(address);
      if (!provider) throw new NotFoundError('identity provider', '', ['input', 'by']);
      const wanted = { ...wantedOf(input.identityProvider), clientSecret: input.clientSecret };
      const identityProvider = await updateIdentityProvider(callerOf(context), provider, wanted);
      loaders.identityProvider.clear(address);
      loaders.identityProviderGroups.clear(provider.id);
      return { identityProvider };
    },
  }),
  deleteIdentityProvider: t.field({
    type: DeleteIdentityProviderPayload,
    nullable: true,
    description:
      'Deletes an identity provider with the links to its accounts, and ends the sessions that began with it, with their tokens. The users stay. Requires an administrator.',
    errors: { types: [NotFoundError] },
    args: inputOf(DeleteIdentityProviderInput),
    resolve: async (_root, { input }, context) => {
      const address = input.by as ProviderBy;
      const provider = await context.loaders.identityProvider.load(address);
      if (!provider) throw new NotFoundError('identity provider', '', ['input', 'by']);
      await deleteIdentityProvider(callerOf(context), provider);
      context.loaders.identityProvider.clear(address);
      return { identityProvider: provider };
    },
  }),
}));

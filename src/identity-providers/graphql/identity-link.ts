import type { IdentityLink } from '../../generated/prisma/client.ts';
import { builder } from '../../graphql/builder.ts';
import { connectionType } from '../../graphql/connection.ts';
import { callerOf } from '../../graphql/context.ts';
import { inputOf } from '../../graphql/input.ts';
import { pagedList } from '../../graphql/keyset.ts';
import { payload } from '../../graphql/payload.ts';
import type { UserBy } from '../../identity/domain/addresses.ts';
import { findUserAt } from '../../identity/find-user.ts';
import { UserByInput } from '../../identity/graphql/user.ts';
import {
  AlreadyExistsError,
  FailedPreconditionError,
  InvalidArgumentError,
  NotFoundError,
} from '../../platform/errors.ts';
import { isId, NO_ID } from '../../platform/ids.ts';
import { createIdentityLink } from '../commands/create-identity-link.ts';
import { deleteIdentityLink } from '../commands/delete-identity-link.ts';
import { countLinks, findLinkById, linkOrder, listLinks } from '../store/identity-links.ts';
import type { ProviderBy } from '../store/identity-providers.ts';
import { IdentityProviderByInput } from './identity-provider.ts';

const IdentityLinkType = builder.objectRef<IdentityLink>('IdentityLink').implement({
  description: 'The account of a user at an identity provider: with it, the person signs in as the user.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'An opaque id, unique over all types.' }),
    userId: t.exposeID('userId', { description: 'The id of the user.' }),
    identityProviderId: t.exposeID('identityProviderId', { description: 'The id of the identity provider.' }),
    identityProviderName: t.string({
      description: 'The name of the identity provider.',
      resolve: async ({ identityProviderId: id }, _args, { loaders }) =>
        (await loaders.identityProvider.load({ id }))?.name ?? '',
    }),
    subject: t.exposeString('subject', { description: '`sub` of the account at the provider.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was linked.' }),
    usedAt: t.expose('usedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the user last signed in with it. Null if the user has not done it yet.',
    }),
  }),
});

const IdentityLinkFilterInput = builder.inputType('IdentityLinkFilterInput', {
  description: 'Which links to list.',
  fields: (t) => ({
    userId: t.id({ description: 'Only those of this user.' }),
    identityProviderId: t.id({ description: 'Only those of this identity provider.' }),
  }),
});

/** An id that no row has, in place of a text that is no id. */
const idOf = (id: string | null | undefined) => (id == null ? null : isId(id) ? id : NO_ID);

builder.queryFields((t) => ({
  identityLinks: t.connection(
    {
      type: IdentityLinkType,
      description:
        'The accounts of users at identity providers, newest first. Everybody may list those of the own user; others require an administrator.',
      args: { filter: t.arg({ type: IdentityLinkFilterInput, description: 'Which links to list.' }) },
      resolve: (_root, { filter, ...args }, context) => {
        const { tenantId } = callerOf(context);
        const which = { userId: idOf(filter?.userId), providerId: idOf(filter?.identityProviderId) };
        return pagedList(
          args,
          linkOrder,
          (page) => listLinks(tenantId, which, page),
          () => countLinks(tenantId, which),
        );
      },
    },
    connectionType(IdentityLinkType),
  ),
}));

const CreateIdentityLinkInput = builder.inputType('CreateIdentityLinkInput', {
  description: 'A user, and the account of this person at an identity provider.',
  fields: (t) => ({
    identityProvider: t.field({
      type: IdentityProviderByInput,
      required: true,
      description: 'The identity provider. Give exactly one of the fields.',
    }),
    user: t.field({
      type: UserByInput,
      required: true,
      description: 'The user. Give exactly one of the fields.',
    }),
    subject: t.string({
      required: true,
      description: '`sub` of the account at the provider. Everybody with this account becomes the user.',
    }),
  }),
});

const IdentityLinkByInput = builder.inputType('IdentityLinkByInput', {
  description: 'The address of a link.',
  isOneOf: true,
  fields: (t) => ({ id: t.id({ description: "The link's id." }) }),
});

const DeleteIdentityLinkInput = builder.inputType('DeleteIdentityLinkInput', {
  description: 'The link to delete.',
  fields: (t) => ({
    by: t.field({
      type: IdentityLinkByInput,
      required: true,
      description: 'Which link. Give exactly one of the fields.',
    }),
  }),
});

const CreateIdentityLinkPayload = payload('CreateIdentityLinkPayload', 'identityLink', IdentityLinkType);

const DeleteIdentityLinkPayload = builder
  .objectRef<{ readonly deleted: boolean }>('DeleteIdentityLinkPayload')
  .implement({
    description: 'What `deleteIdentityLink` answers when it succeeds.',
    fields: (t) => ({
      deleted: t.exposeBoolean('deleted', { description: 'False if there was no such link.' }),
    }),
  });

builder.mutationFields((t) => ({
  createIdentityLink: t.field({
    type: CreateIdentityLinkPayload,
    nullable: true,
    description:
      'Lets a person sign in as a user with her account at an identity provider. A user has at most one account at each provider. Requires an administrator.',
    errors: { types: [InvalidArgumentError, AlreadyExistsError, FailedPreconditionError, NotFoundError] },
    args: inputOf(CreateIdentityLinkInput),
    resolve: async (_root, { input }, context) => {
      const { loaders } = context;
      const provider = await loaders.identityProvider.load(input.identityProvider as ProviderBy);
      if (!provider) throw new NotFoundError('identity provider', '', ['input', 'identityProvider']);
      const user = await findUserAt(context, input.user as UserBy);
      if (user?.tenantId !== provider.tenantId)
        throw new NotFoundError('user', Object.values(input.user).join(), ['input', 'user']);
      const { id: userId, role, username } = user;
      const who = { userId, role, username };
      return { identityLink: await createIdentityLink(callerOf(context), provider, who, input.subject) };
    },
  }),
  deleteIdentityLink: t.field({
    type: DeleteIdentityLinkPayload,
    nullable: true,
    description:
      'Deletes a link, and ends the sessions that began with it, with their tokens. Deleting again is no error. Everybody may delete those of the own user; others require an administrator.',
    errors: { types: [InvalidArgumentError] },
    args: inputOf(DeleteIdentityLinkInput),
    resolve: async (_root, { input }, context) => {
      const caller = callerOf(context);
      const link = await findLinkById(caller.tenantId, String(input.by.id));
      return { deleted: link !== null && (await deleteIdentityLink(caller, link)) };
    },
  }),
}));

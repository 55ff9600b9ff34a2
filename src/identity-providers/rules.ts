import { callerOf } from '../graphql/context.ts';
import {
  can,
  type FieldArguments,
  type Lookup,
  type ObjectName,
  type RootRules,
  ruleBy,
} from '../graphql/rules.ts';
import { addressText } from '../platform/address-text.ts';
import { findLinkById } from './store/identity-links.ts';
import type { ProviderBy } from './store/identity-providers.ts';

const inputOf = (args: FieldArguments) => args['input'] as Readonly<Record<string, unknown>>;

const providerAt = (byOf: (args: FieldArguments) => ProviderBy): Lookup => ({
  kind: 'identity provider',
  key: (args) => addressText(byOf(args)),
  lookUp: (args, { loaders }) => loaders.identityProvider.load(byOf(args)),
});

const newProvider: ObjectName = {
  kind: 'identity provider',
  key: (args) => (inputOf(args)['identityProvider'] as { name: string }).name.slice(0, 100),
};

const linkOfInput: ObjectName = {
  kind: 'identity link',
  key: (args) => String((inputOf(args)['by'] as { id: string }).id).slice(0, 100),
};

/** A person may see and delete her own links; an administrator those of everybody in the tenant. */
export const identityProviderRules: RootRules = {
  Query: {
    identityProviders: can('identityProvider:administer'),
    identityLinks: ruleBy(async (args, context) => {
      const filter = (args['filter'] ?? {}) as { readonly userId?: string | null };
      const isOwn = filter.userId === callerOf(context).userId;
      return can(isOwn ? 'identityLink:list' : 'identityProvider:administer');
    }),
  },
  Mutation: {
    createIdentityProvider: can('identityProvider:administer', newProvider),
    updateIdentityProvider: can(
      'identityProvider:administer',
      providerAt((args) => inputOf(args)['by'] as ProviderBy),
    ),
    deleteIdentityProvider: can(
      'identityProvider:administer',
      providerAt((args) => inputOf(args)['by'] as ProviderBy),
    ),
    createIdentityLink: can(
      'identityProvider:administer',
      providerAt((args) => inputOf(args)['identityProvider'] as ProviderBy),
    ),
    deleteIdentityLink: ruleBy(async (args, context) => {
      const { tenantId, userId } = callerOf(context);
      const { id } = inputOf(args)['by'] as { readonly id: string };
      const isOwn = (await findLinkById(tenantId, id))?.userId === userId;
      return can(isOwn ? 'identityLink:delete' : 'identityProvider:administer', linkOfInput);
    }),
  },
};

import DataLoader from 'dataloader';
import type { Reader } from '../authorization/store/readable.ts';
import { addressLoader } from '../platform/loaders.ts';
import type { GroupRule } from './domain/provider-settings.ts';
import { type ProviderBy, type ProviderRow, readProviders, readRules } from './store/identity-providers.ts';

export const identityProviderLoaders = ({ tenantId }: Reader) => ({
  identityProvider: addressLoader<ProviderBy, ProviderRow | null>((addresses) =>
    readProviders(tenantId, addresses),
  ),
  /** The groups of a provider, by its id. */
  identityProviderGroups: new DataLoader<string, GroupRule[]>((ids) => readRules(ids)),
});

type IdentityProviderLoaders = ReturnType<typeof identityProviderLoaders>;

declare module '../graphql/context.ts' {
  interface Loaders extends IdentityProviderLoaders {}
}

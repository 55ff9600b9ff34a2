import type { Capability } from '../graphql/capability.ts';
import { identityProviderLoaders } from './loaders.ts';
import { identityProviderRules } from './rules.ts';
import './graphql/identity-provider.ts';
import './graphql/identity-link.ts';

export const identityProviders: Capability = {
  rules: [identityProviderRules],
  loaders: identityProviderLoaders,
};

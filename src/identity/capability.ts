import type { Capability } from '../graphql/capability.ts';
import { credentialRules } from './credential-rules.ts';
import { identityLoaders } from './loaders.ts';
import { identityRules } from './rules.ts';
import './graphql/user.ts';
import './graphql/user-mutations.ts';
import './graphql/tenant.ts';
import './graphql/fixed-users-mode.ts';
import './graphql/credential.ts';

export const identity: Capability = {
  rules: [identityRules, credentialRules],
  loaders: identityLoaders,
};

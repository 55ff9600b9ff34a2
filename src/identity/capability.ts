import type { Capability } from '../graphql/capability.ts';
import { nodeType } from '../graphql/node.ts';
import { credentialRules } from './credential-rules.ts';
import { findReachedTenant } from './find-tenant.ts';
import { findUserAt } from './find-user.ts';
import { UserType } from './graphql/user.ts';
import { identityLoaders } from './loaders.ts';
import { identityRules } from './rules.ts';
import { tenantNodes, userNodes } from './store/tenants.ts';
import './graphql/user-mutations.ts';
import { TenantType } from './graphql/tenant.ts';
import './graphql/fixed-users-mode.ts';
import './graphql/credential.ts';

export const identity: Capability = {
  rules: [identityRules, credentialRules],
  loaders: identityLoaders,
  nodes: [
    nodeType(UserType, 'user:list', userNodes, (id, context) => findUserAt(context, { id })),
    nodeType(TenantType, 'tenant:read', tenantNodes, (id, context) => findReachedTenant(context, id)),
  ],
};

import { can, type RootRules } from '../graphql/rules.ts';

/** Whose keys they are is decided by the commands: one's own, or for administrators those of the tenant's users. */
export const credentialRules: RootRules = {
  Query: { credentials: can('credential:read') },
  Mutation: {
    createCredentials: can('credential:create'),
    editCredentials: can('credential:update'),
    revokeCredentials: can('credential:revoke'),
  },
};

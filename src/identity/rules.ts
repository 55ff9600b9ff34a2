import { can, type RootRules } from '../graphql/permissions.ts';

export const identityRules: RootRules = {
  Query: { viewer: can('viewer:read') },
};

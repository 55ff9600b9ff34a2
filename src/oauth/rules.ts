import { can, type RootRules } from '../graphql/permissions.ts';

export const oauthRules: RootRules = {
  Mutation: { login: can('token:create') },
};

import { can, type RootRules } from '../graphql/rules.ts';

export const oauthRules: RootRules = {
  Query: { validateToken: can('token:validate') },
  Mutation: {
    login: can('token:create'),
    logout: can('session:end'),
    createTokenForUser: can('token:createForOthers'),
  },
};

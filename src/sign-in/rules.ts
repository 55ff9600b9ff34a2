import { can, type RootRules } from '../graphql/rules.ts';
import { onUser, userOfInput } from '../identity/rules.ts';

export const signInRules: RootRules = {
  Query: { validateToken: can('token:validate') },
  Mutation: {
    login: can('token:create'),
    logout: can('session:end'),
    createTokenForUser: can('token:createForOthers'),
    updateUserPassword: onUser('user:changePassword', 'user:administer', userOfInput),
  },
};

import { can, type RootRules } from '../graphql/rules.ts';
import { addressText, type UserBy } from '../identity/domain/addresses.ts';
import { ofCaller, onUser, userOfInput } from '../identity/rules.ts';

export const signInRules: RootRules = {
  Query: { validateToken: can('token:validate') },
  Mutation: {
    login: can('token:create', ofCaller),
    logout: can('session:end', ofCaller),
    createTokenForUser: can('token:createForOthers', {
      kind: 'user',
      key: (args) => addressText((args['input'] as { user: UserBy }).user),
    }),
    updateUserPassword: onUser('user:changePassword', 'user:administer', userOfInput),
  },
};

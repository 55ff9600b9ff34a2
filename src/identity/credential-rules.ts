import { can, type FieldArguments, type ObjectName, type RootRules } from '../graphql/rules.ts';
import { addressText } from '../platform/address-text.ts';
import type { CredentialBy, UserBy } from './domain/addresses.ts';
import { ofCaller } from './rules.ts';

/** The user whose keys a call is about: the named user, or else the caller. */
const keyOwner = (userOf: (args: FieldArguments) => UserBy | null | undefined): ObjectName => ({
  kind: 'user',
  key(args, context) {
    const user = userOf(args);
    return user ? addressText(user) : ofCaller.key(args, context);
  },
});

const keyInInput: ObjectName = {
  kind: 'access key',
  key: (args) => addressText((args['input'] as { by: CredentialBy }).by),
};

/**
 * The commands check whose keys they are: users may use their own keys, and administrators those of their tenant's
 * users.
 */
export const credentialRules: RootRules = {
  Query: {
    credentials: can(
      'credential:read',
      keyOwner((args) => args['user'] as UserBy | null),
    ),
  },
  Mutation: {
    createCredentials: can(
      'credential:create',
      keyOwner((args) => (args['input'] as { user?: UserBy | null }).user),
    ),
    editCredentials: can('credential:update', keyInInput),
    revokeCredentials: can('credential:revoke', keyInInput),
  },
};

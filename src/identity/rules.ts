import type { Permission } from '../authorization/domain/permissions.ts';
import { shownError, topLevelError } from '../graphql/errors.ts';
import { anyone, can, type FieldArguments, type RootRules, type Rule } from '../graphql/rules.ts';
import { NotFoundError } from '../platform/errors.ts';
import { addressText, type UserBy } from './domain/addresses.ts';
import { addressedUser, isOwnAddress } from './graphql/addressed-user.ts';

/**
 * Oneself with one permission, anybody else with another. Who lacks that is refused before anybody is looked for, so that
 * it learns of nobody whether they are there; who has it is told when there is none.
 */
function onUser(own: Permission, others: Permission, byOf: (args: FieldArguments) => UserBy | null): Rule {
  return {
    async decide(args, context) {
      try {
        const by = byOf(args);
        const isOwn = context.caller && (by === null || (await isOwnAddress(context, by)));
        const verdict = await can(isOwn ? own : others).decide(args, context);
        if (verdict !== true || isOwn || by === null) return verdict;
        const user = await addressedUser(context, by);
        return user ? true : topLevelError(new NotFoundError('user', addressText(by)));
      } catch (error) {
        context.log.error({ err: error }, 'rule failed');
        return shownError(error);
      }
    },
  };
}

const argument = (args: FieldArguments) => args['by'] as UserBy;
const input = (args: FieldArguments) => (args['input'] as { by?: UserBy | null }).by ?? null;

export const identityRules: RootRules = {
  Query: {
    viewer: can('viewer:read'),
    user: onUser('user:read', 'user:list', argument),
    users: can('user:list'),
    tenant: can('tenant:read'),
    tenants: can('tenant:create'),
    fixedUsersMode: anyone,
  },
  Mutation: {
    createUser: can('user:create'),
    editUser: onUser('user:update', 'user:administer', input),
    updateUserPassword: onUser('user:changePassword', 'user:administer', input),
    updateUserAdmin: onUser('user:administer', 'user:administer', input),
    deleteUser: onUser('user:administer', 'user:administer', input),
    setPreferences: can('user:update'),
    createTenant: can('tenant:create'),
    updateTenant: can('tenant:administer'),
  },
};

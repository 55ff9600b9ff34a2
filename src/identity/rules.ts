import type { Permission } from '../authorization/domain/permissions.ts';
import { shownError, topLevelError } from '../graphql/errors.ts';
import { anyone, can, type FieldArguments, type RootRules, type Rule } from '../graphql/rules.ts';
import { NotFoundError } from '../platform/errors.ts';
import { addressedUser, isOwnAddress } from './addressed-user.ts';
import { addressText, type UserBy } from './domain/addresses.ts';

/**
 * Oneself with one permission, anybody else with another. Who lacks that is refused before anybody is looked for, so that
 * it learns of nobody whether they are there; who has it is told when there is none.
 */
export function onUser(
  own: Permission,
  others: Permission,
  byOf: (args: FieldArguments) => UserBy | null,
): Rule {
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
/** The user that `input.by` names. */
export const userOfInput = (args: FieldArguments) => (args['input'] as { by?: UserBy | null }).by ?? null;

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
    editUser: onUser('user:update', 'user:administer', userOfInput),
    updateUserAdmin: onUser('user:administer', 'user:administer', userOfInput),
    deleteUser: onUser('user:administer', 'user:administer', userOfInput),
    setPreferences: can('user:update'),
    createTenant: can('tenant:create'),
    updateTenant: can('tenant:administer'),
  },
};

import type { Permission } from '../authorization/domain/permissions.ts';
import { callerOf } from '../graphql/context.ts';
import {
  anyone,
  can,
  type FieldArguments,
  type Lookup,
  type ObjectName,
  type RootRules,
  type Rule,
  ruleBy,
} from '../graphql/rules.ts';
import { addressText, type UserBy } from './domain/addresses.ts';
import { findUserAt, isOwnAddress } from './find-user.ts';
import { type TenantBy, tenantKeyOf } from './store/tenants.ts';

/** The caller, as a user. */
export const ofCaller: ObjectName = {
  kind: 'user',
  key: (_args, context) => callerOf(context).username,
  id: (context) => callerOf(context).userId,
};

const userAt = (by: UserBy): Lookup => ({
  kind: 'user',
  key: () => addressText(by),
  lookUp: (_args, context) => findUserAt(context, by),
});

/**
 * One permission for the caller's own user, and another one for other users. Callers without the second permission are
 * refused before the user is looked up, so they do not learn whether the user exists.
 */
export function onUser(
  own: Permission,
  others: Permission,
  byOf: (args: FieldArguments) => UserBy | null,
): Rule {
  return ruleBy(async (args, context) => {
    const by = byOf(args);
    const isOwn = by === null || (await isOwnAddress(context, by));
    return isOwn ? can(own, ofCaller) : can(others, userAt(by));
  });
}

const argument = (args: FieldArguments) => args['by'] as UserBy;
/** The user in `input.by`. */
export const userOfInput = (args: FieldArguments) => (args['input'] as { by?: UserBy | null }).by ?? null;

const newUser: ObjectName = {
  kind: 'user',
  key(args) {
    const { username, email } = args['input'] as { username?: string | null; email?: string | null };
    return username ?? email ?? '';
  },
};

const newTenant: ObjectName = {
  kind: 'tenant',
  key: (args) => (args['input'] as { name: string }).name,
};

/** The tenant of a call, or else the caller's tenant. */
const tenantAt = (byOf: (args: FieldArguments) => TenantBy | null | undefined): ObjectName => ({
  kind: 'tenant',
  key(args, context) {
    const by = byOf(args);
    return by ? tenantKeyOf(by) : callerOf(context).tenantId;
  },
});

export const identityRules: RootRules = {
  Query: {
    viewer: can('viewer:read', ofCaller),
    user: onUser('user:read', 'user:list', argument),
    users: can('user:list'),
    tenant: can(
      'tenant:read',
      tenantAt((args) => args['by'] as TenantBy | null),
    ),
    tenants: can('tenant:create'),
    fixedUsersMode: anyone,
  },
  Mutation: {
    createUser: can('user:create', newUser),
    editUser: onUser('user:update', 'user:administer', userOfInput),
    updateUserAdmin: onUser('user:administer', 'user:administer', userOfInput),
    deleteUser: onUser('user:administer', 'user:administer', userOfInput),
    updatePreferences: can('user:update', ofCaller),
    createTenant: can('tenant:create', newTenant),
    updateTenant: can(
      'tenant:administer',
      tenantAt((args) => (args['input'] as { by?: TenantBy | null }).by),
    ),
  },
};

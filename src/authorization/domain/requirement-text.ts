import type { Role } from '../../generated/prisma/enums.ts';
import type { Permission } from './permissions.ts';

/** What a refusal says: what it takes, so that the caller knows what to ask an administrator for. */

export const outsideScopes = (permission: Permission): string =>
  `the scopes of this sign-in do not cover ${permission}`;

export const CONFINED = 'a token that is confined to resources cannot be used for this';
export const ANONYMOUS = 'the anonymous user may only read: sign in first';

export const needsServiceScope = (scope: string): string =>
  `requires a SYSTEM account whose credential has the scope ${scope}`;

export const needsRole = (roles: readonly Role[]): string =>
  roles.length === 1 ? `requires the role ${roles[0]}` : `requires one of the roles ${roles.join(', ')}`;

export const createsNothing = (role: Role): string => `the role ${role} cannot create anything`;

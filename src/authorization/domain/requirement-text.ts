import { type Obstacle, type Permission, permissions, type Requirement } from './permissions.ts';

/**
 * The message of a refusal. It says what the permission requires, so that the caller knows what to ask an administrator
 * for.
 */
export function obstacleText(obstacle: Obstacle, permission: Permission): string {
  const { role, serviceScope }: Requirement = permissions[permission];
  const isForServices = serviceScope !== undefined && (obstacle === 'ROLE' || obstacle === 'OUT_OF_SCOPE');
  if (isForServices) return `requires a SYSTEM account whose credential has the scope ${serviceScope}`;
  switch (obstacle) {
    case 'OUT_OF_SCOPE':
      return `the scopes of this sign-in do not cover ${permission}`;
    case 'CONFINED':
      return 'a token that is limited to some resources cannot be used for this';
    case 'ANONYMOUS':
      return 'the anonymous user may only read: sign in first';
    case 'SHARED':
      return 'several people share this user: sign in with your own user';
    case 'ROLE':
      return `requires the role ${role} or a higher one`;
  }
}

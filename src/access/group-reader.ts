import { isRoleAtLeast } from '../authorization/domain/roles.ts';
import type { GroupReader } from '../authorization/store/groups.ts';
import type { Caller } from '../platform/caller.ts';

/**
 * Which groups a caller sees: superusers and administrators see all groups of the tenant, others only the groups that
 * they are in.
 */
export function groupReader(caller: Caller): GroupReader {
  const { tenantId, userId, groupIds, role } = caller;
  return { tenantId, userId, groupIds, seesAll: isRoleAtLeast(role, 'SUPERUSER') };
}

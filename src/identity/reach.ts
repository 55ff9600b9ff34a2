import { noteDenial } from '../authorization/audit.ts';
import type { Permission } from '../authorization/domain/permissions.ts';
import type { Caller } from '../platform/caller.ts';
import { NotFoundError, PermissionDeniedError } from '../platform/errors.ts';
import type { ObjectKind } from '../platform/object-kinds.ts';
import { findFirstTenant, findTenant, type TenantBy, tenantKeyOf } from './store/tenants.ts';

/**
 * How far a caller's work on people and tenants reaches: to its own tenant, or to all. All is for ROOT, and for SYSTEM
 * accounts of the first tenant, which is that of whoever runs the server. Not for every SYSTEM account: the administrator
 * of any tenant may make one there for its executors, and must not come into other tenants by it.
 */
export async function reachesAllTenants({ role, tenantId }: Caller): Promise<boolean> {
  if (role === 'ROOT') return true;
  return role === 'SYSTEM' && (await findFirstTenant())?.id === tenantId;
}

/** @throws PermissionDeniedError, noted in the audit log. */
export async function requireAllTenants(caller: Caller, permission: Permission): Promise<void> {
  if (!(await reachesAllTenants(caller))) throw denied(caller, permission, 'tenant', 'of others');
}

/**
 * The id of the tenant that an input names; the caller's own when it names none.
 *
 * @throws PermissionDeniedError for one that the caller's work does not reach, there or not; NotFoundError.
 */
export async function reachedTenantId(
  caller: Caller,
  permission: Permission,
  by: TenantBy | null,
  path: readonly string[],
): Promise<string> {
  if (by === null || ('id' in by && by.id === caller.tenantId)) return caller.tenantId;
  if (!(await reachesAllTenants(caller))) {
    // Its own, by name, is no attempt at another.
    const own = 'name' in by ? await findTenant({ id: caller.tenantId }) : null;
    if (own && 'name' in by && own.name === by.name) return own.id;
    throw denied(caller, permission, 'tenant', tenantKeyOf(by));
  }
  const tenant = await findTenant(by);
  if (!tenant) throw new NotFoundError('tenant', tenantKeyOf(by), path);
  return tenant.id;
}

/** A refusal that a command finds, under its locks; it goes to the audit log like those of the rules. */
export function denied(
  caller: Caller,
  permission: Permission,
  kind: ObjectKind,
  key: string,
): PermissionDeniedError {
  noteDenial(caller, permission, 'PERMISSION_DENIED', null, { kind, key });
  return new PermissionDeniedError();
}

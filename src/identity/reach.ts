import type { Caller } from '../platform/caller.ts';
import { NotFoundError } from '../platform/errors.ts';
import { otherTenants } from './denials.ts';
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

/** @throws PermissionDeniedError */
export async function requireAllTenants(caller: Caller): Promise<void> {
  if (!(await reachesAllTenants(caller))) throw otherTenants();
}

/**
 * The id of the tenant that an input names; the caller's own when it names none.
 *
 * @throws PermissionDeniedError for one that the caller's work does not reach, there or not; NotFoundError.
 */
export async function reachedTenantId(
  caller: Caller,
  by: TenantBy | null,
  path: readonly string[],
): Promise<string> {
  if (by === null || ('id' in by && by.id === caller.tenantId)) return caller.tenantId;
  if (!(await reachesAllTenants(caller))) {
    // Its own, by name, is no attempt at another.
    const own = 'name' in by ? await findTenant({ id: caller.tenantId }) : null;
    if (own && 'name' in by && own.name === by.name) return own.id;
    throw otherTenants();
  }
  const tenant = await findTenant(by);
  if (!tenant) throw new NotFoundError('tenant', tenantKeyOf(by), path);
  return tenant.id;
}

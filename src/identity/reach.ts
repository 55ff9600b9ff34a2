import type { Caller } from '../platform/caller.ts';
import { NotFoundError } from '../platform/errors.ts';
import { nameKey } from '../platform/text.ts';
import { otherTenants } from './denials.ts';
import { findFirstTenant, findTenant, type TenantBy, tenantKeyOf } from './store/tenants.ts';

/**
 * Whether a caller's rights on people and tenants cover all tenants or only its own. All tenants are for ROOT, and for
 * SYSTEM accounts of the first tenant, which belongs to the operator of the server. Other SYSTEM accounts do not reach
 * other tenants, because the administrator of any tenant may create one for its executors.
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
 * The id of the tenant in an input, or else of the caller's tenant.
 *
 * @throws PermissionDeniedError for a tenant that the caller does not reach, whether it exists or not; NotFoundError.
 */
export async function reachedTenantId(
  caller: Caller,
  by: TenantBy | null,
  path: readonly string[],
): Promise<string> {
  if (by === null || ('id' in by && by.id === caller.tenantId)) return caller.tenantId;
  if (!(await reachesAllTenants(caller))) {
    // The caller's own tenant by name is not an attempt to reach another one.
    const own = 'name' in by ? await findTenant({ id: caller.tenantId }) : null;
    if (own && 'name' in by && own.nameKey === nameKey(by.name)) return own.id;
    throw otherTenants();
  }
  const tenant = await findTenant(by);
  if (!tenant) throw new NotFoundError('tenant', tenantKeyOf(by), path);
  return tenant.id;
}

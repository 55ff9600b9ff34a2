import { nameUnavailable } from '../authorization/name-conflict.ts';
import type { Caller } from '../platform/caller.ts';
import { isUniqueViolation } from '../platform/database/failures.ts';
import { AlreadyExistsError } from '../platform/errors.ts';
import { isReservedTenantName } from './domain/tenant-checks.ts';
import { reachesAllTenants } from './reach.ts';
import { findTenant } from './store/tenants.ts';

const path = ['input', 'name'];

/**
 * Runs `write`, which gives a tenant a name, if no other tenant has this name in upper or lower case.
 *
 * @param ownId the tenant that may already have the name; null for a new tenant.
 * @throws AlreadyExistsError if the name is taken and the caller reaches all tenants. Other callers get
 * InvalidArgumentError `NameUnavailable`, as for a reserved name and after the same statements, because they must not
 * learn which tenants exist.
 */
export async function underTenantName<Result>(
  caller: Caller,
  name: string,
  ownId: string | null,
  write: () => Promise<Result>,
): Promise<Result> {
  const holder = await findTenant({ name });
  if (holder ? holder.id !== ownId : isReservedTenantName(name))
    throw await refusalOf(caller, holder !== null);
  try {
    return await write();
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    // Another caller was faster.
    throw await refusalOf(caller, true);
  }
}

async function refusalOf(caller: Caller, isTaken: boolean) {
  const reachesAll = await reachesAllTenants(caller);
  return isTaken && reachesAll
    ? new AlreadyExistsError('a tenant with this name already exists', { path })
    : nameUnavailable(path);
}

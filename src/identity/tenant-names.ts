import { nameUnavailable } from '../authorization/name-conflict.ts';
import type { Caller } from '../platform/caller.ts';
import { isUniqueViolation } from '../platform/database/failures.ts';
import { AlreadyExistsError } from '../platform/errors.ts';
import { isReservedTenantName } from './domain/tenant-checks.ts';
import { reachesAllTenants } from './reach.ts';
import { findTenant } from './store/tenants.ts';

const path = ['input', 'name'];

/**
 * Gives a tenant a name: does `write`, if nothing else has the name, in whatever case.
 *
 * @param ownId  the tenant that may have the name already; null when it is to be made.
 * @throws AlreadyExistsError for a taken name to a caller who reaches all tenants; to others InvalidArgumentError
 * `NameUnavailable`, the same as for a reserved name, after the same statements: which tenants there are is not for them
 * to know.
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
    // Another caller was quicker.
    throw await refusalOf(caller, true);
  }
}

async function refusalOf(caller: Caller, isTaken: boolean) {
  const reachesAll = await reachesAllTenants(caller);
  return isTaken && reachesAll
    ? new AlreadyExistsError('a tenant with this name already exists', { path })
    : nameUnavailable(path);
}

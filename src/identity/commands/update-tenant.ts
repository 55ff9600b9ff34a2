import { recordChange } from '../../authorization/audit.ts';
import { recordAccessChange } from '../../authorization/store/changes.ts';
import type { Tenant } from '../../generated/prisma/client.ts';
import type { CreationPolicy, Level } from '../../generated/prisma/enums.ts';
import type { Caller } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { InvalidArgumentError, NotFoundError, requireChanges } from '../../platform/errors.ts';
import { nameKey } from '../../platform/text.ts';
import { tenantNameProblems } from '../domain/tenant-checks.ts';
import { reachedTenantId } from '../reach.ts';
import { lockTenant, type TenantBy } from '../store/tenants.ts';
import { underTenantName } from '../tenant-names.ts';

/** Undefined means no change; null clears the field. */
export interface TenantChanges {
  readonly name?: string | undefined;
  readonly defaultLevel?: Level | null | undefined;
  readonly creationPolicy?: CreationPolicy | undefined;
}

/**
 * Changes the settings of a tenant: the default level of its users, and who may create objects in its projects.
 *
 * @param by null means the caller's tenant.
 * @throws InvalidArgumentError for a wrong name, or if there are no changes; NotFoundError, PermissionDeniedError for
 * another tenant; for a taken name see `underTenantName`.
 */
export async function updateTenant(
  caller: Caller,
  by: TenantBy | null,
  changes: TenantChanges,
): Promise<Tenant> {
  const given = Object.entries(changes).filter(([, value]) => value !== undefined);
  requireChanges(given.length > 0);
  const { name } = changes;
  const problems = name === undefined ? [] : tenantNameProblems(name);
  if (problems.length > 0) throw new InvalidArgumentError(problems);
  const tenantId = await reachedTenantId(caller, by, ['input', 'by']);
  const update = () =>
    inTransaction(async (tx) => {
      const before = await lockTenant(tx, tenantId);
      if (!before) throw new NotFoundError('tenant', tenantId, ['input', 'by']);
      const changed = given.filter(([field, value]) => before[field as keyof Tenant] !== value);
      if (changed.length === 0) return before;
      const data = Object.fromEntries(changed);
      const tenant = await tx.tenant.update({
        where: { id: tenantId },
        data: name === undefined ? data : { ...data, nameKey: nameKey(name) },
      });
      await recordChange(tx, caller, {
        tenantId,
        action: 'tenant:update',
        target: { type: 'tenant', id: tenantId, name: before.name },
        before: Object.fromEntries(changed.map(([field]) => [field, before[field as keyof Tenant]])),
        after: data,
      });
      await recordAccessChange(tx, { tenantId, userId: null, kind: 'PRINCIPAL' });
      return tenant;
    });
  return name === undefined ? await update() : await underTenantName(caller, name, tenantId, update);
}

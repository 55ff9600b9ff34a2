import { recordChange } from '../../authorization/audit.ts';
import { recordAccessChange } from '../../authorization/store/changes.ts';
import { createEveryone } from '../../authorization/store/groups.ts';
import type { Tenant } from '../../generated/prisma/client.ts';
import type { Caller } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { InvalidArgumentError } from '../../platform/errors.ts';
import { newId } from '../../platform/ids.ts';
import { nameKey } from '../../platform/text.ts';
import { tenantNameProblems } from '../domain/tenant-checks.ts';
import { requireAllTenants } from '../reach.ts';
import { underTenantName } from '../tenant-names.ts';

/**
 * Creates a tenant without users, and its group of all users.
 *
 * @throws InvalidArgumentError; PermissionDeniedError; for a taken name see `underTenantName`.
 */
export async function createTenant(caller: Caller, name: string): Promise<Tenant> {
  const problems = tenantNameProblems(name);
  if (problems.length > 0) throw new InvalidArgumentError(problems);
  await requireAllTenants(caller);
  return await underTenantName(caller, name, null, () =>
    inTransaction(async (tx) => {
      const tenant = await tx.tenant.create({ data: { id: newId(), name, nameKey: nameKey(name) } });
      const tenantId = tenant.id;
      await createEveryone(tx, tenantId);
      const target = { type: 'tenant', id: tenantId, name } as const;
      await recordChange(tx, caller, { tenantId, action: 'tenant:create', target, after: { name } });
      await recordAccessChange(tx, { tenantId, userId: null, kind: 'PRINCIPAL' });
      return tenant;
    }),
  );
}

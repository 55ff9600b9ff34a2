import { forgetGrants } from '../../authorization/granted.ts';
import { updateGrant } from '../../authorization/store/grant-rows.ts';
import type { Grant } from '../../generated/prisma/client.ts';
import type { Level } from '../../generated/prisma/enums.ts';
import type { Caller } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { NotFoundError } from '../../platform/errors.ts';
import { described, keyOf, type PermissionAddress, recordPermissionChange } from './permission-change.ts';

/**
 * Sets the level of a permission that is there: any level, also one that shuts out whoever sets it.
 *
 * @throws NotFoundError without a row: it inserts none.
 * Source: MLflow's updateExperimentPermission.
 */
export async function updatePermission(
  caller: Caller,
  address: PermissionAddress,
  level: Level,
): Promise<Grant> {
  const grant = await inTransaction(async (tx) => {
    const changed = await updateGrant(tx, keyOf(caller, address), level);
    if (!changed) throw new NotFoundError('grant', described(address), ['input']);
    const levels = { before: changed.before, after: level };
    await recordPermissionChange(tx, caller, 'permission:update', address, levels);
    return changed.grant;
  });
  forgetGrants(caller);
  return grant;
}

import { updateGrant } from '../../authorization/store/grant-rows.ts';
import { forgetGrants } from '../../authorization/subject-grants.ts';
import type { Grant } from '../../generated/prisma/client.ts';
import type { Level } from '../../generated/prisma/enums.ts';
import type { Caller } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { NotFoundError } from '../../platform/errors.ts';
import { type GrantAddress, grantText, keyOf, recordGrantChange } from './grant-change.ts';

/**
 * Sets the level of a permission that is there: any level, also one that shuts out whoever sets it.
 *
 * @throws NotFoundError without a row: it inserts none.
 * Source: MLflow's updateExperimentPermission.
 */
export async function updatePermission(caller: Caller, address: GrantAddress, level: Level): Promise<Grant> {
  const grant = await inTransaction(async (tx) => {
    const changed = await updateGrant(tx, keyOf(caller, address), level);
    if (!changed) throw new NotFoundError('grant', grantText(address), ['input']);
    const levels = { before: changed.before, after: level };
    await recordGrantChange(tx, caller, 'permission:update', address, levels);
    return changed.grant;
  });
  forgetGrants(caller);
  return grant;
}

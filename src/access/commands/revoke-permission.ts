import { deleteGrant } from '../../authorization/store/grant-rows.ts';
import { forgetGrants } from '../../authorization/subject-grants.ts';
import type { Grant } from '../../generated/prisma/client.ts';
import type { Caller } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { NotFoundError } from '../../platform/errors.ts';
import { type GrantAddress, grantText, keyOf, recordGrantChange } from './grant-change.ts';

/**
 * Takes a permission away. That closes nothing by itself: the subject falls back to what the next places and the
 * defaults say.
 *
 * @returns the row as it was.
 * @throws NotFoundError without a row: a repeat is told so.
 * Source: MLflow's deleteExperimentPermission.
 */
export async function revokePermission(caller: Caller, address: GrantAddress): Promise<Grant> {
  const grant = await inTransaction(async (tx) => {
    const revoked = await deleteGrant(tx, keyOf(caller, address));
    if (!revoked) throw new NotFoundError('grant', grantText(address), ['input']);
    const levels = { before: revoked.level, after: null };
    await recordGrantChange(tx, caller, 'permission:revoke', address, levels);
    return revoked;
  });
  forgetGrants(caller);
  return grant;
}

import { deleteGrant } from '../../authorization/store/grant-rows.ts';
import type { Grant } from '../../generated/prisma/client.ts';
import type { Caller } from '../../platform/caller.ts';
import { NotFoundError } from '../../platform/errors.ts';
import { changeGrant, type GrantAddress, grantText } from './grant-change.ts';

/**
 * Deletes a grant. That closes nothing by itself: the subject then has what the next resources and the defaults give.
 *
 * @returns the grant as it was.
 * @throws NotFoundError without a grant: a repeat is told so.
 * Source: MLflow's deleteExperimentPermission.
 */
export async function revokePermission(caller: Caller, address: GrantAddress): Promise<Grant> {
  return await changeGrant(caller, 'permission:revoke', address, async (tx, key) => {
    const grant = await deleteGrant(tx, key);
    if (!grant) throw new NotFoundError('grant', grantText(address), ['input']);
    return { grant, before: grant.level, after: null };
  });
}

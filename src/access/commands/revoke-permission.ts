import { deleteGrant } from '../../authorization/store/grant-rows.ts';
import type { Grant } from '../../generated/prisma/client.ts';
import type { Caller } from '../../platform/caller.ts';
import { NotFoundError } from '../../platform/errors.ts';
import { changeGrant, type GrantAddress, grantText } from './grant-change.ts';

/**
 * Deletes a grant. This does not necessarily hide the resource: other grants and the defaults may still give the
 * subject a level.
 *
 * @returns the deleted grant.
 * @throws NotFoundError if there is no grant, for example because the call is repeated.
 * Source: MLflow's deleteExperimentPermission.
 */
export async function revokePermission(caller: Caller, address: GrantAddress): Promise<Grant> {
  return await changeGrant(caller, 'permission:revoke', address, async (tx, key) => {
    const grant = await deleteGrant(tx, key);
    if (!grant) throw new NotFoundError('grant', grantText(address), ['input']);
    return { grant, before: grant.level, after: null };
  });
}

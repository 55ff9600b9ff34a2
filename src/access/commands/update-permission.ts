import { updateGrant } from '../../authorization/store/grant-rows.ts';
import type { Grant } from '../../generated/prisma/client.ts';
import type { Level } from '../../generated/prisma/enums.ts';
import type { Caller } from '../../platform/caller.ts';
import { NotFoundError } from '../../platform/errors.ts';
import { changeGrant, type GrantAddress, grantText } from './grant-change.ts';

/**
 * Changes the level of an existing grant. Every level is allowed, even one that hides the resource from the caller.
 *
 * @throws NotFoundError if there is no grant. It never creates one.
 * Source: MLflow's updateExperimentPermission.
 */
export async function updatePermission(caller: Caller, address: GrantAddress, level: Level): Promise<Grant> {
  return await changeGrant(caller, 'permission:update', address, async (tx, key) => {
    const change = await updateGrant(tx, key, level);
    if (!change) throw new NotFoundError('grant', grantText(address), ['input']);
    return { ...change, after: level };
  });
}

import { updateGrant } from '../../authorization/store/grant-rows.ts';
import type { Grant } from '../../generated/prisma/client.ts';
import type { Level } from '../../generated/prisma/enums.ts';
import type { Caller } from '../../platform/caller.ts';
import { NotFoundError } from '../../platform/errors.ts';
import { changeGrant, type GrantAddress, grantText } from './grant-change.ts';

/**
 * Sets the level of a grant that is there: any level, also one that shuts out the caller.
 *
 * @throws NotFoundError without a grant: it inserts none.
 * Source: MLflow's updateExperimentPermission.
 */
export async function updatePermission(caller: Caller, address: GrantAddress, level: Level): Promise<Grant> {
  return await changeGrant(caller, 'permission:update', address, async (tx, key) => {
    const change = await updateGrant(tx, key, level);
    if (!change) throw new NotFoundError('grant', grantText(address), ['input']);
    return { ...change, after: level };
  });
}

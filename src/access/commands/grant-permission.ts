import { insertGrant } from '../../authorization/store/grant-rows.ts';
import type { Grant } from '../../generated/prisma/client.ts';
import type { Level } from '../../generated/prisma/enums.ts';
import type { Caller } from '../../platform/caller.ts';
import { isForeignKeyViolation } from '../../platform/database/failures.ts';
import { AlreadyExistsError, NotFoundError } from '../../platform/errors.ts';
import { changeGrant, type GrantAddress, grantText } from './grant-change.ts';

/**
 * Grants a user or group a level on a resource. It only inserts: an existing grant does not change, whatever its level.
 *
 * @throws AlreadyExistsError; NotFoundError if the subject was deleted in the meantime.
 * Source: MLflow's createExperimentPermission.
 */
export async function grantPermission(caller: Caller, address: GrantAddress, level: Level): Promise<Grant> {
  try {
    return await changeGrant(caller, 'permission:grant', address, async (tx, key) => {
      const grant = await insertGrant(tx, key, level);
      if (grant) return { grant, before: null, after: level };
      throw new AlreadyExistsError(`grant ${grantText(address)} already exists`, { path: ['input'] });
    });
  } catch (error) {
    const kind = 'userId' in address.subject ? 'user' : 'group';
    if (isForeignKeyViolation(error)) throw new NotFoundError(kind, address.subject.name, ['input']);
    throw error;
  }
}

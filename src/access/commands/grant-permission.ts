import { insertGrant } from '../../authorization/store/grant-rows.ts';
import { forgetGrants } from '../../authorization/subject-grants.ts';
import type { Grant } from '../../generated/prisma/client.ts';
import type { Level } from '../../generated/prisma/enums.ts';
import type { Caller } from '../../platform/caller.ts';
import { isForeignKeyViolation } from '../../platform/database/failures.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { AlreadyExistsError, NotFoundError } from '../../platform/errors.ts';
import { type GrantAddress, grantText, keyOf, recordGrantChange } from './grant-change.ts';

/**
 * Gives a user or group a level on a resource. It only inserts: a row that is there stays, whatever its level.
 *
 * @throws AlreadyExistsError; NotFoundError when the subject was deleted meanwhile.
 * Source: MLflow's createExperimentPermission.
 */
export async function grantPermission(caller: Caller, address: GrantAddress, level: Level): Promise<Grant> {
  try {
    const grant = await inTransaction(async (tx) => {
      const made = await insertGrant(tx, keyOf(caller, address), level);
      if (!made)
        throw new AlreadyExistsError(`permission ${grantText(address)} exists already`, { path: ['input'] });
      await recordGrantChange(tx, caller, 'permission:grant', address, { before: null, after: level });
      return made;
    });
    forgetGrants(caller);
    return grant;
  } catch (error) {
    const kind = 'userId' in address.subject ? 'user' : 'group';
    if (isForeignKeyViolation(error)) throw new NotFoundError(kind, address.subject.name, ['input']);
    throw error;
  }
}

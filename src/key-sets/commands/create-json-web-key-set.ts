import type { JWK } from 'jose';
import { recordChange } from '../../authorization/audit.ts';
import { followAccessChanges } from '../../authorization/store/changes.ts';
import type { Caller } from '../../platform/caller.ts';
import { isUniqueViolation } from '../../platform/database/failures.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { AlreadyExistsError, InvalidArgumentError, ResourceExhaustedError } from '../../platform/errors.ts';
import { MAX_KEYS, type NewKey, newKeyProblems, stateOfAdded } from '../domain/key-sets.ts';
import { generateKey } from '../generate-key.ts';
import { insertKey, type KeyRow, keysOfSet, lockOrCreateSet } from '../store.ts';

export interface CreatedKey {
  readonly key: KeyRow;
  /** The whole key. Nothing else shows it, except an export. */
  readonly privateJwk: JWK;
}

/**
 * Makes a key and adds it to a set; the set is created if there is none. The first key of its use and algorithm is
 * CURRENT, others are NEXT.
 *
 * @throws InvalidArgumentError with all problems; AlreadyExistsError if the set has the `kid`; ResourceExhaustedError if
 * the set is full. Source: Hydra's createJsonWebKeySet, whose new keys sign at once.
 */
export async function createJsonWebKeySet(caller: Caller, wanted: NewKey): Promise<CreatedKey> {
  const problems = newKeyProblems(wanted);
  if (problems.length > 0) throw new InvalidArgumentError(problems);
  const { set: name } = wanted;
  const { tenantId } = caller;
  const made = await generateKey(wanted, wanted.kid);
  try {
    return await inTransaction(async (tx) => {
      followAccessChanges(tx);
      const id = await lockOrCreateSet(tx, { tenantId, name });
      const keys = await keysOfSet(tx, id);
      if (keys.length >= MAX_KEYS) throw new ResourceExhaustedError(`a set has at most ${MAX_KEYS} keys`);
      const state = stateOfAdded(made, keys);
      const key = await insertKey(tx, { id, tenantId }, made, { state, at: new Date() });
      const { kid, alg, use } = made;
      const target = { type: 'json web key', id: key.id, name: `${name}/${kid}` } as const;
      await recordChange(tx, caller, {
        action: 'jsonWebKey:administer',
        target,
        after: { kid, alg, use, state },
      });
      return { key, privateJwk: made.privateJwk };
    });
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw new AlreadyExistsError(`the set ${name} already has a key ${made.kid}`, { path: ['input', 'kid'] });
  }
}

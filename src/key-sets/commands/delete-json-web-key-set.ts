import { recordChange } from '../../authorization/audit.ts';
import { followAccessChanges } from '../../authorization/store/changes.ts';
import type { Caller } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { InvalidArgumentError } from '../../platform/errors.ts';
import { anySetNameProblems } from '../domain/key-sets.ts';
import { deleteKeys, deleteSet, keysOfSet, lockSet } from '../store.ts';

/**
 * Deletes a set with all its keys. What they have signed does not verify any more. If the server needs the set itself,
 * it makes new keys.
 *
 * @returns how many keys there were; 0 if there is no such set, which is not an error.
 * @throws InvalidArgumentError if no set can have the name.
 */
export async function deleteJsonWebKeySet(caller: Caller, name: string): Promise<number> {
  requireName(name);
  return await inTransaction(async (tx) => {
    followAccessChanges(tx);
    const id = await lockSet(tx, { tenantId: caller.tenantId, name });
    if (!id) return 0;
    const kids = (await keysOfSet(tx, id)).map(({ kid }) => kid);
    await deleteSet(tx, id);
    const target = { type: 'json web key set', id, name } as const;
    await recordChange(tx, caller, { action: 'jsonWebKey:administer', target, before: { kids } });
    return kids.length;
  });
}

/**
 * Deletes one key of a set. What it has signed does not verify any more.
 *
 * @returns whether there was such a key.
 * @throws InvalidArgumentError if no set can have the name.
 */
export async function deleteJsonWebKey(
  caller: Caller,
  { set: name, kid }: { readonly set: string; readonly kid: string },
): Promise<boolean> {
  requireName(name);
  return await inTransaction(async (tx) => {
    followAccessChanges(tx);
    const setId = await lockSet(tx, { tenantId: caller.tenantId, name });
    const key = setId && (await keysOfSet(tx, setId)).find((one) => one.kid === kid);
    if (!key) return false;
    await deleteKeys(tx, [key.id]);
    const { id, alg, use, state } = key;
    const target = { type: 'json web key', id, name: `${name}/${kid}` } as const;
    await recordChange(tx, caller, { action: 'jsonWebKey:administer', target, before: { alg, use, state } });
    return true;
  });
}

function requireName(name: string): void {
  const problems = anySetNameProblems(name);
  if (problems.length > 0) throw new InvalidArgumentError(problems);
}

import { recordChange } from '../../authorization/audit.ts';
import { followAccessChanges } from '../../authorization/store/changes.ts';
import type { JsonWebKeySet } from '../../generated/prisma/client.ts';
import type { Caller } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { InvalidArgumentError, type Problem, ResourceExhaustedError } from '../../platform/errors.ts';
import { type KeyParts, readImportedKey } from '../domain/imported-keys.ts';
import { MAX_KEYS, setNameProblems, stateOfAdded } from '../domain/key-sets.ts';
import { deleteKeys, insertKey, type KeyRow, keysOfSet, lockOrCreateSet, replaceKey } from '../store.ts';

/**
 * Replaces all keys of a set by keys that the operator brings; the set is created if there is none. They are in the
 * order of the list, newest first: the first key of each use and algorithm is CURRENT, the others are RETIRED.
 *
 * @throws InvalidArgumentError with all problems. Source: Hydra's updateJsonWebKeySet.
 */
export async function updateJsonWebKeySet(
  caller: Caller,
  { set: name, keys: given }: { readonly set: string; readonly keys: readonly unknown[] },
): Promise<JsonWebKeySet> {
  const keys = readAll(name, given);
  const { tenantId } = caller;
  return await inTransaction(async (tx) => {
    followAccessChanges(tx);
    const id = await lockOrCreateSet(tx, { tenantId, name });
    const before = await keysOfSet(tx, id);
    await deleteKeys(
      tx,
      before.map((key) => key.id),
    );
    const at = new Date();
    const states = keys.map((key, index) =>
      keys.findIndex(({ alg, use }) => alg === key.alg && use === key.use) === index ? 'CURRENT' : 'RETIRED',
    );
    // Later ids are newer, so the last of the list comes first.
    for (const [index, key] of [...keys.entries()].reverse())
      await insertKey(tx, { id, tenantId }, key, { state: states[index] ?? 'RETIRED', at });
    const kids = (rows: readonly { kid: string }[]) => ({ kids: rows.map(({ kid }) => kid) });
    await recordChange(tx, caller, {
      action: 'jsonWebKey:administer',
      target: { type: 'json web key set', id, name },
      before: kids(before),
      after: kids(keys),
    });
    return await tx.jsonWebKeySet.findUniqueOrThrow({ where: { id } });
  });
}

/** @throws InvalidArgumentError with all problems. */
function readAll(name: string, given: readonly unknown[]): KeyParts[] {
  const problems: Problem[] = setNameProblems(name);
  const fault = (path: readonly string[], message: string, code = 'InvalidValue') =>
    problems.push({ path: ['input', 'keys', ...path], code, message });
  if (given.length > MAX_KEYS) fault([], `a set has at most ${MAX_KEYS} keys`);
  const keys: KeyParts[] = [];
  for (const [index, value] of given.slice(0, MAX_KEYS).entries()) {
    const key = readImportedKey(value, ['input', 'keys', String(index)]);
    if (Array.isArray(key)) problems.push(...key);
    else if (keys.some(({ kid }) => kid === key.kid))
      fault([String(index), 'kid'], `kid ${key.kid} is given twice`, 'DuplicateId');
    else keys.push(key);
  }
  if (problems.length > 0) throw new InvalidArgumentError(problems);
  return keys;
}

/**
 * Stores a key that the operator brings: it replaces the key of the set with its `kid`, or is added. The set is created
 * if there is none. A key that is replaced keeps its state, unless its use or algorithm changes.
 *
 * @throws InvalidArgumentError with all problems, also if the `kid` of the key is another one; ResourceExhaustedError if
 * the set is full. Source: Hydra's updateJsonWebKey, which takes the `kid` of the body.
 */
export async function updateJsonWebKey(
  caller: Caller,
  { set: name, kid, key: given }: { readonly set: string; readonly kid: string; readonly key: unknown },
): Promise<KeyRow> {
  const key = readImportedKey(given, ['input', 'key']);
  const problems = [...setNameProblems(name), ...(Array.isArray(key) ? key : [])];
  if (problems.length > 0 || Array.isArray(key)) throw new InvalidArgumentError(problems);
  if (key.kid !== kid) throw InvalidArgumentError.of(['input', 'kid'], 'the key has another kid');
  const { tenantId } = caller;
  return await inTransaction(async (tx) => {
    followAccessChanges(tx);
    const id = await lockOrCreateSet(tx, { tenantId, name });
    const keys = await keysOfSet(tx, id);
    const before = keys.find((one) => one.kid === kid);
    const isSameKind = before?.alg === key.alg && before.use === key.use;
    if (!before && keys.length >= MAX_KEYS)
      throw new ResourceExhaustedError(`a set has at most ${MAX_KEYS} keys`);
    if (before && !isSameKind) await deleteKeys(tx, [before.id]);
    const state = stateOfAdded(
      key,
      keys.filter((one) => one !== before),
    );
    const row =
      before && isSameKind
        ? await replaceKey(tx, before.id, key)
        : await insertKey(tx, { id, tenantId }, key, { state, at: new Date() });
    const { alg, use } = key;
    await recordChange(tx, caller, {
      action: 'jsonWebKey:administer',
      target: { type: 'json web key', id: row.id, name: `${name}/${kid}` },
      before: before ? { alg: before.alg, use: before.use, state: before.state } : null,
      after: { alg, use, state: row.state },
    });
    return row;
  });
}

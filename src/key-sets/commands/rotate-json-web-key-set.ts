import { recordChange } from '../../authorization/audit.ts';
import { followAccessChanges } from '../../authorization/store/changes.ts';
import type { JsonWebKeySet } from '../../generated/prisma/client.ts';
import type { Caller } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { FailedPreconditionError, InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import {
  isOwnSet,
  kindsOf,
  MAX_KEYS,
  type Promotion,
  PUBLISHED_SECONDS,
  promotionOf,
} from '../domain/key-sets.ts';
import { generateKey } from '../generate-key.ts';
import {
  activateKey,
  deleteKeys,
  insertKey,
  type KeyRow,
  keysOfSet,
  lockSet,
  readKeySets,
  readKeysOfSets,
  retireKey,
} from '../store.ts';

/**
 * Lets the next key of each use and algorithm sign, retires the one that has signed, and publishes a new next key. What
 * the retired key has signed still verifies. A kind of key without a next one only gets one, so that nobody meets a
 * signature of an unpublished key.
 *
 * @param keepRetired  how many retired keys to keep, the newest ones; null for all.
 * @throws NotFoundError; InvalidArgumentError; FailedPreconditionError if the set has no keys, or would have too many,
 * or if the next key of one of the server's own sets is so new that another server may not know it yet.
 */
export async function rotateJsonWebKeySet(
  caller: Caller,
  { set: name, keepRetired }: { readonly set: string; readonly keepRetired: number | null },
): Promise<JsonWebKeySet> {
  if (keepRetired !== null && keepRetired < 0)
    throw InvalidArgumentError.of(['input', 'keepRetired'], 'must not be negative');
  const { tenantId } = caller;
  const absent = () => new NotFoundError('json web key set', name, ['input', 'set']);
  const [found] = await readKeySets(tenantId, [{ name }]);
  if (!found) throw absent();
  const kinds = kindsOf(await readKeysOfSets(tenantId, [found.id]));
  if (kinds.length === 0) throw new FailedPreconditionError(`the set ${name} has no key that signs`);
  const next = await Promise.all(kinds.map((kind) => generateKey(kind)));
  return await inTransaction(async (tx) => {
    followAccessChanges(tx);
    const id = await lockSet(tx, { tenantId, name });
    if (!id) throw absent();
    const at = new Date();
    const keys = await keysOfSet(tx, id);
    const promotions = next.flatMap((kind) => promotionOf(keys, kind) ?? []);
    if (isOwnSet(name)) requirePublished(promotions, at);
    for (const { promoted, retired } of promotions) {
      if (retired) await retireKey(tx, retired.id, at);
      await activateKey(tx, promoted.id, at);
    }
    for (const key of next) await insertKey(tx, { id, tenantId }, key, { state: 'NEXT', at });
    const after = await keysOfSet(tx, id);
    const ended = after
      .filter(({ state }) => state === 'RETIRED')
      .sort((one, other) => (other.retiredAt?.getTime() ?? 0) - (one.retiredAt?.getTime() ?? 0))
      .slice(keepRetired ?? MAX_KEYS);
    await deleteKeys(
      tx,
      ended.map((key) => key.id),
    );
    if (after.length - ended.length > MAX_KEYS)
      throw new FailedPreconditionError(`a set has at most ${MAX_KEYS} keys; give a lower keepRetired`);
    const kids = (rows: readonly ({ readonly kid: string } | null)[]) =>
      rows.flatMap((row) => row?.kid ?? []);
    await recordChange(tx, caller, {
      action: 'jsonWebKey:administer',
      target: { type: 'json web key set', id, name },
      before: { current: kids(promotions.map(({ retired }) => retired)) },
      after: {
        current: kids(promotions.map(({ promoted }) => promoted)),
        next: kids(next),
        deleted: kids(ended),
      },
    });
    return await tx.jsonWebKeySet.findUniqueOrThrow({ where: { id } });
  });
}

/** @throws FailedPreconditionError */
function requirePublished(promotions: readonly Promotion<KeyRow>[], at: Date): void {
  const since = Math.max(...promotions.map(({ promoted }) => promoted.createdAt.getTime()));
  const left = Math.ceil(PUBLISHED_SECONDS - (at.getTime() - since) / 1000);
  if (left > 0)
    throw new FailedPreconditionError(
      `the next key was published less than ${PUBLISHED_SECONDS} seconds ago, so another server may not know it yet; try again in ${left} seconds`,
    );
}

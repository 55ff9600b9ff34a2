import type { JWK } from 'jose';
import { recordChange } from '../../authorization/audit.ts';
import type { Caller } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { FailedPreconditionError, NotFoundError } from '../../platform/errors.ts';
import { isOwnSet } from '../domain/key-sets.ts';
import { findPrivatePart, openPrivateJwk, readKeys } from '../store.ts';

/**
 * The private part of a key. The audit log records it.
 *
 * @throws NotFoundError; FailedPreconditionError if the key has no private part, or if the server keeps its set itself.
 */
export async function exportJsonWebKey(
  caller: Caller,
  { set, kid }: { readonly set: string; readonly kid: string },
): Promise<JWK> {
  const name = `${set}/${kid}`;
  const [key] = await readKeys(caller.tenantId, [{ key: { set, kid } }]);
  if (!key) throw new NotFoundError('json web key', name, ['input']);
  if (isOwnSet(set)) throw new FailedPreconditionError('the private parts of this set stay in the server');
  return await inTransaction(async (tx) => {
    const privatePart = await findPrivatePart(tx, key.id);
    if (!privatePart) throw new FailedPreconditionError(`the key ${kid} has no private part`);
    const target = { type: 'json web key', id: key.id, name } as const;
    await recordChange(tx, caller, { action: 'jsonWebKey:export', target });
    return openPrivateJwk(privatePart);
  });
}

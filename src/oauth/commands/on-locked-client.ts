import { type AuditedChange, recordChange } from '../../authorization/audit.ts';
import type { Caller } from '../../platform/caller.ts';
import { inTransaction, type Tx } from '../../platform/database/transaction.ts';
import { NotFoundError } from '../../platform/errors.ts';
import { type ClientRow, lockClient } from '../store/clients.ts';

/**
 * Changes a client while nobody else can, and records the change.
 *
 * @param work  gets the client as it is now, and says what the audit log records.
 * @throws NotFoundError if the client was deleted in the meantime.
 */
export async function onLockedClient<T>(
  caller: Caller,
  { id, clientId }: Pick<ClientRow, 'id' | 'clientId'>,
  work: (
    tx: Tx,
    client: ClientRow,
  ) => Promise<Pick<AuditedChange, 'before' | 'after'> & { readonly result: T }>,
): Promise<T> {
  return await inTransaction(async (tx) => {
    const client = await lockClient(tx, id);
    if (!client) throw new NotFoundError('oauth2 client', clientId, ['input', 'by']);
    const { result, ...change } = await work(tx, client);
    await recordChange(tx, caller, {
      action: 'oauth2Client:administer',
      target: { type: 'oauth2 client', id, name: clientId },
      ...change,
    });
    return result;
  });
}

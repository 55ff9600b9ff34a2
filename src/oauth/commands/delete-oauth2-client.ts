import { recordChange } from '../../authorization/audit.ts';
import type { Caller } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { NotFoundError } from '../../platform/errors.ts';
import { type ClientRow, lockClient, removeClient } from '../store/clients.ts';

/**
 * Deletes a client, with everything that it has got: codes, tokens and consents.
 *
 * @throws NotFoundError. Source: Hydra's deleteOAuth2Client.
 */
export async function deleteOAuth2Client(caller: Caller, { id, clientId }: ClientRow): Promise<ClientRow> {
  return await inTransaction(async (tx) => {
    const client = await lockClient(tx, id);
    if (!client) throw new NotFoundError('oauth2 client', clientId, ['input', 'by']);
    await removeClient(tx, id);
    await recordChange(tx, caller, {
      action: 'oauth2Client:administer',
      target: { type: 'oauth2 client', id, name: clientId },
      before: client.settings,
    });
    return client;
  });
}

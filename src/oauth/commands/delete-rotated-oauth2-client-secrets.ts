import { recordChange } from '../../authorization/audit.ts';
import type { Caller } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { NotFoundError } from '../../platform/errors.ts';
import { type ClientRow, keepSecrets, lockClient } from '../store/clients.ts';

/**
 * Deletes the secrets of a client but the newest one: the others stop working at once.
 *
 * @returns how many there were.
 * @throws NotFoundError. Source: Hydra's deleteRotatedSecrets.
 */
export async function deleteRotatedOAuth2ClientSecrets(
  caller: Caller,
  { id, clientId }: ClientRow,
): Promise<{ readonly client: ClientRow; readonly deletedSecrets: number }> {
  return await inTransaction(async (tx) => {
    const client = await lockClient(tx, id);
    if (!client) throw new NotFoundError('oauth2 client', clientId, ['input', 'by']);
    const deletedSecrets = await keepSecrets(tx, id, 1);
    await recordChange(tx, caller, {
      action: 'oauth2Client:administer',
      target: { type: 'oauth2 client', id, name: clientId },
      after: { deletedSecrets },
    });
    return { client, deletedSecrets };
  });
}

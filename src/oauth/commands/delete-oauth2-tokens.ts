import { recordChange } from '../../authorization/audit.ts';
import type { Caller } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import type { ClientRow } from '../store/clients.ts';
import { removeAccessTokens } from '../store/token-records.ts';

/**
 * Ends all access tokens of a client, also those that it has for itself. Its refresh tokens stay.
 *
 * @returns how many there were. Source: Hydra's deleteOAuth2Token.
 */
export async function deleteOAuth2Tokens(caller: Caller, { id, clientId }: ClientRow): Promise<number> {
  return await inTransaction(async (tx) => {
    const deletedTokens = await removeAccessTokens(tx, id);
    await recordChange(tx, caller, {
      action: 'oauth2Token:administer',
      target: { type: 'oauth2 client', id, name: clientId },
      after: { deletedTokens },
    });
    return deletedTokens;
  });
}

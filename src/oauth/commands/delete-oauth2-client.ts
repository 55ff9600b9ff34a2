import { followAccessChanges } from '../../authorization/store/changes.ts';
import type { Caller } from '../../platform/caller.ts';
import { type ClientRow, removeClient } from '../store/clients.ts';
import { onLockedClient } from './on-locked-client.ts';

/**
 * Deletes a client, with everything that it has got: codes, tokens and consents.
 *
 * @throws NotFoundError. Source: Hydra's deleteOAuth2Client.
 */
export function deleteOAuth2Client(caller: Caller, { id, clientId }: ClientRow): Promise<ClientRow> {
  return onLockedClient(caller, { id, clientId }, async (tx, client) => {
    await removeClient(tx, id);
    // Its tokens for Slipway itself have ended.
    followAccessChanges(tx);
    return { result: client, before: client.settings };
  });
}

import type { Caller } from '../../platform/caller.ts';
import { type ClientRow, keepSecrets } from '../store/clients.ts';
import { onLockedClient } from './on-locked-client.ts';

/**
 * Deletes the secrets of a client but the newest one: the others stop working at once.
 *
 * @returns how many there were.
 * @throws NotFoundError. Source: Hydra's deleteRotatedSecrets.
 */
export function deleteRotatedOAuth2ClientSecrets(
  caller: Caller,
  { id, clientId }: ClientRow,
): Promise<{ readonly client: ClientRow; readonly deletedSecrets: number }> {
  return onLockedClient(caller, { id, clientId }, async (tx, client) => {
    const deletedSecrets = await keepSecrets(tx, id, 1);
    return { result: { client, deletedSecrets }, after: { deletedSecrets } };
  });
}

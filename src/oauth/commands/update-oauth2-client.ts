import type { Caller } from '../../platform/caller.ts';
import { readSettings } from '../domain/client-settings.ts';
import type { ClientRow } from '../store/clients.ts';
import { changeClient } from './change-client.ts';
import type { ClientWithSecret } from './create-oauth2-client.ts';

/**
 * Replaces all settings of a client but its lifespans. Settings that are left out get their defaults.
 *
 * @param change.clientSecret  the only secret from now on; null keeps the secrets.
 * @throws InvalidArgumentError with all problems; NotFoundError. Source: Hydra's updateOAuth2Client.
 */
export function updateOAuth2Client(
  caller: Caller,
  client: ClientRow,
  { settings: given, clientSecret }: { readonly settings: object; readonly clientSecret: string | null },
): Promise<ClientWithSecret> {
  const path = ['input', 'client'];
  const settings = readSettings(given, path);
  return changeClient(caller, client, ({ lifespans }) => ({ ...settings, lifespans }), {
    placeOf: (setting) => [...path, setting],
    chosen: clientSecret,
  });
}

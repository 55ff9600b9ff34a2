import type { Caller } from '../../platform/caller.ts';
import { type LifespanName, readLifespans } from '../domain/client-settings.ts';
import type { ClientRow } from '../store/clients.ts';
import { changeClient } from './change-client.ts';

/**
 * Replaces all lifespans of a client. They count for tokens that are issued from now on.
 *
 * @param given  in milliseconds; what is left out or null is as the server says.
 * @throws InvalidArgumentError with all problems; NotFoundError. Source: Hydra's setOAuth2ClientLifespans.
 */
export async function setOAuth2ClientLifespans(
  caller: Caller,
  client: ClientRow,
  given: Readonly<Partial<Record<LifespanName, number | null | undefined>>>,
): Promise<ClientRow> {
  const lifespans = readLifespans(given, ['input', 'lifespans']);
  const placeOf = (setting: string) => ['input', 'by', setting];
  return (await changeClient(caller, client, (before) => ({ ...before, lifespans }), { placeOf })).client;
}

import type { Caller } from '../../platform/caller.ts';
import { metadataName, type PatchOperation, patchedSettings } from '../domain/client-patch.ts';
import type { ClientRow } from '../store/clients.ts';
import { changeClient } from './change-client.ts';
import type { ClientWithSecret } from './create-oauth2-client.ts';

/**
 * Applies a JSON Patch to the settings of a client: all of it or nothing. The secrets stay.
 *
 * @throws InvalidArgumentError with all problems, also if the patch does not fit; NotFoundError. Source: Hydra's
 * patchOAuth2Client, which refuses only `/id`.
 */
export function patchOAuth2Client(
  caller: Caller,
  client: ClientRow,
  patch: readonly PatchOperation[],
): Promise<ClientWithSecret> {
  const path = ['input', 'patch'];
  return changeClient(
    caller,
    client,
    ({ lifespans, ...settings }) => ({ ...patchedSettings(settings, patch, path), lifespans }),
    { placeOf: (setting) => [...path, metadataName(setting)] },
  );
}

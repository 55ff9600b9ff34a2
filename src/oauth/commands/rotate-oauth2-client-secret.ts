import type { Caller } from '../../platform/caller.ts';
import { FailedPreconditionError } from '../../platform/errors.ts';
import { makeSecret } from '../client-secrets.ts';
import { usesSecret } from '../domain/client-settings.ts';
import { type ClientRow, insertSecret, keepSecrets } from '../store/clients.ts';
import type { ClientWithSecret } from './create-oauth2-client.ts';
import { onLockedClient } from './on-locked-client.ts';
import { requireServiceAccount } from './require-service-account.ts';

/** The new secret, and the five newest of those before it. */
const MAX_SECRETS = 6;

/**
 * Gives a client a new secret. The older ones stay valid until they are deleted; the five newest of them are kept.
 *
 * @throws NotFoundError; FailedPreconditionError if the client uses no secret; PermissionDeniedError as changeClient. Source: Hydra's rotateOAuth2ClientSecret.
 */
export function rotateOAuth2ClientSecret(
  caller: Caller,
  { id, clientId }: ClientRow,
): Promise<ClientWithSecret> {
  const { secret, hash } = makeSecret();
  return onLockedClient(caller, { id, clientId }, async (tx, client) => {
    const { tokenEndpointAuthMethod } = client.settings;
    if (!usesSecret(client.settings))
      throw new FailedPreconditionError(`the client uses no secret, but ${tokenEndpointAuthMethod}`, {
        current: tokenEndpointAuthMethod,
      });
    await requireServiceAccount(tx, caller, client);
    await insertSecret(tx, client, hash);
    await keepSecrets(tx, id, MAX_SECRETS);
    return { result: { client, clientSecret: secret }, after: { hasNewSecret: true } };
  });
}

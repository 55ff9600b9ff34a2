import { Provider } from 'oidc-provider';
import { ResourceExhaustedError } from '../../platform/errors.ts';
import { isClientSecret } from '../client-secrets.ts';
import { addressOf } from '../request-address.ts';
import { isAccessKeySecret } from './access-key-client.ts';
import { slipwayOf } from './client-model.ts';
import { tooManyRequests } from './too-many-requests.ts';

/**
 * Whether a client has this secret.
 *
 * @throws TemporarilyUnavailable, with HTTP status 429, if too many wrong secrets were sent.
 */
export async function isSecretOf(client: unknown, secret: string): Promise<boolean> {
  const { accessKey, secretHashes } = slipwayOf(client);
  const { clientId } = client as { readonly clientId: string };
  try {
    return accessKey
      ? await isAccessKeySecret(accessKey.accessKey, secret)
      : await isClientSecret(secret, secretHashes, { clientId, address: addressOf(Provider.ctx?.req) });
  } catch (error) {
    if (!(error instanceof ResourceExhaustedError)) throw error;
    const { retryAfterSeconds = 1 } = error as { readonly retryAfterSeconds?: number };
    throw tooManyRequests(error.message, retryAfterSeconds);
  }
}

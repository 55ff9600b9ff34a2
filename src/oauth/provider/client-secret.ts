import { errors, Provider } from 'oidc-provider';
import { ResourceExhaustedError } from '../../platform/errors.ts';
import { isClientSecret } from '../client-secrets.ts';
import { addressOf } from '../request-address.ts';
import { isAccessKeySecret } from './access-key-client.ts';
import { slipwayOf } from './client-model.ts';

/**
 * Whether a client has this secret.
 *
 * @throws TemporarilyUnavailable, with HTTP status 429, if too many wrong secrets were sent.
 */
export async function isSecretOf(client: unknown, secret: string): Promise<boolean> {
  const { accessKey, secretHashes } = slipwayOf(client);
  const { clientId } = client as { readonly clientId: string };
  const ctx = Provider.ctx;
  try {
    return accessKey
      ? await isAccessKeySecret(accessKey.accessKey, secret)
      : await isClientSecret(secret, secretHashes, { clientId, address: addressOf(ctx?.req) });
  } catch (error) {
    if (!(error instanceof ResourceExhaustedError)) throw error;
    const { retryAfterSeconds = 1 } = error as { readonly retryAfterSeconds?: number };
    ctx?.set('Retry-After', String(retryAfterSeconds));
    throw Object.assign(new errors.TemporarilyUnavailable(error.message), { status: 429, statusCode: 429 });
  }
}

import type { ClientMetadata } from 'oidc-provider';
import { Provider } from 'oidc-provider';
import { isAccessKey, signInByAccessKey } from '../../sign-in/access-key-sign-in.ts';
import { findAccessKey } from '../../sign-in/principals.ts';
import { noLifespans, readSettings } from '../domain/client-settings.ts';
import { addressOf } from '../request-address.ts';
import { PLACEHOLDER, type SlipwayClient } from './client-model.ts';

/**
 * An access key as a client: with its secret it gets tokens for Slipway itself, by the grant client_credentials. So
 * programs that know only OAuth 2, such as Flyte's clients, sign in with an access key.
 */

const settings = { ...readSettings({ grantTypes: ['client_credentials'] }, []), lifespans: noLifespans };

/** Undefined if there is no such key. Whether it is still valid is checked together with its secret. */
export async function findAccessKeyClient(clientId: string): Promise<ClientMetadata | undefined> {
  if (!isAccessKey(clientId)) return undefined;
  const { key } = await findAccessKey(clientId, () => false);
  if (!key) return undefined;
  const { userId, credentialId, tenantId } = key;
  const slipway: SlipwayClient = {
    ...{ id: credentialId, tenantId, settings, secretHashes: [] },
    accessKey: { accessKey: clientId, userId, credentialId },
  };
  return {
    client_id: clientId,
    client_secret: PLACEHOLDER,
    redirect_uris: [],
    grant_types: ['client_credentials'],
    response_types: [],
    token_endpoint_auth_method: 'client_secret_basic',
    slipway,
  } as ClientMetadata;
}

export async function isAccessKeySecret(accessKey: string, secret: string): Promise<boolean> {
  const from = { address: addressOf(Provider.ctx?.req), worker: null };
  return (await signInByAccessKey(accessKey, secret, from)) !== null;
}

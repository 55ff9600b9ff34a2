import type { ClientMetadata } from 'oidc-provider';
import { findOrMakeClient } from '../commands/find-or-make-client.ts';
import { DEVICE_CODE, JWT_BEARER, TOKEN_EXCHANGE, usesSecret } from '../domain/client-settings.ts';
import { isNative } from '../domain/client-uris.ts';
import type { EngineClient } from '../store/clients.ts';

/** Our part of a client of the engine, under the name `slipway`. */
export interface SlipwayClient extends Pick<EngineClient, 'id' | 'tenantId' | 'secretHashes' | 'settings'> {
  /** If the client is an access key. Then `id` is the id of the access key. */
  readonly accessKey: {
    readonly accessKey: string;
    readonly userId: string;
    readonly credentialId: string;
  } | null;
}

export const slipwayOf = (client: unknown): SlipwayClient =>
  (client as { readonly slipway: SlipwayClient }).slipway;

/** The engine compares secrets with our function, and needs some text for a client that has one. */
export const PLACEHOLDER = 'the hashes are in slipway.secretHashes';
/** The grants that the engine knows. */
const knownGrants = new Set([
  'authorization_code',
  'refresh_token',
  'client_credentials',
  'implicit',
  DEVICE_CODE,
  JWT_BEARER,
  TOKEN_EXCHANGE,
]);

/** A client as the engine reads it; undefined if there is none. */
export async function findEngineClient(clientId: string): Promise<ClientMetadata | undefined> {
  const client = await findOrMakeClient(clientId);
  return client ? metadataOf(client) : undefined;
}

function metadataOf({ id, tenantId, clientId, secretHashes, settings }: EngineClient): ClientMetadata {
  const { redirectUris, tokenEndpointAuthMethod, jwks, jwksUri, tokenEndpointAuthSigningAlg } = settings;
  const { requestObjectSigningAlg } = settings;
  const canRedirect = redirectUris.length > 0;
  const grants = settings.grantTypes.filter((grant) => knownGrants.has(grant));
  const types = settings.responseTypes.filter((type) => {
    const needsImplicit = type !== 'code';
    return grants.includes('authorization_code') && (!needsImplicit || grants.includes('implicit'));
  });
  const slipway: SlipwayClient = { id, tenantId, secretHashes, settings, accessKey: null };
  return {
    client_id: clientId,
    client_name: settings.clientName || undefined,
    ...(usesSecret(settings) ? { client_secret: PLACEHOLDER } : {}),
    application_type: isNative(redirectUris) ? 'native' : 'web',
    redirect_uris: [...redirectUris],
    grant_types: canRedirect ? grants : grants.filter((grant) => !/authorization_code|implicit/.test(grant)),
    response_types: canRedirect ? types : [],
    token_endpoint_auth_method: tokenEndpointAuthMethod,
    ...(tokenEndpointAuthSigningAlg && tokenEndpointAuthMethod === 'private_key_jwt'
      ? { token_endpoint_auth_signing_alg: tokenEndpointAuthSigningAlg }
      : {}),
    ...(requestObjectSigningAlg ? { request_object_signing_alg: requestObjectSigningAlg } : {}),
    ...(jwks ? { jwks } : {}),
    post_logout_redirect_uris: [...settings.postLogoutRedirectUris],
    ...(settings.backchannelLogoutUri
      ? { backchannel_logout_uri: settings.backchannelLogoutUri, backchannel_logout_session_required: true }
      : {}),
    ...(jwksUri ? { jwks_uri: jwksUri } : {}),
    slipway,
  } as ClientMetadata;
}

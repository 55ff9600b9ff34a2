import { findOrMakeClient } from './commands/find-or-make-client.ts';
import { FLYTECTL } from './domain/own-clients.ts';
import { wordsOf } from './domain/scopes.ts';

/** How Flyte's tools sign people in. Source: Flyte's `auth.proto`, PublicClientAuthConfigResponse. */
export interface PublicClientConfig {
  readonly clientId: string;
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  /** The name under which calls carry the access token. */
  readonly authorizationMetadataKey: string;
  readonly serviceHttpEndpoint: string;
  readonly audience: string;
}

/** Flyte's tools ask for these: everything, and a refresh token. */
const FLYTE_SCOPES = ['all', 'offline'];

/** @param issuer  the URL of the server for its callers. @returns null if the client has no redirect URI any more. */
export async function publicClientConfig(issuer: string): Promise<PublicClientConfig | null> {
  const client = await findOrMakeClient(FLYTECTL);
  const [redirectUri] = client?.settings.redirectUris ?? [];
  if (!client || redirectUri === undefined) return null;
  const allowed = wordsOf(client.settings.scope);
  return {
    clientId: client.clientId,
    redirectUri,
    scopes: FLYTE_SCOPES.filter((scope) => allowed.includes(scope)),
    authorizationMetadataKey: 'authorization',
    serviceHttpEndpoint: issuer,
    audience: issuer,
  };
}

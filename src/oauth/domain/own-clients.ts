import { accountOf } from './accounts.ts';
import { type ClientSettings, DEVICE_CODE, readSettings } from './client-settings.ts';

/**
 * The clients that Slipway itself brings. They are stored like others, in the first tenant, so an administrator can see
 * and change them; users of all tenants can sign in to them.
 */

/** The client of Flyte's tools. Source: flyteadmin's defaults for its own authorization server. */
export const FLYTECTL = 'flytectl';

/** The command line `slipway`, which signs in with the device flow. */
export const SLIPWAY_CLI = 'slipway-cli';

const SCOPES = 'openid offline offline_access all';

const ownClients: Readonly<Record<string, object>> = {
  [FLYTECTL]: {
    clientName: 'Flyte',
    redirectUris: ['http://localhost:53593/callback'],
    grantTypes: ['authorization_code', 'refresh_token', DEVICE_CODE],
    scope: SCOPES,
    tokenEndpointAuthMethod: 'none',
  },
  [SLIPWAY_CLI]: {
    clientName: 'the slipway command line',
    grantTypes: ['refresh_token', DEVICE_CODE],
    scope: SCOPES,
    tokenEndpointAuthMethod: 'none',
  },
};

export const isOwnClient = (clientId: string): boolean => Object.hasOwn(ownClients, clientId);

/** Whether a client may use the session of a person: of one of its own tenant, or of anybody if it is one of ours. */
export const mayUseSession = (
  { clientId, tenantId }: { readonly clientId: string; readonly tenantId: string },
  accountId: string,
): boolean => accountOf(accountId).tenantId === tenantId || isOwnClient(clientId);

/** What a client of Slipway's own is made with; null for another client. */
export function ownClientSettings(clientId: string): ClientSettings | null {
  const settings = isOwnClient(clientId) ? ownClients[clientId] : null;
  return settings ? readSettings(settings, []) : null;
}

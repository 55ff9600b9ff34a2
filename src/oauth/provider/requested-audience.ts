import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import { wordsOf } from '../domain/scopes.ts';
import { isSlipwayScope } from '../domain/slipway-tokens.ts';
import { requireAllowedAudience } from './audience.ts';
import { RESOURCE, resourcesOf } from './resources.ts';
import { resourceServerInfo } from './scopes.ts';

/**
 * Checks what an authorization request, or a device, names with `audience` and with `resource`, and makes both the
 * audience of the request: the consent app is asked about it, and what it grants limits the tokens.
 *
 * @throws InvalidTarget
 */
export async function settleAudience(ctx: KoaContextWithOIDC, client: never): Promise<void> {
  const { issuer, params, provider } = ctx.oidc;
  if (!params) return;
  const resources = resourcesOf(params['resource']);
  requireSlipwayNamed(resources, wordsOf(params['scope'] as string | undefined), issuer);
  const audience = [...new Set([...wordsOf(params['audience'] as string | undefined), ...resources])];
  requireAllowedAudience(client, audience);
  if (resources.length === 0) return;
  params['audience'] = audience.join(' ');
  params['resource'] = RESOURCE;
  const { resourceServers } = ctx.oidc as unknown as { readonly resourceServers: Record<string, unknown> };
  for (const resource of Object.keys(resourceServers)) delete resourceServers[resource];
  const info = await resourceServerInfo(ctx, RESOURCE, client);
  resourceServers[RESOURCE] = new provider.ResourceServer(RESOURCE, info);
}

/**
 * A client that names other resource servers, and not Slipway, sends its token to them. It must not be a token for Slipway.
 *
 * @throws InvalidTarget
 */
export function requireSlipwayNamed(
  resources: readonly string[],
  scopes: readonly string[],
  issuer: string,
): void {
  if (resources.length > 0 && !resources.includes(issuer) && scopes.some(isSlipwayScope))
    throw new errors.InvalidTarget('scopes of Slipway need its address among the resources');
}

import { decodeJwt } from 'jose';
import { errors, type KoaContextWithOIDC, type ResourceServer } from 'oidc-provider';
import { isScopeAllowed, wantsRefreshToken, wordsOf } from '../domain/scopes.ts';
import { isSlipwayScope } from '../domain/slipway-tokens.ts';
import { requireAllowedAudience } from './audience.ts';
import { slipwayOf } from './client-model.ts';
import { RESOURCE, resourcesOf } from './resources.ts';

/**
 * The scopes of clients are not known when the engine starts, and may have wildcards. The engine drops scopes that it
 * does not know without a word. So all tokens are for one resource of its own, whose scopes are decided for each
 * request: those that were requested, if the client may have them.
 */

/** The scopes that the engine itself gives a meaning to. */
export const protocolScopes = ['openid', 'offline', 'offline_access'];

/** The scopes that the request is about: of its parameters, or of the code or token that it redeems. */
function requestedScopes({ oidc }: KoaContextWithOIDC): string[] {
  const { AuthorizationCode, RefreshToken, DeviceCode } = oidc.entities;
  // While its person signs in, a device code has no scopes yet.
  const redeemed = oidc.route === 'token' ? DeviceCode : undefined;
  const source = (RefreshToken ?? AuthorizationCode ?? redeemed) as { readonly scope?: string } | undefined;
  return wordsOf(source ? source.scope : (oidc.params?.['scope'] as string | undefined));
}

/** @throws InvalidScope for a scope that the client may not have now, even if it had it before. */
export function requireAllowedScopes(ctx: KoaContextWithOIDC, client: unknown): string[] {
  const { accessKey, settings } = slipwayOf(client);
  const isAllowed = (scope: string) =>
    accessKey ? isSlipwayScope(scope) || wantsRefreshToken([scope]) : isScopeAllowed(scope, settings.scope);
  const scopes = requestedScopes(ctx);
  const refused = scopes.find((scope) => !isAllowed(scope));
  if (refused !== undefined) throw new errors.InvalidScope('the client may not have this scope', refused);
  return scopes;
}

/** @throws InvalidTarget for a resource server that the client may not ask for; InvalidScope */
export async function resourceServerInfo(
  ctx: KoaContextWithOIDC,
  resource: string,
  client: unknown,
): Promise<ResourceServer> {
  if (resource !== RESOURCE) requireAllowedAudience(client, resourcesOf(resource));
  const scope = requireAllowedScopes(ctx, client).join(' ');
  return { scope, accessTokenFormat: 'opaque' } as unknown as ResourceServer;
}

/**
 * The engine drops `offline_access` unless `prompt=consent` is given. Our consent app is called anyway, so it comes
 * back, if the client had asked for it.
 */
export function keepOfflineAccess(
  ctx: KoaContextWithOIDC,
  client: { grantTypeAllowed(grant: string): boolean },
): void {
  const { params } = ctx.oidc;
  const asked = wordsOf(scopeAsAsked(ctx));
  if (!params || !asked.includes('offline_access') || !client.grantTypeAllowed('refresh_token')) return;
  params['scope'] = [...new Set([...wordsOf(params['scope'] as string), 'offline_access'])].join(' ');
}

/** The scope of a request before the engine has changed it: pushed, in a signed request object, or as a parameter. */
function scopeAsAsked({ oidc, query }: KoaContextWithOIDC): string | undefined {
  const { entities, body } = oidc as unknown as {
    readonly entities: { readonly PushedAuthorizationRequest?: { readonly request: string } };
    readonly body?: Readonly<Record<string, unknown>>;
  };
  const sent = body ?? query;
  const object = entities.PushedAuthorizationRequest?.request ?? sent['request'];
  const { scope } = typeof object === 'string' ? decodeJwt(object) : sent;
  return typeof scope === 'string' ? scope : undefined;
}

export const issuesRefreshToken = async (
  _ctx: KoaContextWithOIDC,
  client: { grantTypeAllowed(grant: string): boolean },
  source: { readonly scopes: Set<string> },
): Promise<boolean> => client.grantTypeAllowed('refresh_token') && wantsRefreshToken(source.scopes);

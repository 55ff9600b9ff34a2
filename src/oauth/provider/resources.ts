import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import { isResource } from '../domain/audience.ts';
import { DEVICE_CODE } from '../domain/client-settings.ts';

/**
 * Resource indicators (RFC 8707). With `resource`, a client names the resource servers that it wants tokens for. We read it as
 * one more way to say `audience`. The engine would keep the scopes of each resource apart, and clients know only one
 * kind of scopes here. So for the engine, all tokens are for one resource of its own.
 */

export const RESOURCE = 'urn:slipway:oauth2';

const named = new WeakMap<object, readonly string[]>();

/** The resource servers that a request to the token endpoint names. */
export const namedResources = (ctx: object): readonly string[] => named.get(ctx) ?? [];

/** Takes the resource servers out of a request to the token endpoint, before the engine reads it. @throws InvalidTarget */
export function noteResources(ctx: KoaContextWithOIDC): void {
  const { params } = ctx.oidc;
  named.set(ctx, resourcesOf(params?.['resource']));
  if (params) params['resource'] = undefined;
}

/** @throws InvalidTarget for a value that cannot name a resource server. */
export function resourcesOf(value: unknown): string[] {
  const resources = [value ?? []].flat();
  if (!resources.every(isResource))
    throw new errors.InvalidTarget('a resource must be an absolute URI without a fragment');
  return [...new Set(resources)].filter((one) => one !== RESOURCE);
}

/** The grants that redeem what a person has granted before. */
const redemptions: readonly unknown[] = ['authorization_code', 'refresh_token', DEVICE_CODE];

/** Whether the request redeems what a person has granted before. */
export const isRedemption = ({ oidc }: KoaContextWithOIDC): boolean =>
  oidc.route === 'token' && redemptions.includes(oidc.params?.['grant_type']);

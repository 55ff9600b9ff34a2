import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import { isAudienceAllowed } from '../domain/audience.ts';
import { wordsOf } from '../domain/scopes.ts';
import { slipwayOf } from './client-model.ts';
import { isRedemption, namedResources } from './resources.ts';

/** @throws InvalidTarget for an audience that the client may not ask for. */
export function requireAllowedAudience(client: unknown, audience: readonly string[]): void {
  const { settings } = slipwayOf(client);
  if (!audience.every((one) => isAudienceAllowed(one, settings.audience)))
    throw new errors.InvalidTarget('the client may not ask for this audience');
}

/**
 * For whom an access token is: what the person has granted, or the part of it that the client names; without a person,
 * what the client asks for.
 *
 * @throws InvalidTarget
 */
export function grantedAudience(ctx: KoaContextWithOIDC): readonly string[] {
  const { oidc } = ctx;
  const resources = namedResources(ctx);
  const { Grant } = oidc.entities;
  if (Grant && isRedemption(ctx) && resources.length > 0) return resources;
  if (Grant) return audienceOf(Grant);
  // The engine keeps only the parameters that it knows.
  const { body } = oidc as { readonly body?: { readonly audience?: string | string[] } };
  const audience = [...new Set([...[body?.audience ?? []].flat().flatMap(wordsOf), ...resources])];
  requireAllowedAudience(oidc.client, audience);
  return audience;
}

/** What a person has granted. */
export const audienceOf = (grant: object): readonly string[] =>
  (grant as { readonly audience?: readonly string[] }).audience ?? [];

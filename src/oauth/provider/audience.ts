import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import { isAudienceAllowed } from '../domain/audience.ts';
import { wordsOf } from '../domain/scopes.ts';
import { slipwayOf } from './client-model.ts';

/** @throws InvalidTarget for an audience that the client may not ask for. */
export function requireAllowedAudience(client: unknown, audience: readonly string[]): void {
  const { settings } = slipwayOf(client);
  if (!audience.every((one) => isAudienceAllowed(one, settings.audience)))
    throw new errors.InvalidTarget('the client may not ask for this audience');
}

/**
 * For whom an access token is: what the person has granted, or, without a person, what the client asks for.
 *
 * @throws InvalidTarget
 */
export function grantedAudience({ oidc }: KoaContextWithOIDC): readonly string[] {
  const { Grant } = oidc.entities;
  if (Grant) return (Grant as { readonly audience?: readonly string[] }).audience ?? [];
  // The engine keeps only the parameters that it knows.
  const { body } = oidc as { readonly body?: { readonly audience?: string | string[] } };
  const audience = [body?.audience ?? []].flat().flatMap(wordsOf);
  requireAllowedAudience(oidc.client, audience);
  return audience;
}

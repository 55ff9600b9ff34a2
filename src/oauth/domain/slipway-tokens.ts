import { isScope } from '../../authorization/domain/permissions.ts';

/** Allows everything that the user may do. Source: Flyte's clients ask for it. */
const EVERYTHING = 'all';

/** Whether a scope says what a token may do in Slipway itself. */
export const isSlipwayScope = (scope: string): boolean => scope === EVERYTHING || isScope(scope);

/** Whether an access token is for Slipway itself: its audience or a scope says so. */
export const isForSlipway = (
  { scopes, audience }: { readonly scopes: readonly string[]; readonly audience: readonly string[] },
  publicUrl: string,
): boolean => audience.includes(publicUrl) || scopes.some(isSlipwayScope);

/** What limits such a token; null for no limit. An empty list allows nothing. */
export const limitOf = (scopes: readonly string[]): string[] | null =>
  scopes.includes(EVERYTHING) ? null : scopes.filter(isSlipwayScope);

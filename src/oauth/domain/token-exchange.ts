import { wantsRefreshToken } from './scopes.ts';

/** What may be exchanged for what. Source: RFC 8693 §2 and §3. */

const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const JWT = 'urn:ietf:params:oauth:token-type:jwt';

/** What is wrong with the types of the tokens in a request; null if nothing is. */
export function tokenTypeFault(params: Readonly<Record<string, string | undefined>>): string | null {
  const { requested_token_type: requested = ACCESS_TOKEN } = params;
  if (!params['subject_token']) return 'subject_token is missing';
  if (requested !== ACCESS_TOKEN) return `requested_token_type must be ${ACCESS_TOKEN}`;
  for (const name of ['subject_token', 'actor_token']) {
    const [token, type] = [params[name], params[`${name}_type`]];
    if (token === undefined && type === undefined) continue;
    if (token === undefined) return `${name} is missing`;
    if (type !== ACCESS_TOKEN && type !== JWT) return `${name}_type must be ${ACCESS_TOKEN} or ${JWT}`;
    if (type === JWT && token.split('.').length !== 3) return `${name} is not a JWT`;
  }
  return null;
}

/**
 * The scopes of the new token: those that were asked for, or else all, of those that both the subject token has and the
 * client may have. An exchange gives an access token only, so scopes that ask for other tokens are left out.
 */
export const exchangedScopes = (
  ofSubject: readonly string[],
  asked: readonly string[],
  isAllowed: (scope: string) => boolean,
): string[] =>
  ofSubject.filter(
    (scope) =>
      scope !== 'openid' &&
      !wantsRefreshToken([scope]) &&
      isAllowed(scope) &&
      (asked.length === 0 || asked.includes(scope)),
  );

/** Who acts for the subject of a token, and who has before. Source: RFC 8693 §4.1. */
export interface Actor {
  readonly sub: string;
  readonly act?: Actor;
}

/** A token that grew with each exchange would have no bound. */
const MAX_ACTORS = 10;

/** Who acts for the subject after an exchange. @param sub  who acts now; null for nobody new. */
export function nextActor(before: Actor | null, sub: string | null): Actor | null | 'TOO_MANY' {
  if (sub === null) return before;
  let actors = 0;
  for (let one: Actor | undefined = before ?? undefined; one; one = one.act) actors += 1;
  if (actors >= MAX_ACTORS) return 'TOO_MANY';
  return { sub, ...(before ? { act: before } : {}) };
}

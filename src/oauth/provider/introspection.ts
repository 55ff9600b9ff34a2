import type { Provider } from 'oidc-provider';
import { hasEnded, readToken } from '../../sign-in/access-tokens.ts';
import { findTokenPrincipals } from '../../sign-in/token-principals.ts';
import { accountOf } from '../domain/accounts.ts';
import { isPairwise } from '../domain/sectors.ts';
import type { Actor } from '../domain/token-exchange.ts';
import { recordIdOf, tokenOf } from '../domain/token-records.ts';
import { subjectFor } from '../pairwise-subjects.ts';
import { type ConsentRow, findConsent } from '../store/consents.ts';
import { slipwayOf } from './client-model.ts';

/** What is known about a token that is valid. Source: RFC 7662 §2.2, and Hydra's introspection. */
export interface Introspection {
  readonly use: 'access_token' | 'refresh_token';
  /** How the token is shown to a resource server; null for a refresh token. */
  readonly type: 'Bearer' | 'DPoP' | null;
  readonly clientId: string;
  readonly scope: string;
  /** The person as the login app names her. For a client that acts for itself: its user of Slipway, or its id. */
  readonly subject: string;
  /** The user name, if it is a token for Slipway itself. */
  readonly username: string | null;
  readonly audience: readonly string[];
  readonly issuer: string;
  /** In seconds since 1970, as `expiresAt`. */
  readonly issuedAt: number;
  readonly expiresAt: number;
  /** The person, as the engine names her; null for a client that acts for itself. */
  readonly accountId: string | null;
  /** Who acts for the person. */
  readonly actor: Actor | null;
  /** The thumbprint of the key that the token is bound to. */
  readonly keyThumbprint: string | null;
  /** What the person has allowed; null for a client that acts for itself. */
  readonly consent: ConsentRow | null;
}

/** A token of the engine. */
interface Found {
  readonly kind: string;
  readonly isValid: boolean;
  readonly consumed?: unknown;
  readonly clientId?: string;
  readonly accountId?: string;
  readonly grantId?: string;
  readonly scope?: string;
  readonly aud?: string | string[];
  readonly tokenType?: 'Bearer' | 'DPoP';
  readonly jkt?: string;
  readonly extra?: { readonly act?: Actor };
  readonly iat: number;
  readonly exp: number;
}

/**
 * What a token says, in any of our forms. Whether the one who asks may know it is decided elsewhere.
 *
 * @returns null if it is not an access token or refresh token of the provider, or not valid any more.
 */
export async function introspect(provider: Provider, token: string): Promise<Introspection | null> {
  const id = recordIdOf(token);
  const { AccessToken, ClientCredentials, RefreshToken } = provider;
  const all = await Promise.all([AccessToken.find(id), ClientCredentials.find(id), RefreshToken.find(id)]);
  const found = all.find((one) => one !== undefined) as unknown as Found | undefined;
  if (found?.grantId) {
    const grant = await provider.Grant.find(found.grantId);
    if (grant?.clientId !== found.clientId || grant?.accountId !== found.accountId) return null;
  }
  return found ? await describe(provider, id, found) : null;
}

/** @param found  a token whose authorization, if it has one, is still there. */
async function describe(provider: Provider, id: string, found: Found): Promise<Introspection | null> {
  if (!found.isValid || found.consumed || !found.clientId) return null;
  const user = tokenOf(id) === id ? null : await slipwayUserOf(tokenOf(id));
  if (user === 'ENDED') return null;
  const consent = found.grantId ? await findConsent(found.grantId) : null;
  const isRefreshToken = found.kind === 'RefreshToken';
  return {
    use: isRefreshToken ? 'refresh_token' : 'access_token',
    type: isRefreshToken ? null : (found.tokenType ?? 'Bearer'),
    clientId: found.clientId,
    scope: found.scope ?? '',
    subject: found.accountId ? accountOf(found.accountId).subject : (user?.userId ?? found.clientId),
    username: user?.username ?? null,
    audience: [found.aud ?? consent?.audience ?? []].flat(),
    issuer: provider.issuer,
    issuedAt: found.iat,
    expiresAt: found.exp,
    accountId: found.accountId ?? null,
    actor: found.extra?.act ?? null,
    keyThumbprint: found.jkt ?? null,
    consent,
  };
}

/** The user of a token for Slipway itself; null for other JWTs. */
async function slipwayUserOf(token: string) {
  const claims = await readToken(token);
  if (!claims) return null;
  const principals = hasEnded(claims) ? null : await findTokenPrincipals(claims);
  return principals?.user ?? 'ENDED';
}

/**
 * What a client knows the person of a token by, if it is not what the login app has named her; null if it is, or if the
 * client acts for itself.
 */
export async function obfuscatedSubject(
  client: unknown,
  { accountId }: Introspection,
): Promise<string | null> {
  const slipway = slipwayOf(client);
  return accountId !== null && isPairwise(slipway.settings) ? await subjectFor(slipway, accountId) : null;
}

/** The answer of `POST /oauth2/introspect`. @param pairwise  what the client that asks knows the person by. */
const answerOf = ({ subject, username, ...found }: Introspection, pairwise: string | null) => ({
  active: true,
  ...{ scope: found.scope, client_id: found.clientId, sub: pairwise ?? subject, aud: found.audience },
  ...{ iss: found.issuer, iat: found.issuedAt, nbf: found.issuedAt, exp: found.expiresAt },
  ...(username === null || pairwise !== null ? {} : { username }),
  ...(found.type === null ? {} : { token_type: found.type }),
  token_use: found.use,
  ...(found.actor === null ? {} : { act: found.actor }),
  ...(found.keyThumbprint === null ? {} : { cnf: { jkt: found.keyThumbprint } }),
  ext: found.consent?.session.accessToken ?? {},
});

/** Lets the engine decide who may ask about which token, and answers with what we know about it. */
export function answerIntrospection(provider: Provider): void {
  provider.use(async (ctx, next) => {
    await next();
    const { oidc, body } = ctx as unknown as {
      readonly oidc?: {
        readonly route?: string;
        readonly params?: { readonly token?: string };
        readonly client?: unknown;
        readonly entities: Readonly<Record<string, unknown>>;
      };
      readonly body?: { readonly active?: boolean };
    };
    if (oidc?.route !== 'introspection' || body?.active !== true) return;
    const { client } = oidc;
    const { AccessToken, ClientCredentials, RefreshToken } = oidc.entities;
    // The engine has looked for the authorization of the token, too.
    const token = (AccessToken ?? ClientCredentials ?? RefreshToken) as Found | undefined;
    const found = token ? await describe(provider, oidc.params?.token ?? '', token) : null;
    // The engine lets a client ask about its own tokens only.
    ctx.body = found ? answerOf(found, await obfuscatedSubject(client, found)) : { active: false };
  });
}

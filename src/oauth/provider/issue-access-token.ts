import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import type { Actor } from '../domain/token-exchange.ts';
import type { EngineToken } from './access-tokens.ts';
import { RESOURCE } from './resources.ts';

export interface NewAccessToken {
  /** The person whom it is about. */
  readonly accountId: string;
  readonly grantId?: string;
  /** The grant type. */
  readonly gty: string;
  readonly scopes: readonly string[];
  /** Without it, the token is valid for as long as the client says, or else the server. */
  readonly expiresInSeconds?: number;
  readonly subjectToken?: string;
  /** It ends at this time at the latest, in seconds since 1970. */
  readonly latestEnd?: number;
  readonly act?: Actor | undefined;
}

/** What a client is answered. */
interface TokenAnswer {
  readonly access_token: string;
  /** In seconds. */
  readonly expires_in: number;
  readonly token_type: 'Bearer';
  readonly scope?: string;
}

interface Model extends EngineToken {
  resourceServer: unknown;
  save(): Promise<string>;
}

/** @throws InvalidRequest if the client wants a token that is bound to a key. */
export function requireNoProof(ctx: KoaContextWithOIDC): void {
  if (ctx.get('dpop')) throw new errors.InvalidRequest('this grant issues no tokens that are bound to a key');
}

/** Issues an access token of a person by a grant that the engine does not know. @returns what the client is answered. */
export async function issueAccessToken(
  ctx: KoaContextWithOIDC,
  { subjectToken, latestEnd, act, expiresInSeconds: expiresIn, scopes, ...asked }: NewAccessToken,
): Promise<TokenAnswer> {
  const { client, provider } = ctx.oidc;
  const { AccessToken, ResourceServer } = provider as unknown as {
    readonly AccessToken: new (values: object) => Model;
    readonly ResourceServer: new (resource: string, info: object) => unknown;
  };
  const scope = scopes.join(' ');
  const token = new AccessToken({ ...asked, client, expiresIn, scope: scope || undefined });
  Object.assign(token, { subjectToken, latestEnd, act });
  token.resourceServer = new ResourceServer(RESOURCE, { scope, accessTokenFormat: 'opaque' });
  ctx.oidc.entity('AccessToken', token as never);
  const value = await token.save();
  return {
    ...({ access_token: value, expires_in: token.expiration, token_type: 'Bearer' } as const),
    ...(token.scope ? { scope: token.scope } : {}),
  };
}

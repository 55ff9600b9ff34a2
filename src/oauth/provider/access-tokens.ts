import { errors, type KoaContextWithOIDC, Provider } from 'oidc-provider';
import { serverConfig } from '../../platform/config/server.ts';
import { isId } from '../../platform/ids.ts';
import { AUDIENCE as SLIPWAY } from '../../sign-in/access-tokens.ts';
import { findPrincipal, plainSignIn } from '../../sign-in/principals.ts';
import { accountOf } from '../domain/accounts.ts';
import { wordsOf } from '../domain/scopes.ts';
import { isPairwise } from '../domain/sectors.ts';
import { isSlipwayScope } from '../domain/slipway-tokens.ts';
import type { Actor } from '../domain/token-exchange.ts';
import { recordIdOf } from '../domain/token-records.ts';
import { subjectFor } from '../pairwise-subjects.ts';
import { findConsent } from '../store/consents.ts';
import { grantedAudience } from './audience.ts';
import { slipwayOf } from './client-model.ts';
import { requireSlipwayNamed } from './requested-audience.ts';
import { isRedemption, namedResources, RESOURCE } from './resources.ts';
import { issueSlipwayToken, recordSignIn, type SlipwaySession, slipwaySessionOf } from './slipway-session.ts';
import { storeAlso } from './store-also.ts';

/** An access token of the engine, as far as we use and change it. */
export interface EngineToken {
  readonly client: unknown;
  readonly clientId: string;
  readonly accountId?: string;
  scope?: string | undefined;
  readonly expiration: number;
  format: string;
  jti: string;
  aud: string | readonly string[];
  iat: number;
  exp: number;
  expiresIn: number;
  /** The id of the record of the token that it was exchanged for. It ends with that token. */
  readonly subjectToken?: string;
  /** When it ends at the latest, in seconds since 1970. */
  readonly latestEnd?: number;
  /** Who acts for the person. */
  readonly act?: Actor;
  /** The key that the token is bound to, by its thumbprint. */
  readonly jkt?: string;
}

interface TokenModel extends EngineToken {
  save(): Promise<string>;
  getValueAndPayload(): Promise<Made>;
}

interface Made {
  readonly value: string;
  readonly payload: Record<string, unknown>;
}

/** What an authorization remembers beside what the engine does. */
interface GrantModel {
  readonly accountId?: string;
  userVersion?: number | undefined;
  save(ttl?: number): Promise<string>;
}

/**
 * Lets the engine issue our forms of access tokens. The id of the record of a token is the token itself, so that
 * introspection and revocation find each form in the same way.
 */
export function overrideAccessTokens(provider: Provider): void {
  for (const { prototype } of [provider.AccessToken, provider.ClientCredentials])
    overrideToken(prototype as unknown as TokenModel);
  overrideGrant(provider.Grant as unknown as { IN_PAYLOAD: string[]; prototype: GrantModel });
}

function overrideToken(prototype: TokenModel): void {
  const { save, getValueAndPayload } = prototype;
  const sessions = new WeakMap<object, SlipwaySession>();
  const made = new WeakMap<object, { readonly sessionId: string }>();
  Object.assign(prototype, {
    async save(this: TokenModel) {
      const ctx = Provider.ctx as KoaContextWithOIDC;
      const audience = grantedAudience(ctx);
      narrow(this, ctx);
      const session = await slipwaySessionOf(ctx, this, audience);
      // The engine knows one audience only: that of the one resource that all scopes are of.
      this.aud = session ? [SLIPWAY] : audience;
      this.iat = Math.floor(Date.now() / 1000);
      if (session) {
        sessions.set(this, session);
        const seconds = Math.floor(session.endsAt.getTime() / 1000) - this.iat;
        this.expiresIn = Math.min(this.expiration, seconds);
      }
      if (this.latestEnd !== undefined) {
        // By the same clock reading as its own times. So it never ends later, however slow the request is.
        this.expiresIn = Math.min(this.expiration, this.latestEnd - this.iat);
        if (this.expiresIn < 1) throw new errors.InvalidRequest('the subject token has ended');
      }
      this.exp = this.iat + this.expiration;
      const value = await save.call(this);
      const issued = made.get(this);
      if (session && issued)
        await recordSignIn(ctx, session, { ...issued, expiresAt: new Date(this.exp * 1000) });
      return value;
    },
    async getValueAndPayload(this: TokenModel) {
      const opaque = withSubjectToken(this, await getValueAndPayload.call(this));
      const session = sessions.get(this);
      if (!session && strategyOf(this.client) === 'opaque') return opaque;
      if (!session) {
        this.format = 'jwt';
        const { value } = await getValueAndPayload.call(this);
        this.jti = recordIdOf(value);
        return { ...opaque, value };
      }
      const { token, sessionId, userId } = await issueSlipwayToken(session, new Date(this.exp * 1000));
      made.set(this, { sessionId });
      this.jti = recordIdOf(token);
      return { value: token, payload: { ...opaque.payload, slipway: { sessionId, userId } } };
    },
  });
}

/** A token that goes to other services only is no token for Slipway, also if its authorization has scopes for Slipway. */
function narrow(token: TokenModel, ctx: KoaContextWithOIDC): void {
  const resources = namedResources(ctx);
  const scopes = wordsOf(token.scope);
  if (!isRedemption(ctx)) requireSlipwayNamed(resources, scopes, ctx.oidc.issuer);
  else if (resources.length > 0 && !resources.includes(ctx.oidc.issuer))
    token.scope = scopes.filter((scope) => !isSlipwayScope(scope)).join(' ') || undefined;
}

function withSubjectToken({ subjectToken }: EngineToken, made: Made): Made {
  return subjectToken === undefined ? made : { ...made, payload: { ...made.payload, subjectToken } };
}

/** Claims that tokens have in all their forms. */
export const ownClaims = (_ctx: unknown, { act }: { readonly act?: Actor }) => (act ? { act } : undefined);

/** Whoever can read a token would compare its subject with that of other tokens. */
function strategyOf(client: unknown): string {
  const { settings } = slipwayOf(client);
  if (isPairwise(settings)) return 'opaque';
  return settings.accessTokenStrategy ?? serverConfig.oauth.accessTokenStrategy;
}

/** Completes the claims of a JWT. Source: RFC 9068 §2.2, and Hydra's \`ext\`. */
export async function completeJwt(
  _ctx: KoaContextWithOIDC,
  token: { readonly client: unknown; readonly accountId?: string; readonly grantId?: string },
  { payload }: { readonly payload: Record<string, unknown> },
): Promise<void> {
  if (token.accountId !== undefined)
    payload['sub'] = await subjectFor(slipwayOf(token.client), token.accountId);
  const [audience] = [payload['aud']] as [readonly string[]];
  // Without a wish, the audience is the one resource that all scopes are of.
  payload['aud'] = audience.length === 0 ? RESOURCE : audience;
  const consent = token.grantId === undefined ? null : await findConsent(token.grantId);
  payload['ext'] = consent?.session.accessToken ?? {};
}

/** An authorization remembers the version of its user, so that a new password ends its refresh tokens. */
function overrideGrant(Grant: { IN_PAYLOAD: string[]; prototype: GrantModel }): void {
  storeAlso(Grant, 'audience', 'userVersion');
  const { save } = Grant.prototype;
  Object.assign(Grant.prototype, {
    async save(this: GrantModel, ttl?: number) {
      const { subject } = accountOf(this.accountId ?? '');
      if (this.userVersion === undefined && isId(subject))
        this.userVersion = (await findPrincipal(plainSignIn(subject)))?.version;
      return await save.call(this, ttl);
    },
  });
}

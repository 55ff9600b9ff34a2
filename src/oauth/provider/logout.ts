import { randomBytes } from 'node:crypto';
import type { Configuration, KoaContextWithOIDC, Provider } from 'oidc-provider';
import { serverConfig } from '../../platform/config/server.ts';
import { accountOf } from '../domain/accounts.ts';
import { LOGOUT_PATH, type LogoutRequestPayload, logoutUrlOf } from '../logout-request.ts';
import { frontchannelPage } from '../pages/frontchannel-page.ts';
import { textsFor } from '../pages/languages.ts';
import { renderSignedOutPage } from '../pages/logout-page.ts';
import { pageHeaders } from '../pages/page.ts';
import { consumeRecord, findRecord, upsertRecord } from '../store/records.ts';
import { slipwayOf } from './client-model.ts';
import { readAsForm } from './form.ts';

/**
 * Logout with a page of the operator's own, as in Hydra: the browser comes to LOGOUT_PATH and is sent to the logout page
 * with a `logout_challenge`. When the page has accepted it, the browser comes back, and its session ends.
 */

type Logout = NonNullable<NonNullable<Configuration['features']>['rpInitiatedLogout']>;

/** What the engine remembers of a logout in the session. */
interface LogoutState {
  readonly secret: string;
  readonly clientId?: string;
  readonly state?: string;
  readonly postLogoutRedirectUri?: string;
}
interface Session {
  readonly uid: string;
  readonly accountId?: string;
  readonly identityProviderSessionId?: string;
  readonly state?: LogoutState;
  readonly authorizations?: Readonly<Record<string, object>>;
}
const sessionOf = ({ oidc }: KoaContextWithOIDC) => oidc.session as unknown as Session;

/** Where a browser goes after its logout. */
function targetOf(ctx: KoaContextWithOIDC): string {
  const { postLogoutRedirectUri, state } = sessionOf(ctx).state ?? {};
  if (!postLogoutRedirectUri) return `${ctx.oidc.issuer}${LOGOUT_PATH}/success`;
  const url = new URL(postLogoutRedirectUri);
  if (state !== undefined) url.searchParams.set('state', state);
  return url.href;
}

function redirect(ctx: KoaContextWithOIDC, url: string): void {
  ctx.status = 303;
  ctx.redirect(url);
}

/** Stores a logout of the browser. @returns its challenge. */
async function storeRequest(
  ctx: KoaContextWithOIDC,
  more: Pick<LogoutRequestPayload, 'isByClient' | 'result'>,
): Promise<string> {
  const { uid: sessionId, accountId = '', state, identityProviderSessionId } = sessionOf(ctx);
  const challenge = randomBytes(24).toString('base64url');
  const url = new URL(ctx.url, ctx.oidc.issuer);
  url.searchParams.delete('id_token_hint');
  const payload: LogoutRequestPayload = {
    ...{ secret: state?.secret ?? '', accountId, sessionId, requestUrl: url.href },
    ...{ clientId: state?.clientId ?? null, identityProviderSessionId, ...more },
  };
  await upsertRecord({
    ...{ kind: 'LogoutRequest', id: challenge, tenantId: accountOf(accountId).tenantId, accountId },
    ...{
      clientRowId: null,
      grantId: null,
      uid: null,
      sessionId: null,
      userId: null,
      payload: { ...payload },
    },
    expiresInSeconds: serverConfig.oauth.challengeSeconds,
  });
  return challenge;
}

/** Sends the browser to the logout page; if the ID token is of another session, there is nothing to end. */
const askForLogout: NonNullable<Logout['logoutSource']> = async (ctx) => {
  const hint = ctx.oidc.entities.IdTokenHint as { readonly payload: { readonly sid?: string } } | undefined;
  if (hint && hint.payload.sid !== sessionOf(ctx).uid) return redirect(ctx, targetOf(ctx));
  const challenge = await storeRequest(ctx, { isByClient: hint !== undefined });
  const url = new URL(serverConfig.oauth.logoutUrl ?? `${ctx.oidc.issuer}/oauth2/logout`);
  url.searchParams.set('logout_challenge', challenge);
  redirect(ctx, url.href);
};

const showSuccess: NonNullable<Logout['postLogoutSuccessSource']> = async (ctx) => {
  if (serverConfig.oauth.postLogoutUrl) return redirect(ctx, serverConfig.oauth.postLogoutUrl);
  ctx.set(pageHeaders);
  ctx.body = renderSignedOutPage(textsFor(undefined, ctx.get('accept-language')));
};

export const logout: Logout = {
  enabled: true,
  logoutSource: askForLogout,
  postLogoutSuccessSource: showSuccess,
};

/** Continues after the logout page. @returns the challenge; null for any other request. */
async function beforeLogout(ctx: KoaContextWithOIDC): Promise<string | null> {
  if (ctx.path !== LOGOUT_PATH || ctx.method !== 'GET') return null;
  const challenge = ctx.query['logout_challenge'];
  if (typeof challenge !== 'string') return null;
  const record = await findRecord({ kind: 'LogoutRequest', id: challenge });
  const { secret, result } = (record?.payload ?? {}) as Partial<LogoutRequestPayload>;
  ctx.path = `${LOGOUT_PATH}/confirm`;
  readAsForm(ctx, { xsrf: (result && secret) ?? '', logout: 'yes' });
  return challenge;
}

/** The logout pages of the clients that the session was used for. */
async function framesOf(ctx: KoaContextWithOIDC): Promise<string[]> {
  const { uid, authorizations = {} } = sessionOf(ctx);
  const { provider, issuer } = ctx.oidc;
  const clients = await Promise.all(Object.keys(authorizations).map((id) => provider.Client.find(id)));
  return clients.flatMap((client) => {
    const uri = client && slipwayOf(client).settings.frontchannelLogoutUri;
    if (!uri) return [];
    const url = new URL(uri);
    url.searchParams.set('iss', issuer);
    url.searchParams.set('sid', uid);
    return [url.href];
  });
}

async function afterLogout(ctx: KoaContextWithOIDC, challenge: string | null): Promise<void> {
  const { route } = ctx.oidc ?? {};
  const isPage = ctx.status === 200;
  // The engine answers with a page that sends a form by itself, for which a browser needs JavaScript.
  if (route === 'end_session' && isPage && !sessionOf(ctx).accountId) return redirect(ctx, targetOf(ctx));
  const isSwitch = route === 'resume' || route === 'device_resume';
  if (isSwitch && isPage && sessionOf(ctx).state?.postLogoutRedirectUri) {
    const made = await storeRequest(ctx, { isByClient: false, result: { isAccepted: true } });
    return redirect(ctx, logoutUrlOf(ctx.oidc.issuer, made));
  }
  if (route !== 'end_session_confirm' || ctx.status !== 303 || challenge === null) return;
  await consumeRecord({ kind: 'LogoutRequest', id: challenge });
  const frames = await framesOf(ctx);
  if (frames.length === 0) return;
  const { policy, html } = frontchannelPage(frames, ctx.response.get('location'));
  ctx.remove('location');
  ctx.status = 200;
  ctx.type = 'html';
  ctx.set('content-security-policy', policy);
  ctx.body = html;
}

/** Where browsers come to sign out, or come back to and are somebody else. */
const browserPath = /^\/oauth2\/(sessions|auth|device)\//;

export function addLogoutPage(provider: Provider): void {
  provider.use(async (ctx, next) => {
    if (!browserPath.test(ctx.path)) return next();
    const challenge = await beforeLogout(ctx as KoaContextWithOIDC);
    await next();
    await afterLogout(ctx as KoaContextWithOIDC, challenge);
  });
}

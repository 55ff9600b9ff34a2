import { randomBytes } from 'node:crypto';
import type { Configuration, KoaContextWithOIDC, Provider } from 'oidc-provider';
import { serverConfig } from '../../platform/config/server.ts';
import { type DeviceRequestPayload, VERIFY_PATH } from '../device-request.ts';
import { renderDeviceDonePage } from '../pages/device-page.ts';
import { textsFor } from '../pages/languages.ts';
import { pageHeaders } from '../pages/page.ts';
import { openUserCode, POLL_SECONDS } from '../store/device-codes.ts';
import { findRecord, upsertRecord } from '../store/records.ts';
import { readAsForm } from './form.ts';

/**
 * The device flow (RFC 8628) with a device page of the operator's own, as in Hydra:
 *
 * 1. The browser comes to VERIFY_PATH and is sent to the device page with a `device_challenge`.
 * 2. The page asks for the user code and calls `acceptDeviceRequest`, which sends the browser back to VERIFY_PATH.
 * 3. The engine takes the code, if it is the same browser, and asks for login and consent.
 */

type DeviceFlow = NonNullable<NonNullable<Configuration['features']>['deviceFlow']>;

/** What the address of the page has said. The engine would send a code on by a page with JavaScript. */
interface Hints {
  readonly userCode: string | null;
  readonly error: string | null;
}
const hints = new WeakMap<object, Hints>();

/** Before the engine: takes the user code out of the address, or continues after the device page. */
async function beforeDevicePage(ctx: KoaContextWithOIDC): Promise<void> {
  if (ctx.path !== VERIFY_PATH || ctx.method !== 'GET') return;
  const { device_challenge: challenge, user_code: userCode, error } = ctx.query;
  ctx.query = {};
  const text = (value: unknown) => (typeof value === 'string' ? value : null);
  if (typeof challenge !== 'string') {
    hints.set(ctx.req, { userCode: text(userCode), error: text(error) });
    return;
  }
  const record = await findRecord({ kind: 'DeviceRequest', id: challenge });
  const { secret = '', result } = (record?.payload ?? {}) as Partial<DeviceRequestPayload>;
  const code = result ? openUserCode(result.sealedUserCode) : '';
  readAsForm(ctx, { xsrf: secret, user_code: code, confirm: 'yes' });
}

/** After the engine: says how often a device may ask. */
function afterDeviceAuthorization(ctx: KoaContextWithOIDC): void {
  const body = ctx.body as { device_code?: string; interval?: number } | undefined;
  if (ctx.oidc?.route === 'device_authorization' && body?.device_code) body.interval = POLL_SECONDS;
}

/** Sends the browser to the device page. After an error, it begins anew. */
const askForUserCode: NonNullable<DeviceFlow['userCodeInputSource']> = async (ctx, _form, out, fault) => {
  const hint = hints.get(ctx.req);
  ctx.status = 303;
  if (out || !hint) {
    // The engine would save this session, which it cannot do if the session is new.
    Object.assign(ctx.oidc.session ?? {}, { touched: false });
    const isRefused = (fault as Error | undefined)?.name === 'AbortedError';
    const error = new URLSearchParams({ error: isRefused ? 'access_denied' : 'invalid_request' });
    return ctx.redirect(`${ctx.oidc.issuer}${VERIFY_PATH}?${error}`);
  }
  const { secret } = (ctx.oidc.session?.state ?? { secret: '' }) as { readonly secret: string };
  const challenge = randomBytes(24).toString('base64url');
  const payload: DeviceRequestPayload = { secret };
  await upsertRecord({
    ...{ kind: 'DeviceRequest', id: challenge, tenantId: null, clientRowId: null, accountId: null },
    ...{ grantId: null, uid: null, payload: { ...payload } },
    ...{ sessionId: null, userId: null, expiresInSeconds: serverConfig.oauth.challengeSeconds },
  });
  const url = new URL(serverConfig.oauth.deviceUrl ?? `${ctx.oidc.issuer}/oauth2/device`);
  url.searchParams.set('device_challenge', challenge);
  if (hint.userCode) url.searchParams.set('user_code', hint.userCode);
  if (hint.error) url.searchParams.set('error', hint.error);
  ctx.redirect(url.href);
};

/** Where the browser ends when its person has allowed the device to sign in. */
const showSuccess: NonNullable<DeviceFlow['successSource']> = async (ctx) => {
  if (serverConfig.oauth.deviceSuccessUrl) {
    ctx.status = 303;
    ctx.redirect(serverConfig.oauth.deviceSuccessUrl);
    return;
  }
  ctx.set(pageHeaders);
  ctx.body = renderDeviceDonePage(textsFor(undefined, ctx.get('accept-language')));
};

export const deviceFlow: DeviceFlow = {
  enabled: true,
  charset: 'base-20',
  mask: '****-****',
  deviceInfo: () => ({}),
  userCodeInputSource: askForUserCode,
  successSource: showSuccess,
};

export function addDevicePage(provider: Provider): void {
  provider.use(async (ctx, next) => {
    if (!ctx.path.startsWith('/oauth2/device/')) return next();
    await beforeDevicePage(ctx as KoaContextWithOIDC);
    await next();
    afterDeviceAuthorization(ctx as KoaContextWithOIDC);
  });
}

/** A server that takes only proofs with one of its nonces: RFC 9449 §8 and §9, OAUTH_DPOP_NONCE_REQUIRED. */
import { randomUUID } from 'node:crypto';
import { generateKeyPair } from 'jose';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { basic } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { newUser } from '../support/users.ts';
import { Browser, redirectOf, signIn } from './browser.ts';
import { type Connection, libraries } from './libraries.ts';
import { makeProof, type ProofChange } from './proofs.ts';
import { Stage, webSettings } from './stage.ts';

vi.hoisted(() => {
  process.env['OAUTH_LOGIN_URL'] = 'https://login.example/login';
  process.env['OAUTH_CONSENT_URL'] = 'https://login.example/consent';
  process.env['OAUTH_DEVICE_URL'] = 'https://login.example/device';
  process.env['OAUTH_DEVICE_SUCCESS_URL'] = 'https://login.example/device-success';
  process.env['OAUTH_DPOP_NONCE_REQUIRED'] = 'on';
  process.env['CORS_ORIGINS'] = 'https://console.example';
});

const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code';
const origin = 'https://console.example';
let stage: Stage;
let pair: CryptoKeyPair;
/** For Slipway itself and for the user info, bound to the key. */
let token: string;
let person: string;
beforeAll(async () => {
  stage = await Stage.start();
  pair = await generateKeyPair('ES256', { extractable: true });
  person = (await newUser({ role: 'ROOT' })).id;
  const made = await newClient({ bindTo: pair });
  const { url, redeem } = await made.request('openid all');
  const more = { login: { subject: person }, consent: { grantScopes: ['openid', 'all'] } };
  token = (await redeem(await signIn(stage.actors(), url, more))).access_token;
});
afterAll(() => stage.stop());

const [openIdClient] = libraries;

async function newClient({
  bindTo,
  library = openIdClient,
}: {
  bindTo: CryptoKeyPair;
  library?: typeof openIdClient;
}) {
  const clientId = randomUUID();
  const settings = {
    ...webSettings,
    grantTypes: [...webSettings.grantTypes, DEVICE_CODE],
    scope: 'openid offline all',
  };
  const made = await mutate(stage.app, 'createOAuth2Client', { clientId, client: settings }, 'clientSecret');
  const authentication = { method: 'client_secret_basic', secret: String(made.clientSecret) } as const;
  return (await library?.connect({ issuer: stage.app.url, clientId, authentication, bindTo })) as Connection;
}

interface Endpoint {
  readonly path: string;
  readonly method: 'GET' | 'POST';
  readonly status: number;
  readonly body?: () => string | URLSearchParams;
  readonly headers: () => Record<string, string>;
}
const byWeb = () => ({ authorization: basic('web', stage.webSecret) });
const byToken = () => ({ authorization: `DPoP ${token}`, 'content-type': 'application/json' });
const pushed = () => ({
  ...{ response_type: 'code', redirect_uri: String(webSettings.redirectUris[0]), scope: 'openid' },
  ...{ client_id: 'web', state: 'a long state', nonce: 'a nonce' },
});
const endpoints: Endpoint[] = [
  {
    ...{ path: '/oauth2/token', method: 'POST', status: 400, headers: byWeb },
    body: () => new URLSearchParams({ grant_type: 'client_credentials' }),
  },
  {
    ...{ path: '/oauth2/par', method: 'POST', status: 400, headers: byWeb },
    body: () => new URLSearchParams(pushed()),
  },
  { path: '/userinfo', method: 'GET', status: 401, headers: byToken },
  {
    ...{ path: '/graphql', method: 'POST', status: 401, headers: byToken },
    body: () => JSON.stringify({ query: '{ viewer { id } }' }),
  },
];

async function send({ path, method, body, headers }: Endpoint, change: ProofChange = {}) {
  const url = `${stage.app.url}${path}`;
  const dpop = await makeProof(pair, { method, url, accessToken: token }, change);
  const sent = body ? { body: body() } : {};
  const response = await fetch(url, { method, headers: { ...headers(), origin, dpop }, ...sent });
  const nonce = response.headers.get('dpop-nonce') ?? '';
  return { status: response.status, headers: response.headers, text: await response.text(), nonce };
}

describe.each(endpoints)('$path', (endpoint) => {
  it.each<[what: string, change: ProofChange]>([
    ['without a nonce', {}],
    ['with a nonce of somebody else', { claims: { nonce: 'eyJ7S_zG.eyJH0-Z.HX4w-7v' } }],
    ['with an empty nonce', { claims: { nonce: '' } }],
  ])('refuses a proof %s, and gives one with which it takes the next', async (_what, change) => {
    const refused = await send(endpoint, change);
    expect(refused.status, refused.text).toBe(endpoint.status);
    const why = endpoint.status === 400 ? refused.text : refused.headers.get('www-authenticate');
    expect(why).toContain('use_dpop_nonce');
    const taken = await send(endpoint, { claims: { nonce: refused.nonce } });
    expect(taken.status, taken.text).toBeLessThan(300);
  });

  it('lets pages read the nonce', async () => {
    const { headers } = await send(endpoint);
    const names = (headers.get('access-control-expose-headers') ?? '').toLowerCase();
    expect(names.split(/, ?/)).toContain('dpop-nonce');
    expect(headers.get('access-control-allow-origin')).toBe(origin);
  });

  it('takes the nonces of all other endpoints', async () => {
    for (const other of endpoints) {
      const { nonce } = await send(other);
      expect((await send(endpoint, { claims: { nonce } })).status, other.path).toBeLessThan(300);
    }
  });

  it('takes a proof with a nonce once', async () => {
    const { nonce } = await send(endpoint);
    const once = { claims: { nonce, jti: randomUUID() } };
    expect((await send(endpoint, once)).status).toBeLessThan(300);
    expect((await send(endpoint, once)).status).toBe(endpoint.status);
  });
});

describe.each(libraries)('$name', (library) => {
  it('gets nonces by itself, in every grant and with the user info', async () => {
    const bindTo = await generateKeyPair('ES256', { extractable: true });
    const scope = 'openid offline';
    const connection = await newClient({ bindTo, library });
    const { url, redeem } = await connection.request(scope, { isPushed: true });
    const consent = { grantScopes: scope.split(' ') };
    const made = await redeem(await signIn(stage.actors(new Browser()), url, { consent }));
    expect(made.token_type).toBe('dpop');
    const again = await connection.refresh(made.refresh_token ?? '');
    expect(await connection.userInfo(again.access_token, 'alice')).toEqual({ sub: 'alice' });
    expect((await connection.clientCredentials('openid')).token_type).toBe('dpop');
  });

  it('gets one for the tokens of a device', async () => {
    const connection = await newClient({
      bindTo: await generateKeyPair('ES256', { extractable: true }),
      library,
    });
    const code = await connection.beginDevice('openid');
    const browser = new Browser();
    const page = new URL(await redirectOf(browser, code.verification_uri_complete ?? ''));
    const input = { challenge: page.searchParams.get('device_challenge'), userCode: code.user_code };
    const accepted = await mutate(stage.app, 'acceptDeviceRequest', input, 'redirectTo', stage.loginApp);
    await signIn(stage.actors(browser), accepted.redirectTo, { consent: { grantScopes: ['openid'] } });
    expect((await connection.pollDevice(code)).token_type).toBe('dpop');
  });
});

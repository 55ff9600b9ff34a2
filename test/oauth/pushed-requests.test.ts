/** Requests that do not travel through the browser: pushed (RFC 9126), and signed by the client (RFC 9101). */
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { pool } from '../../src/platform/database/client.ts';
import { type Actors, acceptConsent, Browser, redirectOf, signIn, untilConsent } from './browser.ts';
import { consent, redirect, Stage, scope, webSettings } from './stage.ts';

vi.hoisted(() => {
  process.env['OAUTH_LOGIN_URL'] = 'https://login.example/login';
  process.env['OAUTH_CONSENT_URL'] = 'https://login.example/consent';
});

let stage: Stage;
let signing: CryptoKey;
let signer: client.Configuration;
beforeAll(async () => {
  stage = await Stage.start();
  const pair = await generateKeyPair('ES256');
  signing = pair.privateKey;
  const jwks = { keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'one', alg: 'ES256', use: 'sig' }] };
  signer = await stage.addClient('signer', { ...webSettings, jwks, requestObjectSigningAlg: 'ES256' });
});
afterAll(() => stage.stop());

const parametersOf = (url: string) => new URL(url).searchParams;

/** A request of the client `web` that it has pushed. */
async function push(asked = scope, more: Record<string, string> = {}, by = stage.web) {
  const { url, checks } = await stage.request(asked, more, by);
  const pushed = await client.buildAuthorizationUrlWithPAR(by, parametersOf(url));
  return { url: pushed.href, checks };
}

describe('a pushed request', () => {
  it('is advertised, and the browser carries only its address', async () => {
    const { pushed_authorization_request_endpoint: endpoint } = stage.web.serverMetadata();
    expect(endpoint).toBe(`${stage.app.url}/oauth2/par`);
    const { url, checks } = await push();
    expect([...parametersOf(url).keys()].sort()).toEqual(['client_id', 'request_uri']);
    const answer = await signIn(stage.actors(), url, { consent });
    const made = await client.authorizationCodeGrant(stage.web, new URL(answer), checks);
    expect([made.scope, made.claims()?.sub]).toEqual([scope, 'alice']);
  });

  it('keeps the scope offline_access', async () => {
    const scopes = ['openid', 'offline_access'];
    const { url, checks } = await push(scopes.join(' '));
    const answer = await signIn(stage.actors(), url, { consent: { grantScopes: scopes } });
    const made = await client.authorizationCodeGrant(stage.web, new URL(answer), checks);
    expect(made.refresh_token).toEqual(expect.any(String));
  });

  it('is answered once', async () => {
    const { url, checks } = await push();
    const answer = await signIn(stage.actors(), url, { consent });
    await client.authorizationCodeGrant(stage.web, new URL(answer), checks);
    const again = parametersOf(await redirectOf(new Browser(), url));
    expect([again.get('error'), again.get('code')]).toEqual(['invalid_request_uri', null]);
  });

  it('expires after a minute, and is then refused', async () => {
    const { url } = await push();
    await pool.query(
      `update oauth2_records set payload = payload || '{"exp": 1}' where kind = 'PushedAuthorizationRequest'`,
    );
    const late = parametersOf(await redirectOf(new Browser(), url));
    expect(late.get('error')).toBe('invalid_request_uri');
  });

  it('that two browsers have begun in time is answered once, also when its time has passed since', async () => {
    const { url, checks } = await push();
    const [first, second] = [stage.actors(), stage.actors()];
    const challenges = [await untilConsent(first, url), await untilConsent(second, url)] as const;
    await pool.query(
      `update oauth2_records set payload = payload || '{"exp": 1}', expires_at = expires_at - interval '61 seconds'
        where kind = 'PushedAuthorizationRequest'`,
    );
    const finish = async (who: Actors, challenge: string) =>
      await redirectOf(who.browser, (await acceptConsent(who, { challenge, ...consent })).redirectTo);
    const answer = await finish(first, challenges[0]);
    const made = await client.authorizationCodeGrant(stage.web, new URL(answer), checks);
    expect(made.claims()?.sub).toBe('alice');
    const late = parametersOf(await finish(second, challenges[1]));
    expect([late.get('error'), late.get('code')]).toEqual(['invalid_request_uri', null]);
  });

  it.each<[what: string, more: Record<string, string>, error: string]>([
    ['a redirect URI that is not registered', { redirect_uri: 'https://evil.example/' }, 'invalid_request'],
    ['a scope that the client may not have', { scope: 'openid admin' }, 'invalid_scope'],
    [
      'the address of another request',
      { request_uri: 'urn:ietf:params:oauth:request_uri:x' },
      'request_uri_not_supported',
    ],
  ])('is refused at once for %s', async (_what, more, error) => {
    const { url } = await stage.request(scope);
    const parameters = { ...Object.fromEntries(parametersOf(url)), ...more };
    await expect(client.buildAuthorizationUrlWithPAR(stage.web, parameters)).rejects.toMatchObject({ error });
  });

  it('works for a public client', async () => {
    const { url, checks } = await push(scope, {}, stage.native);
    const answer = await signIn(stage.actors(), url, { consent });
    const made = await client.authorizationCodeGrant(stage.native, new URL(answer), checks);
    expect(made.claims()?.aud).toBe('native');
  });

  it('cannot be used by another client', async () => {
    const { url } = await push();
    const stolen = new URL(url);
    stolen.searchParams.set('client_id', 'native');
    const told = parametersOf(await redirectOf(new Browser(), stolen.href));
    expect([told.get('error'), told.get('state')]).toEqual(['invalid_request_uri', null]);
  });
});

describe('a signed request', () => {
  it('says everything; what stands beside it in the address does not count', async () => {
    const scopes = ['openid', 'offline_access'];
    const { url, checks } = await stage.request(scopes.join(' '), {}, signer);
    const signed = await client.buildAuthorizationUrlWithJAR(signer, parametersOf(url), signing);
    signed.searchParams.set('scope', 'openid write');
    signed.searchParams.set('state', 'forged');
    const answer = await signIn(stage.actors(), signed.href, { consent: { grantScopes: scopes } });
    const made = await client.authorizationCodeGrant(signer, new URL(answer), checks);
    expect([made.scope, typeof made.refresh_token]).toEqual(['openid offline_access', 'string']);
  });

  it('can be pushed', async () => {
    const { url, checks } = await stage.request(scope, {}, signer);
    const signed = await client.buildAuthorizationUrlWithJAR(signer, parametersOf(url), signing);
    const pushed = await client.buildAuthorizationUrlWithPAR(signer, signed.searchParams);
    const answer = await signIn(stage.actors(), pushed.href, { consent });
    const made = await client.authorizationCodeGrant(signer, new URL(answer), checks);
    expect(made.claims()?.aud).toBe('signer');
  });

  it.each<[what: string, change: (claims: JWTPayload) => Promise<string>]>([
    [
      'of an algorithm that is not registered',
      async (claims) => {
        const { privateKey } = await generateKeyPair('RS256');
        return new SignJWT(claims).setProtectedHeader({ alg: 'RS256' }).sign(privateKey);
      },
    ],
    [
      'that another key has signed',
      async (claims) => {
        const { privateKey } = await generateKeyPair('ES256');
        return new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: 'one' }).sign(privateKey);
      },
    ],
    [
      'that has expired',
      (claims) =>
        new SignJWT({ ...claims, exp: 1 }).setProtectedHeader({ alg: 'ES256', kid: 'one' }).sign(signing),
    ],
    [
      'for another server',
      (claims) =>
        new SignJWT({ ...claims, aud: 'https://evil.example' })
          .setProtectedHeader({ alg: 'ES256', kid: 'one' })
          .sign(signing),
    ],
    [
      'of another client',
      (claims) =>
        new SignJWT({ ...claims, client_id: 'web', iss: 'web' })
          .setProtectedHeader({ alg: 'ES256', kid: 'one' })
          .sign(signing),
    ],
    [
      'that contains another request',
      (claims) =>
        new SignJWT({ ...claims, request_uri: 'urn:x' })
          .setProtectedHeader({ alg: 'ES256', kid: 'one' })
          .sign(signing),
    ],
    [
      'that is not signed',
      async (claims) => {
        const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
        return `${encode({ alg: 'none' })}.${encode(claims)}.`;
      },
    ],
  ])('is refused if it is one %s', async (_what, change) => {
    const { url } = await stage.request(scope, {}, signer);
    const claims = {
      ...Object.fromEntries(parametersOf(url)),
      ...{ iss: 'signer', aud: stage.app.url, exp: Math.floor(Date.now() / 1000) + 60 },
    };
    const asked = new URL(url);
    asked.search = new URLSearchParams({
      ...{ client_id: 'signer', redirect_uri: redirect, response_type: 'code' },
      request: await change(claims),
    }).toString();
    const response = await new Browser().open(asked.href);
    const told = parametersOf(response.headers.get('location') ?? 'https://none.example');
    expect(told.get('error')).toBe('invalid_request_object');
  });

  it('is refused by reference', async () => {
    const { url } = await stage.request(scope, { request_uri: 'https://app.example/request' });
    const told = parametersOf(await redirectOf(new Browser(), url));
    expect(told.get('error')).toBe('request_uri_not_supported');
  });
});

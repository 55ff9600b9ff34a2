/** Access tokens as JWTs: who verifies them, and what the endpoints of the server say about them. */
import { decodeJwt, decodeProtectedHeader } from 'jose';
import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { basic } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { letKeysAge } from '../support/signing-keys.ts';
import { Browser, signIn, untilConsent } from './browser.ts';
import { redirect, Stage } from './stage.ts';
import { verifyUserInfo } from './verified-tokens.ts';

vi.hoisted(() => {
  process.env['OAUTH_LOGIN_URL'] = 'https://login.example/login';
  process.env['OAUTH_CONSENT_URL'] = 'https://login.example/consent';
  process.env['OAUTH_ACCESS_TOKEN_STRATEGY'] = 'jwt';
});

const audience = 'https://api.example/v1';
const settings = {
  redirectUris: [redirect],
  grantTypes: ['authorization_code', 'refresh_token', 'client_credentials'],
  scope: 'openid offline read.* write',
  audience: ['https://api.example', 'https://files.example/'],
};
let stage: Stage;
let jwt: client.Configuration;
beforeAll(async () => {
  stage = await Stage.start();
  jwt = await stage.addClient('jwt', { ...settings, accessTokenStrategy: 'jwt' });
});
afterAll(() => stage.stop());

async function tokens(by = jwt, more: Record<string, string> = { audience }) {
  const scope = 'openid offline read.runs';
  const { url, checks } = await stage.request(scope, more, by);
  const session = { accessToken: { team: 'blue' }, idToken: { team: 'red' } };
  const grantAudience = more['audience']?.split(' ') ?? [];
  const consent = { grantScopes: scope.split(' '), grantAudience, session };
  const answer = await signIn(stage.actors(new Browser()), url, { consent });
  return await client.authorizationCodeGrant(by, new URL(answer), checks);
}

describe('an access token that is a JWT', () => {
  it('says to resource servers whom it is about, for whom it is, and what the consent app has added', async () => {
    const made = await tokens();
    const payload = decodeJwt(made.access_token);
    expect(payload).toMatchObject({
      ...{ sub: 'alice', client_id: 'jwt', scope: 'openid offline read.runs', ext: { team: 'blue' } },
      ...{ aud: [audience], jti: expect.any(String) },
    });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(made.expires_in);
  });

  it('is shown by introspection and /userinfo as an opaque one is', async () => {
    const opaque = await stage.addClient('opaque', { ...settings, accessTokenStrategy: 'opaque' });
    const shown = [];
    for (const by of [jwt, opaque]) {
      const { access_token } = await tokens(by);
      const { client_id, exp, iat, nbf, ...others } = await client.tokenIntrospection(by, access_token);
      const info = await client.fetchUserInfo(by, access_token, 'alice');
      shown.push({ ...others, info, isNow: iat === nbf, seconds: Number(exp) - Number(iat) });
    }
    expect(shown[0]).toEqual(shown[1]);
    expect(shown[0]).toMatchObject({
      ...{ active: true, sub: 'alice', aud: [audience], ext: { team: 'blue' }, token_use: 'access_token' },
      ...{ token_type: 'Bearer', isNow: true, seconds: 3600, info: { sub: 'alice', team: 'red' } },
    });
  });

  it.each<[string, (made: Awaited<ReturnType<typeof tokens>>) => Promise<unknown>]>([
    ['itself', (made) => client.tokenRevocation(jwt, made.access_token)],
    ['its refresh token', (made) => client.tokenRevocation(jwt, made.refresh_token ?? '')],
  ])('is not active any more when a client revokes %s', async (_what, revoke) => {
    const made = await tokens();
    const others = await tokens();
    await revoke(made);
    expect(await client.tokenIntrospection(jwt, made.access_token)).toEqual({ active: false });
    expect(await client.tokenIntrospection(jwt, others.access_token)).toMatchObject({ active: true });
  });

  it('is unknown to other clients, and so is one whose text was changed', async () => {
    const { access_token } = await tokens();
    expect(await client.tokenIntrospection(stage.web, access_token)).toEqual({ active: false });
    await expect(client.tokenRevocation(stage.web, access_token)).rejects.toBeDefined();
    expect(await client.tokenIntrospection(jwt, access_token)).toMatchObject({ active: true });
    const forged = access_token.replace(/.$/, (last) => (last === 'A' ? 'Q' : 'A'));
    expect(await client.tokenIntrospection(jwt, forged)).toEqual({ active: false });
  });

  it('does not open our own API, whatever its audience', async () => {
    for (const token of [(await tokens()).access_token, (await tokens(jwt, {})).access_token]) {
      const { status } = await stage.app.ask('{ viewer { id } }', {}, `Bearer ${token}`);
      expect(status).toBe(401);
    }
  });

  it('is what a client gets that says nothing about it, if the server says so', async () => {
    const { access_token } = await client.clientCredentialsGrant(stage.web, { scope: 'write' });
    const payload = decodeJwt(access_token);
    expect([payload.sub, payload['scope'], payload.aud]).toEqual(['web', 'write', 'urn:slipway:oauth2']);
  });

  it('is refreshed for the audience that was granted', async () => {
    const first = await tokens();
    const second = await client.refreshTokenGrant(jwt, first.refresh_token ?? '');
    expect(decodeJwt(second.access_token)).toMatchObject({ aud: [audience], sub: 'alice' });
    expect(decodeJwt(second.access_token).jti).not.toBe(decodeJwt(first.access_token).jti);
  });
});

describe('/userinfo', () => {
  it('answers with a signed JWT if the client wants one', async () => {
    const by = await stage.addClient('signed', { ...settings, userinfoSignedResponseAlg: 'RS256' });
    const { access_token } = await tokens(by);
    const authorization = `Bearer ${access_token}`;
    const response = await fetch(`${stage.app.url}/userinfo`, { headers: { authorization } });
    expect(response.headers.get('content-type')).toBe('application/jwt');
    const payload = await verifyUserInfo(await response.text(), {
      issuer: stage.app.url,
      clientId: 'signed',
    });
    expect(payload).toMatchObject({ sub: 'alice', team: 'red' });
  });

  it('imports the key that signs once, and the next key after a rotation', async () => {
    const by = await stage.addClient('often', { ...settings, userinfoSignedResponseAlg: 'RS256' });
    const { access_token } = await tokens(by);
    const kidNow = async () => {
      const authorization = `Bearer ${access_token}`;
      const response = await fetch(`${stage.app.url}/userinfo`, { headers: { authorization } });
      return decodeProtectedHeader(await response.text()).kid;
    };
    const first = await kidNow();
    const imports = vi.spyOn(crypto.subtle, 'importKey');
    expect([await kidNow(), await kidNow()]).toEqual([first, first]);
    expect(imports.mock.calls.filter(([, , , , uses]) => [...uses].includes('sign'))).toEqual([]);
    imports.mockRestore();
    const input = { set: 'slipway.openid.id-token' };
    await letKeysAge();
    const { username, password } = stage.app.secrets.administrator;
    const rotated = await mutate(stage.app, 'rotateJsonWebKeySet', input, '', basic(username, password));
    expect(rotated.__typename).toBe('RotateJsonWebKeySetPayload');
    expect(await kidNow()).not.toBe(first);
  });
});

describe('the audience of a client', () => {
  it.each([
    ['is the same', 'https://api.example', true],
    ['is below it', 'https://api.example/v1/runs', true],
    ['is below it, with a slash at the end', 'https://files.example/a', true],
    ['is one of two', 'https://api.example/v1 https://files.example/a', true],
    ['has another scheme', 'http://api.example/', false],
    ['has another host', 'https://api.example.evil.example/', false],
    ['has another port', 'https://api.example:8443/', false],
    ['has a user name', 'https://api.example@evil.example/', false],
    ['is allowed only in part', 'https://api.example/v1 https://evil.example/', false],
    ['is not a URL', 'api', false],
  ])('allows what %s: %s (%s)', async (_which, asked, isAllowed) => {
    const made = client.clientCredentialsGrant(jwt, { scope: 'write', audience: asked });
    if (isAllowed) expect(decodeJwt((await made).access_token).aud).toEqual(asked.split(' '));
    else await expect(made).rejects.toMatchObject({ error: 'invalid_target' });
  });

  it('does not contain a path that only begins with the same letters', async () => {
    const by = await stage.addClient('narrow', { ...settings, audience: ['https://api.example/v1'] });
    const made = client.clientCredentialsGrant(by, { audience: 'https://api.example/v10' });
    await expect(made).rejects.toMatchObject({ error: 'invalid_target' });
  });

  it('is granted again without a person only if it was granted before', async () => {
    const who = stage.actors(new Browser());
    const { url } = await stage.request('openid', { audience }, jwt);
    const consent = { grantScopes: ['openid'], grantAudience: [audience], remember: true };
    await signIn(who, url, { login: { remember: true }, consent });
    const again = async (asked: string) => {
      const { url: silent, checks } = await stage.request('openid', { audience: asked, prompt: 'none' }, jwt);
      const response = await who.browser.open(silent);
      return { answer: new URL(response.headers.get('location') ?? ''), checks };
    };
    const { answer, checks } = await again(audience);
    const made = await client.authorizationCodeGrant(jwt, answer, checks);
    expect(decodeJwt(made.access_token).aud).toEqual([audience]);
    const refused = await again('https://files.example/a');
    expect(refused.answer.searchParams.get('error')).toBe('consent_required');
  });
});

describe('acceptConsentRequest', () => {
  it.each([
    ['accessToken', ['a list']],
    ['idToken', 'a text'],
    ['accessToken', 7],
  ])('names the member of session that is not an object: %s', async (name, claims) => {
    const { url } = await stage.request('openid', {}, jwt);
    const challenge = await untilConsent(stage.actors(new Browser()), url);
    const input = { challenge, session: { [name]: claims } };
    const refused = await mutate(stage.app, 'acceptConsentRequest', input, 'redirectTo', stage.loginApp);
    expect(refused).toMatchObject({ code: 'INVALID_ARGUMENT', path: ['input', 'session', name] });
  });
});

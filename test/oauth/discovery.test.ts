import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Answer } from '../support/app.ts';
import { rawRequest } from './raw-request.ts';
import { Stage } from './stage.ts';

vi.hoisted(() => {
  process.env['OAUTH_LOGIN_URL'] = 'https://login.example/login';
  process.env['OAUTH_CONSENT_URL'] = 'https://login.example/consent';
});

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.start();
});
afterAll(() => stage.stop());

describe('discovery', () => {
  it('names the endpoints at the paths of Hydra', () => {
    const { authorization_endpoint, token_endpoint, jwks_uri, ...metadata } = stage.web.serverMetadata();
    expect([authorization_endpoint, token_endpoint, jwks_uri]).toEqual([
      `${stage.app.url}/oauth2/auth`,
      `${stage.app.url}/oauth2/token`,
      `${stage.app.url}/.well-known/jwks.json`,
    ]);
    expect(metadata).toMatchObject({
      ...{ issuer: stage.app.url, userinfo_endpoint: `${stage.app.url}/userinfo` },
      ...{
        revocation_endpoint: `${stage.app.url}/oauth2/revoke`,
        code_challenge_methods_supported: ['S256'],
      },
    });
  });

  it('answers the same whatever a request says about the host', async () => {
    const forged: Record<string, string>[] = [
      { host: 'evil.example' },
      { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' },
    ];
    for (const headers of forged) {
      const text = await (
        await rawRequest(`${stage.app.url}/.well-known/openid-configuration`, { headers })
      ).text();
      expect(text).not.toContain('evil');
      expect(JSON.parse(text).issuer).toBe(stage.app.url);
    }
  });

  it('says nothing about registration, which is off unless somebody switches it on', async () => {
    expect(stage.web.serverMetadata().registration_endpoint).toBeUndefined();
    const init = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ redirect_uris: ['https://app.example/'] }),
    };
    for (const path of ['/oauth2/register', '/oauth2/register/web'])
      expect((await fetch(`${stage.app.url}${path}`, path.endsWith('web') ? {} : init)).status).toBe(404);
  });

  it('publishes public keys only', async () => {
    const { keys } = (await (await fetch(`${stage.app.url}/.well-known/jwks.json`)).json()) as {
      keys: Answer[];
    };
    expect(keys).toHaveLength(2);
    for (const key of keys)
      expect(Object.keys(key).filter((name) => 'd p q dp dq qi'.includes(name))).toEqual([]);
  });
});

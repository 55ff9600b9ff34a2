/** Tokens at Hydra's addresses. */
import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Stage, scopes } from '../../oauth/stage.ts';
import { type Call, callsTo } from './call.ts';

vi.hoisted(() => {
  process.env['OAUTH_LOGIN_URL'] = 'https://login.example/login';
  process.env['OAUTH_CONSENT_URL'] = 'https://login.example/consent';
});

let stage: Stage;
let call: Call;
beforeAll(async () => {
  stage = await Stage.start();
  call = callsTo(stage.app, stage.app.admin);
});
afterAll(() => stage.stop());

const introspect = async (token: string, scope?: string) =>
  (
    await call(
      'POST',
      '/admin/oauth2/introspect',
      new URLSearchParams({ token, ...(scope ? { scope } : {}) }),
    )
  ).body;

describe('introspection', () => {
  it('shows what a token is for', async () => {
    const consent = { grantScopes: scopes, session: { accessToken: { team: 'a' } } };
    const tokens = await stage.tokens(stage.actors(), { consent });
    expect(await introspect(tokens.access_token)).toMatchObject({
      ...{ active: true, client_id: 'web', sub: 'alice', scope: scopes.join(' '), aud: expect.any(Array) },
      ...{ iat: expect.any(Number), exp: expect.any(Number), token_type: 'Bearer', ext: { team: 'a' } },
      ...{ iss: expect.stringMatching(/^http/), token_use: 'access_token' },
    });
    expect(await introspect(tokens.refresh_token ?? '')).toMatchObject({ token_use: 'refresh_token' });
  });

  it.each(['access_token', 'refresh_token', 'id_token'])(
    'finds each token with the hint %s',
    async (hint) => {
      const { access_token, refresh_token = '' } = await stage.tokens();
      for (const token of [access_token, refresh_token]) {
        const form = new URLSearchParams({ token, token_type_hint: hint });
        expect((await call('POST', '/admin/oauth2/introspect', form)).body.active).toBe(true);
      }
    },
  );

  it('says only that a token is not active, also if it has not the scope', async () => {
    const { access_token: token } = await stage.tokens();
    expect(await introspect('nonsense')).toEqual({ active: false });
    expect(await introspect(token, 'read.runs')).toMatchObject({ active: true });
    expect(await introspect(token, 'read.runs other')).toEqual({ active: false });
  });

  it('needs a form with a token', async () => {
    const path = '/admin/oauth2/introspect';
    expect(await call('POST', path, new URLSearchParams())).toMatchObject({ status: 400 });
    expect(await call('POST', path, { token: 'x' })).toMatchObject({ status: 415 });
  });
});

describe.each(['/admin', ''])('tokens below "%s"', (prefix) => {
  it('of a client are deleted', async () => {
    const { access_token: token } = await client.clientCredentialsGrant(stage.web, { scope: 'read.runs' });
    const gone = await call('DELETE', `${prefix}/oauth2/tokens?client_id=web`);
    expect([gone.status, gone.body]).toEqual([204, null]);
    expect(await introspect(token)).toEqual({ active: false });
  });

  it('of no client are not deleted', async () => {
    expect((await call('DELETE', `${prefix}/oauth2/tokens`)).status).toBe(400);
    expect((await call('DELETE', `${prefix}/oauth2/tokens?client_id=none`)).status).toBe(404);
  });

  it('that live are not flushed', async () => {
    const { access_token: token } = await client.clientCredentialsGrant(stage.web, { scope: 'read.runs' });
    const flushed = await call('POST', `${prefix}/oauth2/flush`, { notAfter: new Date().toISOString() });
    expect([flushed.status, flushed.body]).toEqual([204, null]);
    expect(await introspect(token)).toMatchObject({ active: true });
  });
});

/** Codes and refresh tokens that give nothing, each with the paragraph that says so. */
import { createHash } from 'node:crypto';
import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { pool } from '../../src/platform/database/client.ts';
import { basic } from '../support/app.ts';
import { newCaller, newTenant } from '../support/users.ts';
import { signIn } from './browser.ts';
import { Stage, webSettings } from './stage.ts';
import { type Attack, refresh, TokenEndpoint, without } from './token-attacks.ts';

vi.hoisted(() => {
  process.env['OAUTH_LOGIN_URL'] = 'https://login.example/login';
  process.env['OAUTH_CONSENT_URL'] = 'https://login.example/consent';
});

let stage: Stage;
let endpoint: TokenEndpoint;
/** A client of the same tenant, and one of another tenant. */
let neighbour: client.Configuration;
let foreigner: client.Configuration;
beforeAll(async () => {
  stage = await Stage.start();
  endpoint = new TokenEndpoint(stage);
  neighbour = await stage.addClient('neighbour', webSettings);
  const tenantId = await newTenant('elsewhere');
  foreigner = await stage.addClient('foreigner', webSettings, await newCaller({ role: 'ADMIN', tenantId }));
});
afterAll(() => stage.stop());

const basicOf = (config: client.Configuration) => {
  const { client_id, client_secret } = config.clientMetadata();
  return { authorization: basic(client_id, String(client_secret)) };
};

const codes: Attack[] = [
  {
    source: 'RFC 6749 §5.2',
    what: 'an unknown code',
    send: async () => endpoint.byWeb({ ...(await endpoint.newCode()), code: 'unknown' }),
    status: 400,
    error: 'invalid_grant',
  },
  {
    source: 'RFC 6749 §4.1.3',
    what: 'the code of another client',
    send: async () => ({ form: await endpoint.newCode(), headers: basicOf(neighbour) }),
    status: 400,
    error: 'invalid_grant',
  },
  {
    source: 'RFC 6749 §4.1.3',
    what: 'the code of a client of another tenant',
    send: async () => ({ form: await endpoint.newCode(), headers: basicOf(foreigner) }),
    status: 400,
    error: 'invalid_grant',
  },
  {
    source: 'RFC 6749 §4.1.3',
    what: 'the code of a client with a secret, by a public client',
    send: async () => ({ form: { ...(await endpoint.newCode()), client_id: 'native' } }),
    status: 400,
    error: 'invalid_grant',
  },
  {
    source: 'RFC 6749 §4.1.3',
    what: 'another redirect URI',
    send: async () =>
      endpoint.byWeb({ ...(await endpoint.newCode()), redirect_uri: 'https://app.example/other' }),
    status: 400,
    error: 'invalid_grant',
  },
  {
    source: 'RFC 7636 §4.6',
    what: 'no verifier',
    send: async () => endpoint.byWeb(without(await endpoint.newCode(), 'code_verifier')),
    status: 400,
    error: 'invalid_grant',
  },
  {
    source: 'RFC 7636 §4.6',
    what: 'another verifier, as for a code that was injected',
    send: async () =>
      endpoint.byWeb({ ...(await endpoint.newCode()), code_verifier: client.randomPKCECodeVerifier() }),
    status: 400,
    error: 'invalid_grant',
  },
  {
    source: 'RFC 7636 §4.6',
    what: 'the challenge as the verifier',
    send: async () => {
      const form = await endpoint.newCode();
      const code_verifier = createHash('sha256').update(form.code_verifier).digest('base64url');
      return endpoint.byWeb({ ...form, code_verifier });
    },
    status: 400,
    error: 'invalid_grant',
  },
  {
    source: 'RFC 7636 §4.1',
    what: 'a short verifier',
    send: async () => endpoint.byWeb({ ...(await endpoint.newCode()), code_verifier: 'short' }),
    status: 400,
    error: 'invalid_request',
  },
  {
    source: 'RFC 9700 §2.1.1',
    what: 'a verifier for a code without PKCE',
    send: async () => {
      const url = new URL((await stage.request('openid')).url);
      for (const name of ['code_challenge', 'code_challenge_method']) url.searchParams.delete(name);
      const answer = await signIn(stage.actors(), url.href, { consent: { grantScopes: ['openid'] } });
      const code = new URL(answer).searchParams.get('code') ?? '';
      return endpoint.byWeb({ ...(await endpoint.newCode()), code });
    },
    status: 400,
    error: 'invalid_grant',
  },
  {
    source: 'RFC 6749 §3.2',
    what: 'two codes',
    send: async () => {
      const [first, second] = [await endpoint.newCode(), await endpoint.newCode()];
      return endpoint.byWeb({ ...first, code: [first.code, second.code] });
    },
    status: 400,
    error: 'invalid_request',
  },
  {
    source: 'RFC 6749 §4.1.2',
    what: 'a code of long ago',
    send: async () => {
      const form = await endpoint.newCode();
      await pool.query(
        `update oauth2_records set expires_at = now() - interval '1 second', payload = payload || '{"exp": 1}'
          where kind = 'AuthorizationCode'`,
      );
      return endpoint.byWeb(form);
    },
    status: 400,
    error: 'invalid_grant',
  },
  {
    source: 'RFC 6749 §4.1.2',
    what: 'a code that was used',
    send: async () => {
      const form = await endpoint.newCode();
      await endpoint.answer(endpoint.byWeb(form));
      return endpoint.byWeb(form);
    },
    status: 400,
    error: 'invalid_grant',
  },
];

const refreshTokens: Attack[] = [
  {
    source: 'RFC 6749 §5.2',
    what: 'an unknown refresh token',
    send: async () => endpoint.byWeb(refresh('unknown')),
    status: 400,
    error: 'invalid_grant',
  },
  {
    source: 'RFC 6749 §6',
    what: 'the refresh token of another client',
    send: async () => ({
      form: refresh((await stage.tokens()).refresh_token),
      headers: basicOf(neighbour),
    }),
    status: 400,
    error: 'invalid_grant',
  },
  {
    source: 'RFC 6749 §6',
    what: 'the refresh token of a client of another tenant',
    send: async () => ({
      form: refresh((await stage.tokens()).refresh_token),
      headers: basicOf(foreigner),
    }),
    status: 400,
    error: 'invalid_grant',
  },
  {
    source: 'RFC 6749 §6',
    what: 'a scope that was not granted',
    send: async () =>
      endpoint.byWeb({ ...refresh((await stage.tokens()).refresh_token), scope: 'openid write' }),
    status: 400,
    error: 'invalid_scope',
  },
  {
    source: 'RFC 6749 §1.5',
    what: 'an access token as a refresh token',
    send: async () => endpoint.byWeb(refresh((await stage.tokens()).access_token)),
    status: 400,
    error: 'invalid_grant',
  },
  {
    source: 'RFC 6749 §1.3.1',
    what: 'a code as a refresh token',
    send: async () => endpoint.byWeb(refresh((await endpoint.newCode()).code)),
    status: 400,
    error: 'invalid_grant',
  },
  {
    source: 'RFC 6749 §1.5',
    what: 'a refresh token as a code',
    send: async () =>
      endpoint.byWeb({ ...(await endpoint.newCode()), code: (await stage.tokens()).refresh_token ?? '' }),
    status: 400,
    error: 'invalid_grant',
  },
  {
    source: 'RFC 9700 §4.14.2',
    what: 'a refresh token that was used',
    send: async () => {
      const { refresh_token: token = '' } = await stage.tokens();
      await client.refreshTokenGrant(stage.web, token);
      return endpoint.byWeb(refresh(token));
    },
    status: 400,
    error: 'invalid_grant',
  },
];

describe.each([
  ['a code', codes],
  ['a refresh token', refreshTokens],
])('the token endpoint refuses, because of %s,', (_part, attacks) => {
  it.each(attacks)('$what ($source): $status $error', (attack) => endpoint.refuses(attack));
});

describe('the token endpoint', () => {
  it('answers the requests that the tables change', async () => {
    await endpoint.answer(endpoint.byWeb(await endpoint.newCode()));
    await endpoint.answer(endpoint.byWeb(refresh((await stage.tokens()).refresh_token)));
  });

  it('ends the tokens of a code that is used twice, and not for a client that has stolen it', async () => {
    const form = await endpoint.newCode();
    const { access_token } = await endpoint.answer(endpoint.byWeb(form));
    await endpoint.send({ form, headers: basicOf(neighbour) });
    const isActive = async () => (await client.tokenIntrospection(stage.web, String(access_token))).active;
    expect(await isActive()).toBe(true);
    await endpoint.send(endpoint.byWeb(form));
    expect(await isActive()).toBe(false);
  });
});

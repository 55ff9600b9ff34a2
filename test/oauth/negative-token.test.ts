/**
 * Requests at the token endpoint that must fail, each with the paragraph that says so. No answer has a token in it, or
 * says more than its error.
 */
import { createHash, randomUUID } from 'node:crypto';
import { CompactSign, exportJWK, exportSPKI, generateKeyPair, type JWTHeaderParameters, SignJWT } from 'jose';
import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { pool } from '../../src/platform/database/client.ts';
import { basic } from '../support/app.ts';
import { newCaller, newTenant } from '../support/users.ts';
import { signIn } from './browser.ts';
import { consent, redirect, Stage, scope, webSettings } from './stage.ts';

vi.hoisted(() => {
  process.env['OAUTH_LOGIN_URL'] = 'https://login.example/login';
  process.env['OAUTH_CONSENT_URL'] = 'https://login.example/consent';
});

let stage: Stage;
let keys: CryptoKeyPair;
/** A client of the same tenant, and one of another tenant. */
let neighbour: client.Configuration;
let foreigner: client.Configuration;
const machine = { grantTypes: ['client_credentials'], scope: 'write' };
beforeAll(async () => {
  stage = await Stage.start();
  keys = await generateKeyPair('RS256', { extractable: true });
  const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'one', alg: 'RS256', use: 'sig' };
  const keyed = { tokenEndpointAuthMethod: 'private_key_jwt', jwks: { keys: [jwk] } };
  await stage.addClient('keyed', { ...machine, ...keyed });
  await stage.addClient('signer', { ...machine, ...keyed, tokenEndpointAuthSigningAlg: 'RS256' });
  neighbour = await stage.addClient('neighbour', webSettings);
  const tenantId = await newTenant('elsewhere');
  foreigner = await stage.addClient('foreigner', webSettings, await newCaller({ role: 'ADMIN', tenantId }));
});
afterAll(() => stage.stop());

type Form = Readonly<Record<string, string | readonly string[]>>;
interface Sent {
  readonly form?: Form;
  readonly headers?: Readonly<Record<string, string>>;
  readonly method?: string;
  readonly body?: string;
}
interface Attack {
  readonly source: string;
  readonly what: string;
  readonly send: () => Sent | Promise<Sent>;
  readonly status: number;
  readonly error: string | null;
}

function formOf(form: Form): URLSearchParams {
  const body = new URLSearchParams();
  for (const [name, values] of Object.entries(form))
    for (const value of [values].flat()) body.append(name, value);
  return body;
}

async function send({ form = {}, headers = {}, method = 'POST', body }: Sent) {
  const init = method === 'GET' ? {} : { body: body ?? formOf(form) };
  const response = await fetch(`${stage.app.url}/oauth2/token`, { method, headers, ...init });
  const text = await response.text();
  return { response, text, answer: JSON.parse(text) as Record<string, unknown> };
}

const asWeb = () => ({ authorization: basic('web', stage.webSecret) });
const byWeb = (form: Form, headers: Record<string, string> = {}): Sent => ({
  form,
  headers: { ...asWeb(), ...headers },
});
const credentials = { grant_type: 'client_credentials' };

/** A code for the client `web`, and what redeems it. */
async function newCode() {
  const { url, checks } = await stage.request(scope);
  const answer = new URL(await signIn(stage.actors(), url, { consent }));
  return {
    ...{ grant_type: 'authorization_code', redirect_uri: redirect },
    ...{ code: answer.searchParams.get('code') ?? '', code_verifier: checks.pkceCodeVerifier },
  };
}
const without = (form: Form, name: string): Form =>
  Object.fromEntries(Object.entries(form).filter(([key]) => key !== name));
const basicOf = (config: client.Configuration) => {
  const { client_id, client_secret } = config.clientMetadata();
  return { authorization: basic(client_id, String(client_secret)) };
};

const wire: Attack[] = [
  { source: 'RFC 6749 §3.2', what: 'GET', send: () => ({ method: 'GET' }), status: 405, error: null },
  {
    source: 'RFC 6749 §3.2',
    what: 'JSON',
    send: () => ({
      headers: { ...asWeb(), 'content-type': 'application/json' },
      body: JSON.stringify(credentials),
    }),
    status: 400,
    error: 'invalid_request',
  },
  {
    source: 'RFC 6749 §3.2',
    what: 'a form of several parts',
    send: () => ({
      headers: { ...asWeb(), 'content-type': 'multipart/form-data; boundary=x' },
      body: '--x\r\ncontent-disposition: form-data; name="grant_type"\r\n\r\nclient_credentials\r\n--x--',
    }),
    status: 400,
    error: 'invalid_request',
  },
  {
    source: 'RFC 6749 §5.2',
    what: 'no grant type',
    send: () => byWeb({}),
    status: 400,
    error: 'invalid_request',
  },
  {
    source: 'RFC 6749 §5.2',
    what: 'an unknown grant type',
    send: () => byWeb({ grant_type: 'banana' }),
    status: 400,
    error: 'unsupported_grant_type',
  },
  {
    source: 'RFC 9700 §2.4',
    what: 'the password of a person',
    send: () => byWeb({ grant_type: 'password', username: 'admin', password: 'admin' }),
    status: 400,
    error: 'unsupported_grant_type',
  },
  {
    source: 'RFC 6749 §4.2',
    what: 'the grant type implicit',
    send: () => byWeb({ grant_type: 'implicit' }),
    status: 400,
    error: 'unsupported_grant_type',
  },
  {
    source: 'RFC 6749 §5.2',
    what: 'a grant type that is not registered',
    send: async () => ({ form: { ...credentials, client_id: 'native' } }),
    status: 400,
    error: 'unauthorized_client',
  },
  {
    source: 'RFC 6749 §3.2',
    what: 'two grant types',
    send: () => byWeb({ grant_type: ['client_credentials', 'refresh_token'] }),
    status: 400,
    error: 'invalid_request',
  },
  {
    source: 'RFC 6749 §3.2',
    what: 'two scopes',
    send: () => byWeb({ ...credentials, scope: ['write', 'read.runs'] }),
    status: 400,
    error: 'invalid_request',
  },
  {
    source: 'RFC 6749 §5.2',
    what: 'a scope that the client may not have',
    send: () => byWeb({ ...credentials, scope: 'admin' }),
    status: 400,
    error: 'invalid_scope',
  },
  {
    source: 'RFC 6749 §3.3',
    what: 'a pattern of scopes',
    send: () => byWeb({ ...credentials, scope: 'read.*.x"' }),
    status: 400,
    error: 'invalid_scope',
  },
  {
    source: 'RFC 8707 §2',
    what: 'a resource that the client may not ask for',
    send: () => byWeb({ ...credentials, resource: 'https://evil.example/' }),
    status: 400,
    error: 'invalid_target',
  },
];

const clients: Attack[] = [
  {
    source: 'RFC 6749 §5.2',
    what: 'no client',
    send: () => ({ form: credentials }),
    status: 401,
    error: 'invalid_client',
  },
  {
    source: 'RFC 6749 §5.2',
    what: 'a wrong secret in the header',
    send: () => ({ form: credentials, headers: { authorization: basic('web', 'wrong') } }),
    status: 401,
    error: 'invalid_client',
  },
  {
    source: 'RFC 6749 §5.2',
    what: 'a wrong secret in the form',
    send: () => ({ form: { ...credentials, client_id: 'web', client_secret: 'wrong' } }),
    status: 401,
    error: 'invalid_client',
  },
  {
    source: 'RFC 6749 §5.2',
    what: 'an unknown client',
    send: () => ({ form: credentials, headers: { authorization: basic('nobody', 'secret') } }),
    status: 401,
    error: 'invalid_client',
  },
  {
    source: 'RFC 6749 §3.2.1',
    what: 'no secret of a client that has one',
    send: () => ({ form: { ...credentials, client_id: 'web' } }),
    status: 401,
    error: 'invalid_client',
  },
  {
    source: 'RFC 6749 §3.2.1',
    what: 'a secret of a public client',
    send: () => ({ form: credentials, headers: { authorization: basic('native', 'secret') } }),
    status: 401,
    error: 'invalid_client',
  },
  {
    source: 'RFC 6749 §2.3',
    what: 'two ways to authenticate',
    send: () => byWeb({ ...credentials, client_id: 'web', client_secret: stage.webSecret }),
    status: 400,
    error: 'invalid_request',
  },
  {
    source: 'RFC 6749 §2.3.1',
    what: 'one client in the header and another in the form',
    send: () => byWeb({ ...credentials, client_id: 'neighbour' }),
    status: 400,
    error: 'invalid_request',
  },
  {
    source: 'RFC 6749 §3.2',
    what: 'two clients',
    send: () => ({ form: { ...credentials, client_id: ['native', 'web'] } }),
    status: 400,
    error: 'invalid_request',
  },
  {
    source: 'RFC 7617 §2',
    what: 'a header that is not base64',
    send: () => ({ form: credentials, headers: { authorization: 'Basic !!!' } }),
    status: 400,
    error: 'invalid_request',
  },
  {
    source: 'RFC 7617 §2',
    what: 'a header with two spaces',
    send: () => ({ form: credentials, headers: { authorization: asWeb().authorization.replace(' ', '  ') } }),
    status: 400,
    error: 'invalid_request',
  },
  {
    source: 'RFC 6749 §2.3.1',
    what: 'a secret in the address',
    send: () => ({ form: { ...credentials, client_id: 'web' }, headers: {} }),
    status: 401,
    error: 'invalid_client',
  },
];

const codes: Attack[] = [
  {
    source: 'RFC 6749 §5.2',
    what: 'an unknown code',
    send: async () => byWeb({ ...(await newCode()), code: 'unknown' }),
    status: 400,
    error: 'invalid_grant',
  },
  {
    source: 'RFC 6749 §4.1.3',
    what: 'the code of another client',
    send: async () => ({ form: await newCode(), headers: basicOf(neighbour) }),
    status: 400,
    error: 'invalid_grant',
  },
  {
    source: 'RFC 6749 §4.1.3',
    what: 'the code of a client of another tenant',
    send: async () => ({ form: await newCode(), headers: basicOf(foreigner) }),
    status: 400,
    error: 'invalid_grant',
  },
  {
    source: 'RFC 6749 §4.1.3',
    what: 'the code of a client with a secret, by a public client',
    send: async () => ({ form: { ...(await newCode()), client_id: 'native' } }),
    status: 400,
    error: 'invalid_grant',
  },
  {
    source: 'RFC 6749 §4.1.3',
    what: 'another redirect URI',
    send: async () => byWeb({ ...(await newCode()), redirect_uri: 'https://app.example/other' }),
    status: 400,
    error: 'invalid_grant',
  },
  {
    source: 'RFC 7636 §4.6',
    what: 'no verifier',
    send: async () => byWeb(without(await newCode(), 'code_verifier')),
    status: 400,
    error: 'invalid_grant',
  },
  {
    source: 'RFC 7636 §4.6',
    what: 'another verifier, as for a code that was injected',
    send: async () => byWeb({ ...(await newCode()), code_verifier: client.randomPKCECodeVerifier() }),
    status: 400,
    error: 'invalid_grant',
  },
  {
    source: 'RFC 7636 §4.6',
    what: 'the challenge as the verifier',
    send: async () => {
      const form = await newCode();
      const code_verifier = createHash('sha256').update(form.code_verifier).digest('base64url');
      return byWeb({ ...form, code_verifier });
    },
    status: 400,
    error: 'invalid_grant',
  },
  {
    source: 'RFC 7636 §4.1',
    what: 'a short verifier',
    send: async () => byWeb({ ...(await newCode()), code_verifier: 'short' }),
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
      return byWeb({ ...(await newCode()), code });
    },
    status: 400,
    error: 'invalid_grant',
  },
  {
    source: 'RFC 6749 §3.2',
    what: 'two codes',
    send: async () => {
      const [first, second] = [await newCode(), await newCode()];
      return byWeb({ ...first, code: [first.code, second.code] });
    },
    status: 400,
    error: 'invalid_request',
  },
  {
    source: 'RFC 6749 §4.1.2',
    what: 'a code of long ago',
    send: async () => {
      const form = await newCode();
      await pool.query(
        `update oauth2_records set expires_at = now() - interval '1 second', payload = payload || '{"exp": 1}'
          where kind = 'AuthorizationCode'`,
      );
      return byWeb(form);
    },
    status: 400,
    error: 'invalid_grant',
  },
  {
    source: 'RFC 6749 §4.1.2',
    what: 'a code that was used',
    send: async () => {
      const form = await newCode();
      expect((await send(byWeb(form))).response.status).toBe(200);
      return byWeb(form);
    },
    status: 400,
    error: 'invalid_grant',
  },
];

const refresh = async (token: string): Promise<Form> => ({
  grant_type: 'refresh_token',
  refresh_token: token,
});
const refreshTokens: Attack[] = [
  {
    source: 'RFC 6749 §5.2',
    what: 'an unknown refresh token',
    send: async () => byWeb(await refresh('unknown')),
    status: 400,
    error: 'invalid_grant',
  },
  {
    source: 'RFC 6749 §6',
    what: 'the refresh token of another client',
    send: async () => ({
      form: await refresh((await stage.tokens()).refresh_token ?? ''),
      headers: basicOf(neighbour),
    }),
    status: 400,
    error: 'invalid_grant',
  },
  {
    source: 'RFC 6749 §6',
    what: 'the refresh token of a client of another tenant',
    send: async () => ({
      form: await refresh((await stage.tokens()).refresh_token ?? ''),
      headers: basicOf(foreigner),
    }),
    status: 400,
    error: 'invalid_grant',
  },
  {
    source: 'RFC 6749 §6',
    what: 'a scope that was not granted',
    send: async () =>
      byWeb({ ...(await refresh((await stage.tokens()).refresh_token ?? '')), scope: 'openid write' }),
    status: 400,
    error: 'invalid_scope',
  },
  {
    source: 'RFC 6749 §1.5',
    what: 'an access token as a refresh token',
    send: async () => byWeb(await refresh((await stage.tokens()).access_token)),
    status: 400,
    error: 'invalid_grant',
  },
  {
    source: 'RFC 6749 §1.3.1',
    what: 'a code as a refresh token',
    send: async () => byWeb(await refresh((await newCode()).code)),
    status: 400,
    error: 'invalid_grant',
  },
  {
    source: 'RFC 6749 §1.5',
    what: 'a refresh token as a code',
    send: async () => byWeb({ ...(await newCode()), code: (await stage.tokens()).refresh_token ?? '' }),
    status: 400,
    error: 'invalid_grant',
  },
  {
    source: 'RFC 9700 §4.14.2',
    what: 'a refresh token that was used',
    send: async () => {
      const { refresh_token: token = '' } = await stage.tokens();
      await client.refreshTokenGrant(stage.web, token);
      return byWeb(await refresh(token));
    },
    status: 400,
    error: 'invalid_grant',
  },
];

interface Assertion {
  readonly claims?: object;
  readonly header?: object;
  readonly key?: CryptoKey | Uint8Array;
  /** The client; `keyed` when nothing is said. */
  readonly by?: string;
}

/** A client assertion, right but for what is given. */
async function assertion({ claims = {}, header = {}, key = keys.privateKey, by = 'keyed' }: Assertion = {}) {
  const now = Math.floor(Date.now() / 1000);
  const right = { iss: by, sub: by, aud: stage.app.url, jti: randomUUID(), iat: now, exp: now + 60 };
  const protectedHeader = { alg: 'RS256', kid: 'one', ...header } as JWTHeaderParameters;
  return await new SignJWT({ ...right, ...claims }).setProtectedHeader(protectedHeader).sign(key);
}
const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const asserted = (client_assertion: string): Sent => ({
  form: { ...credentials, client_assertion_type: type, client_assertion },
});
const badAssertion = (source: string, what: string, make: () => Promise<string>): Attack => ({
  ...{ source, what: `an assertion ${what}`, status: 401, error: 'invalid_client' },
  send: async () => asserted(await make()),
});
const claiming = (source: string, what: string, claims: () => object) =>
  badAssertion(source, what, () => assertion({ claims: claims() }));

const assertions: Attack[] = [
  badAssertion('RFC 8725 §2.1', 'without a signature', async () => {
    const [, payload] = (await assertion()).split('.');
    return `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`;
  }),
  badAssertion('RFC 8725 §2.1', 'whose public key is the secret of an HMAC', async () =>
    assertion({ header: { alg: 'HS256' }, key: new TextEncoder().encode(await exportSPKI(keys.publicKey)) }),
  ),
  badAssertion('RFC 7523 §3', 'that another key has signed', async () =>
    assertion({ key: (await generateKeyPair('RS256')).privateKey }),
  ),
  badAssertion('RFC 8725 §3.5', 'that brings its own key', async () => {
    const own = await generateKeyPair('RS256', { extractable: true });
    return assertion({ header: { jwk: await exportJWK(own.publicKey) }, key: own.privateKey });
  }),
  badAssertion('RFC 8725 §3.10', 'that says where its key is', async () => {
    const own = await generateKeyPair('RS256');
    return assertion({ header: { jku: 'https://evil.example/keys', kid: 'evil' }, key: own.privateKey });
  }),
  badAssertion('RFC 7515 §4.1.11', 'with an extension that must be understood', async () => {
    const [, payload = ''] = (await assertion()).split('.');
    const header = { alg: 'RS256', kid: 'one', crit: ['urn:example:proof'], 'urn:example:proof': true };
    return await new CompactSign(Buffer.from(payload, 'base64url'))
      .setProtectedHeader(header)
      .sign(keys.privateKey, { crit: { 'urn:example:proof': true } });
  }),
  badAssertion('RFC 8725 §3.1', 'of another algorithm than the registered one', async () =>
    assertion({ by: 'signer', header: { alg: 'PS256' }, key: await asPss() }),
  ),
  claiming('RFC 7523 §3', 'for another server', () => ({ aud: 'https://evil.example/oauth2/token' })),
  claiming('RFC 7523 §3', 'for nobody', () => ({ aud: undefined })),
  claiming('RFC 7523 §3', 'of another issuer', () => ({ iss: 'web' })),
  claiming('RFC 7523 §3', 'without an issuer', () => ({ iss: undefined })),
  claiming('RFC 7523 §3', 'about another client', () => ({ sub: 'signer' })),
  claiming('RFC 7523 §3', 'that never expires', () => ({ exp: undefined })),
  claiming('RFC 7523 §3', 'that has expired', () => ({ exp: 1 })),
  claiming('RFC 7523 §3', 'that expires in years', () => ({ exp: 4_000_000_000 })),
  claiming('RFC 7523 §3', 'that expires at no time that exists', () => ({ exp: 1e300 })),
  claiming('RFC 7523 §3', 'that is not valid yet', () => ({ nbf: Math.floor(Date.now() / 1000) + 3000 })),
  claiming('RFC 7523 §3', 'without an id', () => ({ jti: undefined })),
  badAssertion('RFC 7523 §3', 'that was used', async () => {
    const one = await assertion();
    expect((await send(asserted(one))).response.status).toBe(200);
    return one;
  }),
  {
    source: 'RFC 7521 §4.2',
    what: 'an assertion of another type',
    send: async () => ({
      form: {
        ...credentials,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer',
        client_assertion: await assertion(),
      },
    }),
    status: 400,
    error: 'invalid_request',
  },
  {
    source: 'RFC 7521 §4.2.1',
    what: 'an assertion that is no JWT',
    send: () => asserted('banana'),
    status: 400,
    error: 'invalid_request',
  },
  {
    source: 'RFC 7521 §4.2',
    what: 'an assertion of one client, and the id of another',
    send: async () => {
      const { form } = asserted(await assertion());
      return { form: { ...form, client_id: 'web' } };
    },
    status: 400,
    error: 'invalid_request',
  },
];

/** The private key for RSA-PSS. */
async function asPss(): Promise<CryptoKey> {
  const jwk = await exportJWK(keys.privateKey);
  const algorithm = { name: 'RSA-PSS', hash: 'SHA-256' };
  return await crypto.subtle.importKey('jwk', { ...jwk, alg: 'PS256' } as JsonWebKey, algorithm, false, [
    'sign',
  ]);
}

interface Proof {
  readonly claims?: object;
  readonly header?: object;
  readonly key?: CryptoKey | Uint8Array;
}

/** A proof of DPoP, right but for what is given. */
async function proof({ claims = {}, header = {}, key }: Proof = {}): Promise<string> {
  const pair = await generateKeyPair('ES256', { extractable: true });
  const right = { htm: 'POST', htu: `${stage.app.url}/oauth2/token`, jti: randomUUID() };
  const jwk = await exportJWK(pair.publicKey);
  return await new SignJWT({ ...right, iat: Math.floor(Date.now() / 1000), ...claims })
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk, ...header } as JWTHeaderParameters)
    .sign(key ?? pair.privateKey);
}
const badProof = (
  source: string,
  what: string,
  make: () => Promise<string>,
  error = 'invalid_dpop_proof',
) => ({
  ...{ source, what: `a proof ${what}`, status: 400, error },
  send: async () => byWeb(credentials, { dpop: await make() }),
});

const proofs: Attack[] = [
  badProof('RFC 9449 §4.3', 'for another method', () => proof({ claims: { htm: 'GET' } })),
  badProof('RFC 9449 §4.3', 'for another address', () => proof({ claims: { htu: 'https://evil.example/' } })),
  badProof('RFC 9449 §4.3', 'of another type', () => proof({ header: { typ: 'JWT' } })),
  badProof('RFC 9449 §4.3', 'without a time', () => proof({ claims: { iat: undefined } })),
  badProof('RFC 9449 §4.3', 'of long ago', () => proof({ claims: { iat: 1_000_000_000 } })),
  badProof('RFC 9449 §4.3', 'without an id', () => proof({ claims: { jti: undefined } })),
  badProof('RFC 9449 §4.3', 'that another key has signed', async () =>
    proof({ key: (await generateKeyPair('ES256')).privateKey }),
  ),
  badProof('RFC 9449 §4.3', 'with a private key in it', async () => {
    const { privateKey } = await generateKeyPair('ES256', { extractable: true });
    return proof({ header: { jwk: await exportJWK(privateKey) }, key: privateKey });
  }),
  badProof('RFC 9449 §4.3', 'with a symmetric key', () => {
    const k = Buffer.alloc(32, 1);
    return proof({ header: { alg: 'HS256', jwk: { kty: 'oct', k: k.toString('base64url') } }, key: k });
  }),
  badProof('RFC 9449 §4.3', 'that is no JWT', async () => 'banana'),
  badProof(
    'RFC 9449 §11.1',
    'that was used',
    async () => {
      const one = await proof();
      expect((await send(byWeb(credentials, { dpop: one }))).response.status).toBe(200);
      return one;
    },
    'invalid_grant',
  ),
];

describe.each([
  ['the request', wire],
  ['the client', clients],
  ['a code', codes],
  ['a refresh token', refreshTokens],
  ['a client assertion', assertions],
  ['a proof of a key', proofs],
])('the token endpoint refuses, because of %s,', (_part, attacks) => {
  it.each(attacks)('$what ($source): $status $error', async ({ send: make, status, error }) => {
    const { response, text, answer } = await send(await make());
    expect([response.status, answer['error'] ?? null], text).toEqual([status, error]);
    expect(response.headers.get('cache-control')).toContain('no-store');
    expect(response.headers.get('content-type')).toContain('application/json');
    expect(text).not.toMatch(/access_token"|refresh_token"|id_token"|node_modules|evil\.example|\bat /);
    if (status === 401 && response.headers.has('www-authenticate'))
      expect(response.headers.get('www-authenticate')).toMatch(/^Basic realm=/);
  });
});

describe('and', () => {
  it('answers the same for an unknown client and for a wrong secret', async () => {
    const ask = (name: string) =>
      send({ form: credentials, headers: { authorization: basic(name, 'wrong') } });
    const [known, unknown] = [await ask('web'), await ask('nobody')];
    expect([unknown.response.status, unknown.text]).toEqual([known.response.status, known.text]);
  });

  it('answers the right requests that the tables change', async () => {
    const right = [
      byWeb(await newCode()),
      byWeb(await refresh((await stage.tokens()).refresh_token ?? '')),
      byWeb(credentials, { dpop: await proof() }),
      asserted(await assertion()),
      asserted(await assertion({ by: 'signer' })),
    ];
    for (const one of right) {
      const { response, text } = await send(one);
      expect(response.status, text).toBe(200);
    }
  });

  it('ends the tokens of a code that is used twice, and not for a client that has stolen it', async () => {
    const form = await newCode();
    const { answer } = await send(byWeb(form));
    await send({ form, headers: basicOf(neighbour) });
    const isActive = async () =>
      (await client.tokenIntrospection(stage.web, String(answer['access_token']))).active;
    expect(await isActive()).toBe(true);
    await send(byWeb(form));
    expect(await isActive()).toBe(false);
  });
});

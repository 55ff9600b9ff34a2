/** Requests at the token endpoint that must fail because of their form or their client, each with the paragraph that says so. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { basic } from '../support/app.ts';
import { Stage, webSettings } from './stage.ts';
import { type Attack, credentials, TokenEndpoint } from './token-attacks.ts';

vi.hoisted(() => {
  process.env['OAUTH_LOGIN_URL'] = 'https://login.example/login';
  process.env['OAUTH_CONSENT_URL'] = 'https://login.example/consent';
});

let stage: Stage;
let endpoint: TokenEndpoint;
beforeAll(async () => {
  stage = await Stage.start();
  endpoint = new TokenEndpoint(stage);
  await stage.addClient('neighbour', webSettings);
});
afterAll(() => stage.stop());

const wire: Attack[] = [
  { source: 'RFC 6749 §3.2', what: 'GET', send: () => ({ method: 'GET' }), status: 405, error: null },
  {
    source: 'RFC 6749 §3.2',
    what: 'JSON',
    send: () => ({
      headers: { ...endpoint.asWeb(), 'content-type': 'application/json' },
      body: JSON.stringify(credentials),
    }),
    status: 400,
    error: 'invalid_request',
  },
  {
    source: 'RFC 6749 §3.2',
    what: 'a form of several parts',
    send: () => ({
      headers: { ...endpoint.asWeb(), 'content-type': 'multipart/form-data; boundary=x' },
      body: '--x\r\ncontent-disposition: form-data; name="grant_type"\r\n\r\nclient_credentials\r\n--x--',
    }),
    status: 400,
    error: 'invalid_request',
  },
  {
    source: 'RFC 6749 §5.2',
    what: 'no grant type',
    send: () => endpoint.byWeb({}),
    status: 400,
    error: 'invalid_request',
  },
  {
    source: 'RFC 6749 §5.2',
    what: 'an unknown grant type',
    send: () => endpoint.byWeb({ grant_type: 'banana' }),
    status: 400,
    error: 'unsupported_grant_type',
  },
  {
    source: 'RFC 9700 §2.4',
    what: 'the password of a person',
    send: () => endpoint.byWeb({ grant_type: 'password', username: 'admin', password: 'admin' }),
    status: 400,
    error: 'unsupported_grant_type',
  },
  {
    source: 'RFC 6749 §4.2',
    what: 'the grant type implicit',
    send: () => endpoint.byWeb({ grant_type: 'implicit' }),
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
    send: () => endpoint.byWeb({ grant_type: ['client_credentials', 'refresh_token'] }),
    status: 400,
    error: 'invalid_request',
  },
  {
    source: 'RFC 6749 §3.2',
    what: 'two scopes',
    send: () => endpoint.byWeb({ ...credentials, scope: ['write', 'read.runs'] }),
    status: 400,
    error: 'invalid_request',
  },
  {
    source: 'RFC 6749 §5.2',
    what: 'a scope that the client may not have',
    send: () => endpoint.byWeb({ ...credentials, scope: 'admin' }),
    status: 400,
    error: 'invalid_scope',
  },
  {
    source: 'RFC 6749 §3.3',
    what: 'a pattern of scopes',
    send: () => endpoint.byWeb({ ...credentials, scope: 'read.*.x"' }),
    status: 400,
    error: 'invalid_scope',
  },
  {
    source: 'RFC 8707 §2',
    what: 'a resource that the client may not ask for',
    send: () => endpoint.byWeb({ ...credentials, resource: 'https://evil.example/' }),
    status: 400,
    error: 'invalid_target',
  },
  {
    source: 'RFC 8707 §2',
    what: 'an audience that the client may not ask for',
    send: () => endpoint.byWeb({ ...credentials, audience: 'https://evil.example/' }),
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
    send: () => endpoint.byWeb({ ...credentials, client_id: 'web', client_secret: stage.webSecret }),
    status: 400,
    error: 'invalid_request',
  },
  {
    source: 'RFC 6749 §2.3.1',
    what: 'one client in the header and another in the form',
    send: () => endpoint.byWeb({ ...credentials, client_id: 'neighbour' }),
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
    send: () => ({
      form: credentials,
      headers: { authorization: endpoint.asWeb().authorization.replace(' ', '  ') },
    }),
    status: 400,
    error: 'invalid_request',
  },
  {
    source: 'RFC 6749 §2.3.1',
    what: 'a secret in the address',
    send: () => ({ form: { ...credentials, client_id: 'web' }, query: { client_secret: stage.webSecret } }),
    status: 401,
    error: 'invalid_client',
  },
];

describe.each([
  ['the request', wire],
  ['the client', clients],
])('the token endpoint refuses, because of %s,', (_part, attacks) => {
  it.each(attacks)('$what ($source): $status $error', (attack) => endpoint.refuses(attack));
});

describe('the token endpoint', () => {
  it('answers the same for an unknown client and for a wrong secret', async () => {
    const ask = (name: string) =>
      endpoint.send({ form: credentials, headers: { authorization: basic(name, 'wrong') } });
    const [known, unknown] = [await ask('web'), await ask('nobody')];
    expect([unknown.response.status, unknown.text]).toEqual([known.response.status, known.text]);
  });

  it('answers the request that the tables change', async () => {
    await endpoint.answer(endpoint.byWeb(credentials));
  });
});

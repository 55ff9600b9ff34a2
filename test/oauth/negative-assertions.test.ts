/** Client assertions that must not be taken, each with the paragraph that says so. */
import { randomUUID } from 'node:crypto';
import { CompactSign, exportJWK, exportSPKI, generateKeyPair, type JWTHeaderParameters, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, it, vi } from 'vitest';
import { Stage } from './stage.ts';
import { type Attack, credentials, type Sent, TokenEndpoint } from './token-attacks.ts';

vi.hoisted(() => {
  process.env['OAUTH_LOGIN_URL'] = 'https://login.example/login';
  process.env['OAUTH_CONSENT_URL'] = 'https://login.example/consent';
});

let stage: Stage;
let endpoint: TokenEndpoint;
let keys: CryptoKeyPair;
beforeAll(async () => {
  stage = await Stage.start();
  endpoint = new TokenEndpoint(stage);
  keys = await generateKeyPair('RS256', { extractable: true });
  const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'one', alg: 'RS256', use: 'sig' };
  const machine = { grantTypes: ['client_credentials'], scope: 'write' };
  const keyed = { ...machine, tokenEndpointAuthMethod: 'private_key_jwt', jwks: { keys: [jwk] } };
  await stage.addClient('keyed', keyed);
  // Its key is for all algorithms, so only the registered one decides.
  const { alg: _any, ...plain } = jwk;
  const jwks = { keys: [plain] };
  await stage.addClient('signer', { ...keyed, jwks, tokenEndpointAuthSigningAlg: 'RS256' });
});
afterAll(() => stage.stop());

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
    await endpoint.answer(asserted(one));
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

describe('the token endpoint refuses', () => {
  it.each(assertions)('$what ($source): $status $error', (attack) => endpoint.refuses(attack));

  it('and takes the assertions that the table changes', async () => {
    await endpoint.answer(asserted(await assertion()));
    await endpoint.answer(asserted(await assertion({ by: 'signer' })));
  });
});

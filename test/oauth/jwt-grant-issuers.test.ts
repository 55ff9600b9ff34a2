/** Issuers of JWTs that are trusted, and what clients get for their JWTs (RFC 7523). */
import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pool } from '../../src/platform/database/client.ts';
import type { Answer } from '../support/app.ts';
import { type Key, newKey } from '../support/jwt-issuers.ts';
import { mutate } from '../support/mutate.ts';
import { newCaller, newTenant, newUser } from '../support/users.ts';
import { Stage } from './stage.ts';

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const TIMES = 20;
const later = '2999-01-01T00:00:00Z';
const fields = `jwtGrantIssuer { id issuer subject allowAnySubject scopes publicKey { set kid } createdAt expiresAt }`;

let stage: Stage;
let exchanger: client.Configuration;
let key: Key;
beforeAll(async () => {
  stage = await Stage.start();
  exchanger = await stage.addClient('exchanger', {
    ...{ grantTypes: [JWT_BEARER], scope: 'read.* write all', audience: ['https://api.example'] },
    responseTypes: [],
  });
  key = await newKey('main');
});
afterAll(() => stage.stop());

const trust = (input: object, authorization?: string): Promise<Answer> =>
  mutate(
    stage.app,
    'trustJwtGrantIssuer',
    { issuer: 'https://ci.example', jwk: key.jwk, expiresAt: later, ...input },
    fields,
    authorization,
  );
const remove = (id: string, authorization?: string): Promise<Answer> =>
  mutate(stage.app, 'deleteJwtGrantIssuer', { by: { id } }, 'deleted', authorization);

let number = 0;
/** An issuer that is trusted with all subjects. */
async function trusted(more: object = {}): Promise<{ issuer: string; id: string }> {
  number += 1;
  const issuer = `https://ci-${number}.example`;
  const made = await trust({ issuer, allowAnySubject: true, scopes: ['read.runs', 'write', 'all'], ...more });
  expect(made, JSON.stringify(made)).toHaveProperty('jwtGrantIssuer');
  return { issuer, id: made.jwtGrantIssuer.id };
}

const now = () => Math.floor(Date.now() / 1000);
let jtis = 0;
const claimsOf = (issuer: string, more: object = {}) => {
  jtis += 1;
  const times = { iat: now(), exp: now() + 300 };
  return { iss: issuer, sub: 'build-7', aud: stage.app.url, jti: `jti-${jtis}`, ...times, ...more };
};

/** Exchanges a JWT. @returns the answer of the token endpoint, or the error of its refusal. */
async function exchange(assertion: string, more: Record<string, string> = {}): Promise<Answer> {
  try {
    return await client.genericGrantRequest(exchanger, JWT_BEARER, { assertion, ...more });
  } catch (error) {
    return { error: (error as client.ResponseBodyError).error };
  }
}

describe('trustJwtGrantIssuer', () => {
  it('shows the issuer and the id of its key, and never the key', async () => {
    const { jwtGrantIssuer: made } = await trust({ subject: 'build-1', scopes: ['read.runs', 'read.runs'] });
    expect(made).toEqual({
      ...{ id: expect.any(String), issuer: 'https://ci.example', subject: 'build-1', allowAnySubject: false },
      ...{ scopes: ['read.runs'], publicKey: { set: 'https://ci.example', kid: 'main' } },
      ...{ createdAt: expect.any(String), expiresAt: '2999-01-01T00:00:00.000Z' },
    });
    const { data } = await stage.app.ask(
      `{ jwtGrantIssuer(by: { id: "${made.id}" }) { issuer subject }
         jwtGrantIssuers(filter: { issuer: "https://ci.example" }) { totalCount nodes { id } } }`,
    );
    expect(data).toEqual({
      jwtGrantIssuer: { issuer: 'https://ci.example', subject: 'build-1' },
      jwtGrantIssuers: { totalCount: 1, nodes: [{ id: made.id }] },
    });
  });

  it('refuses a key of an issuer that is trusted for the subject already, of many at once all but one', async () => {
    const input = { issuer: 'https://twice.example', subject: 'build-1' };
    const answers = await Promise.all(Array.from({ length: TIMES }, () => trust(input)));
    expect(answers.filter((answer) => 'jwtGrantIssuer' in answer)).toHaveLength(1);
    const refused = answers.filter((answer) => answer.code === 'ALREADY_EXISTS');
    expect(refused).toHaveLength(TIMES - 1);
    expect(await trust({ ...input, subject: 'build-2' })).toHaveProperty('jwtGrantIssuer');
  });

  it.each<[string, () => object, string]>([
    ['an empty issuer', () => ({ issuer: '', allowAnySubject: true }), 'issuer'],
    ['neither a subject nor all', () => ({}), 'subject'],
    ['both', () => ({ subject: 'a', allowAnySubject: true }), 'subject'],
    ['an empty subject', () => ({ subject: '' }), 'subject'],
    ['two scopes in one', () => ({ subject: 'a', scopes: ['a b'] }), 'scopes'],
    ['an end in the past', () => ({ subject: 'a', expiresAt: '2020-01-01T00:00:00Z' }), 'expiresAt'],
    ['a private key', () => ({ subject: 'a', jwk: key.privateJwk }), 'jwk.d'],
    ['a key without an id', () => ({ subject: 'a', jwk: { ...key.jwk, kid: undefined } }), 'jwk.kid'],
    [
      'a shared secret',
      () => ({ subject: 'a', jwk: { kty: 'oct', kid: 'a', alg: 'HS256', k: 'A'.repeat(43) } }),
      'jwk.alg',
    ],
    ['no key', () => ({ subject: 'a', jwk: 'text' }), 'jwk'],
  ])('refuses %s', async (_what, input, field) => {
    const { problems } = await trust(input());
    expect(problems?.[0].path.join('.')).toBe(`input.${field}`);
  });

  it('is for administrators, of their tenant', async () => {
    const { id } = await trusted();
    const elsewhere = await newCaller({ role: 'ADMIN', tenantId: await newTenant('elsewhere') });
    expect(await remove(id, elsewhere)).toEqual({
      __typename: 'DeleteJwtGrantIssuerPayload',
      deleted: false,
    });
    const user = await newCaller({ role: 'USER' });
    expect(await trust({ subject: 'a' }, user)).toMatchObject({ code: 'PERMISSION_DENIED' });
    expect(await remove(id)).toMatchObject({ deleted: true });
    expect(await remove(id)).toMatchObject({ deleted: false });
  });

  it('and deleteJwtGrantIssuer are in the audit log', async () => {
    const { id, issuer } = await trusted();
    await remove(id);
    const { data } = await stage.app.ask(
      '{ auditEvents(filter: { action: "oauth2Client:administer" }, first: 2) { nodes { target { type id name } } } }',
    );
    const target = { type: 'JWT_GRANT_ISSUER', id, name: issuer };
    expect(data.auditEvents.nodes).toEqual([{ target }, { target }]);
  });
});

describe('a JWT of a trusted issuer', () => {
  it('gives an access token for its subject, with what both the issuer and the client may', async () => {
    const { issuer } = await trusted();
    const assertion = await key.sign(claimsOf(issuer));
    const made = await exchange(assertion, { scope: 'read.runs write', audience: 'https://api.example' });
    expect(made).toMatchObject({
      token_type: 'bearer',
      scope: 'read.runs write',
      expires_in: expect.any(Number),
    });
    const { active, sub, scope, aud } = await client.tokenIntrospection(exchanger, made.access_token);
    expect({ active, sub, scope, aud }).toEqual({
      ...{ active: true, sub: 'build-7', scope: 'read.runs write', aud: ['https://api.example'] },
    });
    expect(made).not.toHaveProperty('refresh_token');
  });

  it.each(['RS256', 'PS384', 'ES512', 'EdDSA'])('may be signed with %s', async (alg) => {
    const own = await newKey('own', alg);
    const { issuer } = await trusted({ jwk: own.jwk });
    expect(await exchange(await own.sign(claimsOf(issuer)))).toHaveProperty('access_token');
  });

  it('may be addressed to the token endpoint', async () => {
    const { issuer } = await trusted();
    const assertion = await key.sign(claimsOf(issuer, { aud: `${stage.app.url}/oauth2/token` }));
    expect(await exchange(assertion)).toHaveProperty('access_token');
  });

  it('lasts as long as the client says', async () => {
    const { issuer } = await trusted();
    const lifespans = { jwtBearerAccessToken: 'PT90S' };
    await mutate(stage.app, 'setOAuth2ClientLifespans', { by: { clientId: 'exchanger' }, lifespans });
    expect(await exchange(await key.sign(claimsOf(issuer)))).toMatchObject({ expires_in: 90 });
  });

  const refusals: readonly [string, (issuer: string) => Promise<string>, string][] = [
    ['of an unknown issuer', () => key.sign(claimsOf('https://nobody.example')), 'invalid_grant'],
    [
      'with another key of the same id',
      async (issuer) => (await newKey('main')).sign(claimsOf(issuer)),
      'invalid_grant',
    ],
    ['with an unknown key id', (issuer) => key.sign(claimsOf(issuer), { kid: 'other' }), 'invalid_grant'],
    ['that has expired', (issuer) => key.sign(claimsOf(issuer, { exp: now() - 60 })), 'invalid_grant'],
    ['that never expires', (issuer) => key.sign(claimsOf(issuer, { exp: undefined })), 'invalid_grant'],
    [
      'without the time of its issue',
      (issuer) => key.sign(claimsOf(issuer, { iat: undefined })),
      'invalid_grant',
    ],
    [
      'that is valid too long',
      (issuer) => key.sign(claimsOf(issuer, { exp: now() + 721 * 3600 })),
      'invalid_grant',
    ],
    [
      'for somebody else',
      (issuer) => key.sign(claimsOf(issuer, { aud: 'https://other.example' })),
      'invalid_grant',
    ],
    ['without an id', (issuer) => key.sign(claimsOf(issuer, { jti: undefined })), 'invalid_grant'],
    ['without a subject', (issuer) => key.sign(claimsOf(issuer, { sub: undefined })), 'invalid_grant'],
    ['that is no JWT', async () => 'text', 'invalid_grant'],
    ['that is empty', async () => '', 'invalid_request'],
    [
      'without a signature',
      async (issuer) =>
        [{ alg: 'none', kid: 'main' }, claimsOf(issuer)]
          .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
          .join('.')
          .concat('.'),
      'invalid_grant',
    ],
  ];
  it.each(refusals)('is refused %s', async (_what, make, error) => {
    const { issuer } = await trusted();
    expect(await exchange(await make(issuer))).toEqual({ error });
  });

  it.each([
    ['that the issuer may not give', { scope: 'read.other' }, 'invalid_scope'],
    ['that the client may not have', { scope: 'delete' }, 'invalid_scope'],
    ['for an audience that the client may not ask for', { audience: 'https://x.example' }, 'invalid_target'],
  ])('gives no token %s', async (_what, more, error) => {
    const { issuer } = await trusted();
    expect(await exchange(await key.sign(claimsOf(issuer)), more)).toEqual({ error });
  });

  it.each(['scope', 'audience'])(
    'gives no token for Slipway itself, also for a user of it: by %s',
    async (by) => {
      const { issuer } = await trusted();
      const { id: sub } = await newUser({ role: 'ROOT' });
      const patch = [{ op: 'add', path: '/audience/-', value: stage.app.url }];
      await mutate(stage.app, 'patchOAuth2Client', { by: { clientId: 'exchanger' }, patch });
      const asked: Record<string, string> = by === 'scope' ? { scope: 'all' } : { audience: stage.app.url };
      const assertion = await key.sign(claimsOf(issuer, { sub }));
      expect(await exchange(assertion, asked)).toEqual({ error: 'invalid_target' });
    },
  );

  it('counts only for the subject that is trusted', async () => {
    const issuer = 'https://one-person.example';
    await trust({ issuer, subject: 'build-1', scopes: ['write'] });
    const of = (sub: string) => key.sign(claimsOf(issuer, { sub })).then((assertion) => exchange(assertion));
    expect(await of('build-1')).toHaveProperty('access_token');
    expect(await of('build-2')).toEqual({ error: 'invalid_grant' });
  });

  it('has only the scopes of the trust whose key has signed it', async () => {
    const issuer = 'https://two-keys.example';
    const other = await newKey('main');
    await trust({ issuer, subject: 'build-7', scopes: ['write'] });
    await trust({ issuer, allowAnySubject: true, scopes: ['read.runs'], jwk: other.jwk });
    const of = async (by: Key, scope: string) => exchange(await by.sign(claimsOf(issuer)), { scope });
    expect(await of(key, 'write')).toHaveProperty('access_token');
    expect(await of(other, 'read.runs')).toHaveProperty('access_token');
    expect(await of(other, 'write')).toEqual({ error: 'invalid_scope' });
  });

  it('counts no more when the time of the trust is over', async () => {
    const { issuer, id } = await trusted();
    await pool.query('update jwt_grant_issuers set expires_at = now() where id = $1', [id]);
    expect(await exchange(await key.sign(claimsOf(issuer)))).toEqual({ error: 'invalid_grant' });
  });

  it('counts no more when the trust is deleted, and the tokens stay valid', async () => {
    const { issuer, id } = await trusted();
    const { access_token: token } = await exchange(await key.sign(claimsOf(issuer)));
    await remove(id);
    expect(await exchange(await key.sign(claimsOf(issuer)))).toEqual({ error: 'invalid_grant' });
    expect((await client.tokenIntrospection(exchanger, token)).active).toBe(true);
  });

  it('counts only for clients of the tenant', async () => {
    const tenantId = await newTenant('next-door');
    const admin = await newCaller({ role: 'ADMIN', tenantId });
    const issuer = 'https://next-door.example';
    await trust({ issuer, allowAnySubject: true }, admin);
    expect(await exchange(await key.sign(claimsOf(issuer)))).toEqual({ error: 'invalid_grant' });
  });

  it('counts once of twenty at the same time', async () => {
    const { issuer } = await trusted();
    const assertion = await key.sign(claimsOf(issuer));
    const answers = await Promise.all(Array.from({ length: TIMES }, () => exchange(assertion)));
    expect(answers.filter((answer) => 'access_token' in answer)).toHaveLength(1);
    expect(answers.filter(({ error }) => error === 'invalid_grant')).toHaveLength(TIMES - 1);
  });

  it('is refused from a client that may not use this grant', async () => {
    const { issuer } = await trusted();
    const assertion = await key.sign(claimsOf(issuer));
    const refused = client.genericGrantRequest(stage.web, JWT_BEARER, { assertion });
    await expect(refused).rejects.toMatchObject({ error: 'unauthorized_client' });
  });
});

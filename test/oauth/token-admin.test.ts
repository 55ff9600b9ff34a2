/** Tokens of clients through the API: asked about, ended and deleted. And the claims about oneself. */
import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { pool } from '../../src/platform/database/client.ts';
import type { Answer } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { newCaller, newTenant, newUser } from '../support/users.ts';
import { consent, Stage, scope } from './stage.ts';

vi.hoisted(() => {
  process.env['OAUTH_LOGIN_URL'] = 'https://login.example/login';
  process.env['OAUTH_CONSENT_URL'] = 'https://login.example/consent';
});

let stage: Stage;
let elsewhere: string;
beforeAll(async () => {
  stage = await Stage.start();
  elsewhere = await newCaller({ role: 'ADMIN', tenantId: await newTenant('elsewhere') });
});
afterAll(() => stage.stop());

const fields = `active scope clientId subject username audience issuer issuedAt expiresAt tokenType tokenUse
  keyThumbprint ext`;
const none = Object.fromEntries(fields.split(/\s+/).map((name) => [name, null]));
const inactive = { ...none, active: false, audience: [] };

async function introspect(token: string, scopes?: string[], authorization?: string): Promise<Answer> {
  const document = `query ($token: String!, $scopes: [String!]) {
    introspectOAuth2Token(token: $token, scopes: $scopes) { ${fields} } }`;
  const { data, errors } = await stage.app.ask(document, { token, scopes }, authorization);
  return errors ? { code: errors[0]?.extensions.code } : data.introspectOAuth2Token;
}
const isActive = async (token: string | undefined) => (await introspect(token ?? '')).active;
const deleteTokens = (clientId: string, authorization?: string) =>
  mutate(stage.app, 'deleteOAuth2Tokens', { by: { clientId } }, 'deletedTokens', authorization);
const flush = (input: object = {}, authorization?: string) =>
  mutate(stage.app, 'flushInactiveOAuth2Tokens', input, 'deletedTokens', authorization);

describe('introspectOAuth2Token', () => {
  it('says what an access token and a refresh token are about', async () => {
    const session = { accessToken: { role: 'dev' }, idToken: {} };
    const made = await stage.tokens(undefined, { consent: { ...consent, session } });
    const shared = {
      ...{ active: true, scope, clientId: 'web', subject: 'alice', username: null, audience: [] },
      ...{ issuer: stage.app.url, keyThumbprint: null, ext: { role: 'dev' } },
      ...{ issuedAt: expect.any(String), expiresAt: expect.any(String) },
    };
    const access = await introspect(made.access_token);
    expect(access).toEqual({ ...shared, tokenType: 'Bearer', tokenUse: 'ACCESS_TOKEN' });
    expect(Date.parse(access.expiresAt) - Date.parse(access.issuedAt)).toBe(3_600_000);
    expect(await introspect(made.refresh_token ?? '')).toEqual({
      ...{ ...shared, tokenType: null, tokenUse: 'REFRESH_TOKEN' },
    });
    expect(await introspect(made.id_token ?? '')).toEqual(inactive);
  });

  it.each(['ACCESS_TOKEN', 'REFRESH_TOKEN', null])(
    'finds tokens of each kind with the hint %s',
    async (hint) => {
      const { access_token, refresh_token } = await stage.tokens();
      const document = `query ($token: String!, $hint: OAuth2TokenUse) {
      introspectOAuth2Token(token: $token, tokenTypeHint: $hint) { tokenUse } }`;
      const useOf = async (token: string | undefined) =>
        (await stage.app.ask(document, { token, hint })).data.introspectOAuth2Token.tokenUse;
      expect([await useOf(access_token), await useOf(refresh_token)]).toEqual([
        'ACCESS_TOKEN',
        'REFRESH_TOKEN',
      ]);
    },
  );

  it('says the client of a token that a client has for itself', async () => {
    const { access_token } = await client.clientCredentialsGrant(stage.web, { scope: 'write' });
    expect(await introspect(access_token)).toMatchObject({
      ...{ active: true, scope: 'write', clientId: 'web', subject: 'web', ext: {} },
    });
  });

  it.each([
    [['write'], true],
    [['write', 'read.runs'], true],
    [['write', 'read.jobs'], false],
    [['rite'], false],
    [[], true],
  ])('requires the scopes %j', async (wanted, isAnswered) => {
    const { access_token } = await client.clientCredentialsGrant(stage.web, { scope: 'write read.runs' });
    expect((await introspect(access_token, wanted)).active).toBe(isAnswered);
  });

  it('knows nothing about other texts, and refuses an empty one', async () => {
    expect(await introspect('not a token')).toEqual(inactive);
    expect(await introspect('')).toEqual({ code: 'INVALID_ARGUMENT' });
  });

  it('is for administrators, and about tokens of their tenant', async () => {
    const { access_token } = await client.clientCredentialsGrant(stage.web);
    expect(await introspect(access_token, [], elsewhere)).toEqual(inactive);
    const user = await newCaller({ role: 'SUPERUSER' });
    expect(await introspect(access_token, [], user)).toEqual({ code: 'PERMISSION_DENIED' });
  });
});

describe('deleteOAuth2Tokens', () => {
  it('ends the access tokens of a client, and leaves its refresh tokens and other clients', async () => {
    const mine = await stage.addClient('mine', { grantTypes: ['client_credentials'] });
    const own = await client.clientCredentialsGrant(mine);
    const person = await stage.tokens();
    const ofWeb = await client.clientCredentialsGrant(stage.web);
    const { deletedTokens } = await deleteTokens('web');
    expect(deletedTokens).toBeGreaterThanOrEqual(2);
    expect([await isActive(person.access_token), await isActive(ofWeb.access_token)]).toEqual([false, false]);
    expect([await isActive(own.access_token), await isActive(person.refresh_token)]).toEqual([true, true]);
    const again = await client.refreshTokenGrant(stage.web, person.refresh_token ?? '');
    expect(await isActive(again.access_token)).toBe(true);
    expect(await deleteTokens('mine')).toMatchObject({ deletedTokens: 1 });
    expect(await deleteTokens('mine')).toMatchObject({ deletedTokens: 0 });
  });

  it('finds only clients of the tenant', async () => {
    const { access_token } = await client.clientCredentialsGrant(stage.web);
    expect(await deleteTokens('web', elsewhere)).toMatchObject({ code: 'NOT_FOUND' });
    expect(await isActive(access_token)).toBe(true);
  });
});

describe('flushInactiveOAuth2Tokens', () => {
  /** Tokens, of which some have expired. */
  async function seed(clientId: string) {
    const by = await stage.addClient(clientId, { grantTypes: ['client_credentials'] });
    for (const _ of [1, 2, 3]) await client.clientCredentialsGrant(by);
    const ofClient = `payload ->> 'clientId' = $1`;
    await pool.query(
      `update oauth2_records set expires_at = now() - interval '1 second', created_at = now() - interval '2 hours'
        where id_hash in (select id_hash from oauth2_records where ${ofClient} limit 2)`,
      [clientId],
    );
    return async () =>
      (await pool.query(`select from oauth2_records where ${ofClient}`, [clientId])).rowCount;
  }

  it('deletes tokens that have expired, and only these', async () => {
    const count = await seed('flushed');
    expect(await flush({}, elsewhere)).toMatchObject({ deletedTokens: 0 });
    expect(await count()).toBe(3);
    expect(await flush()).toMatchObject({ deletedTokens: 2 });
    expect(await count()).toBe(1);
  });

  it('leaves tokens that were issued after a time', async () => {
    const count = await seed('older');
    const inHours = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString();
    expect(await flush({ notAfter: inHours(-3) })).toMatchObject({ deletedTokens: 0 });
    expect(await flush({ notAfter: inHours(-1) })).toMatchObject({ deletedTokens: 2 });
    expect(await count()).toBe(1);
  });

  it('refuses a time in the future', async () => {
    expect(await flush({ notAfter: '2999-01-01T00:00:00Z' })).toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

describe('userInfo', () => {
  it('gives the claims about oneself, and none that are not set', async () => {
    const { id, username, authorization } = await newUser({ role: 'USER' });
    const { data } = await stage.app.ask('{ userInfo }', {}, authorization);
    expect(data.userInfo).toEqual({
      ...{ sub: id, preferred_username: username, name: expect.any(String) },
      updated_at: expect.any(Number),
    });
    const changed = { by: { id }, givenName: 'Ada', familyName: 'L', email: 'ada@example.com' };
    await mutate(stage.app, 'editUser', changed);
    const again = await stage.app.ask('{ userInfo }', {}, authorization);
    expect(again.data.userInfo).toMatchObject({
      ...{ given_name: 'Ada', family_name: 'L', email: 'ada@example.com' },
    });
  });
});

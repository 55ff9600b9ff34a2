/** What a client may do with its tokens, and how they end. */
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose';
import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { sweepExpiredRecords } from '../../src/oauth/store/records.ts';
import { pool } from '../../src/platform/database/client.ts';
import { basic } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { letKeysAge } from '../support/signing-keys.ts';
import { acceptConsent, redirectOf, signIn, untilConsent } from './browser.ts';
import { consent, discover, Stage, scope } from './stage.ts';

vi.hoisted(() => {
  process.env['OAUTH_LOGIN_URL'] = 'https://login.example/login';
  process.env['OAUTH_CONSENT_URL'] = 'https://login.example/consent';
});

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.start();
});
afterAll(() => stage.stop());

describe('tokens', () => {
  it('are refreshed with rotation; a used refresh token ends all tokens of the authorization', async () => {
    const first = await stage.tokens();
    const second = await client.refreshTokenGrant(stage.web, first.refresh_token ?? '');
    expect(second.refresh_token).not.toBe(first.refresh_token);
    expect(second.claims()).toMatchObject({ sub: 'alice', sid: first.claims()?.['sid'] });
    await expect(client.refreshTokenGrant(stage.web, first.refresh_token ?? '')).rejects.toMatchObject({
      error: 'invalid_grant',
    });
    await expect(client.refreshTokenGrant(stage.web, second.refresh_token ?? '')).rejects.toMatchObject({
      error: 'invalid_grant',
    });
    expect(await client.tokenIntrospection(stage.web, second.access_token)).toEqual({ active: false });
  });

  it('end when they are refreshed: there is one access token at a time', async () => {
    const first = await stage.tokens();
    const second = await client.refreshTokenGrant(stage.web, first.refresh_token ?? '');
    expect(await client.tokenIntrospection(stage.web, first.access_token)).toEqual({ active: false });
    expect(await client.tokenIntrospection(stage.web, second.access_token)).toMatchObject({ active: true });
  });

  it('lose a scope that the client loses', async () => {
    const made = await stage.tokens();
    const patch = [{ op: 'replace', path: '/scope', value: 'openid offline' }];
    await mutate(stage.app, 'patchOAuth2Client', { by: { clientId: 'web' }, patch });
    await expect(client.refreshTokenGrant(stage.web, made.refresh_token ?? '')).rejects.toMatchObject({
      error: 'invalid_scope',
    });
    patch[0] = { op: 'replace', path: '/scope', value: 'openid offline offline_access read.* write' };
    await mutate(stage.app, 'patchOAuth2Client', { by: { clientId: 'web' }, patch });
  });

  it('end when they are revoked', async () => {
    const made = await stage.tokens();
    await client.tokenRevocation(stage.web, made.refresh_token ?? '');
    expect(await client.tokenIntrospection(stage.web, made.access_token)).toEqual({ active: false });
    const response = await fetch(`${stage.app.url}/userinfo`, {
      headers: { authorization: `Bearer ${made.access_token}` },
    });
    expect(response.status).toBe(401);
  });

  it('of client_credentials have the scopes that the client asks for, if it may have them', async () => {
    const made = await client.clientCredentialsGrant(stage.web, { scope: 'read.runs write' });
    expect([made.scope, made.expires_in, made.refresh_token]).toEqual(['read.runs write', 3600, undefined]);
    await expect(client.clientCredentialsGrant(stage.web, { scope: 'admin' })).rejects.toMatchObject({
      error: 'invalid_scope',
    });
    const wrong = await discover(stage.app, 'web', 'wrong');
    await expect(client.clientCredentialsGrant(wrong)).rejects.toMatchObject({ error: 'invalid_client' });
  });

  it('are not in the database, nor is any code or session id', async () => {
    const { url, checks } = await stage.request(scope);
    const answer = await signIn(stage.actors(), url, { consent });
    const made = await client.authorizationCodeGrant(stage.web, new URL(answer), checks);
    const { rows } = await pool.query('select oauth2_records::text as row from oauth2_records');
    const dump = rows.map(({ row }) => row).join('\n');
    const code = new URL(answer).searchParams.get('code') ?? '';
    for (const text of [made.access_token, made.refresh_token ?? '', code]) {
      expect(text.length).toBeGreaterThan(20);
      expect(dump).not.toContain(text);
    }
    expect(dump).not.toContain('"cookie"');
  });

  it('are signed by the next key after a rotation, also of a sign-in that began before', async () => {
    const jwksUri = stage.web.serverMetadata().jwks_uri ?? '';
    const published = async () => (await (await fetch(jwksUri)).json()) as JSONWebKeySet;
    const before = await stage.tokens();
    const who = stage.actors();
    const { url, checks } = await stage.request(scope);
    const challenge = await untilConsent(who, url);
    const known = await published();
    const { username, password } = stage.app.secrets.administrator;
    const set = 'slipway.openid.id-token';
    await letKeysAge();
    const turned = await mutate(stage.app, 'rotateJsonWebKeySet', { set }, '', basic(username, password));
    expect(turned.__typename).toBe('RotateJsonWebKeySetPayload');
    const { redirectTo } = await acceptConsent(who, { challenge, ...consent });
    const answer = await redirectOf(who.browser, redirectTo);
    const after = await client.authorizationCodeGrant(stage.web, new URL(answer), checks);
    const kidOf = (token = '') => decodeProtectedHeader(token).kid;
    expect(kidOf(after.id_token)).not.toBe(kidOf(before.id_token));
    // Whoever fetched the keys before the rotation verifies the new token, and whoever fetches them now the old one.
    await expect(jwtVerify(after.id_token ?? '', createLocalJWKSet(known))).resolves.toBeDefined();
    await expect(
      jwtVerify(before.id_token ?? '', createLocalJWKSet(await published())),
    ).resolves.toBeDefined();
  });

  it('are deleted when they have expired, a limited number at a time', async () => {
    for (const _ of [1, 2, 3]) await client.clientCredentialsGrant(stage.web);
    const count = async () => Number((await pool.query('select from oauth2_records')).rowCount);
    const before = await count();
    await pool.query(
      `update oauth2_records set expires_at = now() - interval '1 second'
        where id_hash in (select id_hash from oauth2_records where kind = 'ClientCredentials' limit 3)`,
    );
    expect([await sweepExpiredRecords(2), await sweepExpiredRecords(2)]).toEqual([2, 1]);
    expect(await count()).toBe(before - 3);
  });

  it('die with their client', async () => {
    const dying = await stage.addClient('dying', { grantTypes: ['client_credentials'] });
    await client.clientCredentialsGrant(dying);
    const count = async () =>
      (
        await pool.query(
          `select from oauth2_records where kind = 'ClientCredentials' and payload ->> 'clientId' = 'dying'`,
        )
      ).rowCount;
    expect(await count()).toBe(1);
    await mutate(stage.app, 'deleteOAuth2Client', { by: { clientId: 'dying' } });
    expect(await count()).toBe(0);
  });
});

/**
 * After a walk through the flows, a dump of all tables holds nothing that could be used: no token, code, secret,
 * session of a browser or private key. What the server logs meanwhile is searched at the end of each test file.
 */
import { createHash } from 'node:crypto';
import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openPrivateJwk } from '../../src/key-sets/store.ts';
import { db, pool } from '../../src/platform/database/client.ts';
import { keepSecret } from '../support/leaks.ts';
import { mutate } from '../support/mutate.ts';
import { newUser } from '../support/users.ts';
import { Browser, signIn } from './browser.ts';
import { consent, discover, redirect, Stage, scope, webSettings } from './stage.ts';

vi.hoisted(() => {
  process.env['OAUTH_LOGIN_URL'] = 'https://login.example/login';
  process.env['OAUTH_CONSENT_URL'] = 'https://login.example/consent';
});

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.start();
});
afterAll(() => stage.stop());

/** What was handed out, by what it is. */
const handedOut = new Map<string, string>();

function keep(what: string, text: string | undefined): void {
  if (!text) throw new Error(`there is no ${what}`);
  handedOut.set(text, what);
  // From now on, no log line may have it either.
  keepSecret(what, text);
}

/** The whole way of one client, with a refresh. */
async function walk(by: client.Configuration, asked = scope, subject = 'alice'): Promise<void> {
  const browser = new Browser();
  const { url, checks } = await stage.request(asked, {}, by);
  const answer = await signIn(stage.actors(browser), url, {
    login: { subject, remember: true },
    consent: { ...consent, grantScopes: asked.split(' '), remember: true },
  });
  keep('a code', new URL(answer).searchParams.get('code') ?? undefined);
  // A challenge opens nothing by itself, so the cookies that name one are no secrets.
  for (const [name, value] of browser.cookies) if (name === '_session') keep('a session of a browser', value);
  const first = await client.authorizationCodeGrant(by, new URL(answer), checks);
  const second = await client.refreshTokenGrant(by, first.refresh_token ?? '');
  for (const made of [first, second]) {
    keep('an access token', made.access_token);
    keep('a refresh token', made.refresh_token);
    keep('an ID token', made.id_token);
  }
  await client.tokenIntrospection(by, second.access_token);
  await client.fetchUserInfo(by, second.access_token, subject);
}

/** Each row of each table, as text. */
async function dump(): Promise<string[]> {
  const { rows: tables } = await pool.query(
    `select quote_ident(table_name) as name from information_schema.tables
      where table_schema = 'public' and table_type = 'BASE TABLE'`,
  );
  const texts = tables.map(async ({ name }) => {
    const { rows } = await pool.query(`select to_jsonb(kept)::text as text from ${name} as kept`);
    return rows.map(({ text }) => `${name}: ${text}`);
  });
  return (await Promise.all(texts)).flat();
}

const hex = (text: string) => Buffer.from(text, 'utf8').toString('hex');
/** The ways in which a text could stand in a dump. Columns of bytes are shown as hex. */
const formsOf = (text: string) => [text, hex(text), Buffer.from(text, 'utf8').toString('base64')];

describe('a dump of the database', () => {
  it('holds nothing that could be used', async () => {
    const { app } = stage;
    const jwt = await stage.addClient('jwt', { ...webSettings, accessTokenStrategy: 'jwt' });
    const own = await stage.addClient('own', { ...webSettings, scope: 'openid offline all' });
    const user = await newUser();
    await walk(stage.web);
    await walk(jwt);
    await walk(own, 'openid offline all', user.id);
    for (const by of [stage.web, jwt])
      keep('an access token', (await client.clientCredentialsGrant(by, { scope: 'write' })).access_token);
    const [id = '', secret = ''] = Buffer.from(user.authorization.slice(6), 'base64').toString().split(':');
    keep('the secret of an access key', secret);
    const asKey = await discover(app, id, secret);
    keep('an access token', (await client.clientCredentialsGrant(asKey, { scope: 'all' })).access_token);

    const by = { clientId: 'jwt' };
    const rotated = await mutate(app, 'rotateOAuth2ClientSecret', { by }, 'clientSecret');
    keep('the secret of a client', rotated.clientSecret);
    const chosen = {
      clientId: 'chosen',
      clientSecret: 'a secret of my own',
      client: { redirectUris: [redirect] },
    };
    await mutate(app, 'createOAuth2Client', chosen);
    keep('a chosen secret', chosen.clientSecret);
    const set = { set: 'ours', alg: 'ES256' };
    const made = await mutate(app, 'createJsonWebKeySet', set, 'privateJwk');
    keep('a private key', made.privateJwk.d);
    for (const { privateJwkSealed } of await db.jsonWebKey.findMany())
      if (privateJwkSealed) keep('a private key', String(openPrivateJwk(privateJwkSealed)['d']));

    const rows = await dump();
    const found = [...handedOut].flatMap(([text, what]) => {
      const row = rows.find((one) => formsOf(text).some((form) => one.includes(form)));
      return row ? [`${what} in ${row.slice(0, 300)}`] : [];
    });
    expect(found).toEqual([]);
    expect(handedOut.size).toBeGreaterThan(30);
  });

  it('would show what stands in it', async () => {
    // Each opaque token has its hash there, in the form in which bytes are searched.
    const opaque = [...handedOut].filter(([text, what]) => what === 'a refresh token' && !text.includes('.'));
    const rows = (await dump()).join('\n');
    expect(opaque.length).toBeGreaterThan(4);
    for (const [token] of opaque) expect(rows).toContain(createHash('sha256').update(token).digest('hex'));
    expect(rows).toContain('"clientId": "jwt"');
  });
});

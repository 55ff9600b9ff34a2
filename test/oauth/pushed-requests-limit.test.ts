/** How many requests a client may push before their browsers come. */
import type * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { pool } from '../../src/platform/database/client.ts';
import { basic } from '../support/app.ts';
import { newCaller, newTenant } from '../support/users.ts';
import { redirectOf, signIn } from './browser.ts';
import { consent, Stage, scope, webSettings } from './stage.ts';

const LIMIT = 3;
vi.hoisted(() => {
  process.env['OAUTH_LOGIN_URL'] = 'https://login.example/login';
  process.env['OAUTH_CONSENT_URL'] = 'https://login.example/consent';
  process.env['OAUTH_PUSHED_REQUESTS'] = '3';
});

let stage: Stage;
let foreigner: client.Configuration;
beforeAll(async () => {
  stage = await Stage.start();
  const tenantId = await newTenant('elsewhere');
  foreigner = await stage.addClient('foreigner', webSettings, await newCaller({ role: 'ADMIN', tenantId }));
});
afterAll(() => stage.stop());

async function push(by = stage.web): Promise<Response> {
  const { url } = await stage.request(scope, {}, by);
  const { client_id: id, client_secret: secret } = by.clientMetadata();
  return await fetch(`${stage.app.url}/oauth2/par`, {
    method: 'POST',
    headers: { authorization: basic(id, String(secret)) },
    body: new URL(url).searchParams,
  });
}
/** @returns the addresses with which browsers come. */
async function fill(): Promise<string[]> {
  await pool.query("delete from oauth2_records where kind = 'PushedAuthorizationRequest'");
  const urls: string[] = [];
  for (let count = 0; count < LIMIT; count += 1) {
    const response = await push();
    expect(response.status).toBe(201);
    const { request_uri } = (await response.json()) as { readonly request_uri: string };
    urls.push(`${stage.app.url}/oauth2/auth?${new URLSearchParams({ client_id: 'web', request_uri })}`);
  }
  return urls;
}

describe('a client with as many unused pushed requests as it may have', () => {
  it('cannot push another one, and learns when to try again', async () => {
    await fill();
    const refused = await push();
    expect([refused.status, await refused.json()]).toEqual([
      429,
      {
        error: 'temporarily_unavailable',
        error_description: `the client has ${LIMIT} pushed requests that are not used yet`,
      },
    ]);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    const { rowCount } = await pool.query(
      "select from oauth2_records where kind = 'PushedAuthorizationRequest'",
    );
    expect(rowCount).toBe(LIMIT);
  });

  it('can push again when one is used, and not when a browser has only begun', async () => {
    const [url = ''] = await fill();
    const who = stage.actors();
    expect(await redirectOf(who.browser, url)).toContain('login_challenge=');
    expect((await push()).status).toBe(429);
    expect(await signIn(stage.actors(), url, { consent })).toContain('code=');
    expect((await push()).status).toBe(201);
  });

  it('can push again when one has expired', async () => {
    await fill();
    await pool.query(
      `update oauth2_records set expires_at = now() - interval '1 second' where id_hash =
         (select id_hash from oauth2_records where kind = 'PushedAuthorizationRequest' limit 1)`,
    );
    expect((await push()).status).toBe(201);
    expect((await push()).status).toBe(429);
  });

  it('is in the way of nobody else', async () => {
    await fill();
    for (const other of [foreigner, await stage.addClient('neighbour', webSettings)])
      expect((await push(other)).status).toBe(201);
  });
});

/**
 * Tokens of each form are issued by two servers and verified by both while the keys that sign them rotate: none is
 * refused, then or later. Small in the usual run; with SOAK=1, 1,000 tokens and ten rotations.
 */
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, basic, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { type SecondServer, startSecondServer } from '../support/second-server.ts';
import { letKeysAge } from '../support/signing-keys.ts';
import { newCaller } from '../support/users.ts';
import { eventually } from '../support/waiting.ts';

const isSoak = Boolean(process.env['SOAK']);
const TURNS = isSoak ? 10 : 2;
const TOKENS_A_TURN = isSoak ? 100 : 20;
/** Requests under way at the same time. */
const WORKERS = 4;

let app: App;
let other: SecondServer;
let key: string;
let jwtClient: string;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  other = await startSecondServer();
  key = await newCaller();
  const settings = { grantTypes: ['client_credentials'], scope: 'write', accessTokenStrategy: 'jwt' };
  const made = await mutate(app, 'createOAuth2Client', { clientId: 'jwt', client: settings }, 'clientSecret');
  jwtClient = basic('jwt', made.clientSecret);
});
afterAll(async () => {
  await other.stop();
  await app.stop();
});

const publishedAt = async (url: string) =>
  (await (await fetch(`${url}/.well-known/jwks.json`)).json()) as JSONWebKeySet;

interface Issued {
  readonly token: string;
  readonly isForSlipway: boolean;
}

async function issue(url: string, isForSlipway: boolean): Promise<Issued> {
  const response = await fetch(`${url}/oauth2/token`, {
    method: 'POST',
    headers: { authorization: isForSlipway ? key : jwtClient },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope: isForSlipway ? 'all' : 'write' }),
  });
  const { access_token: token } = (await response.json()) as { readonly access_token: string };
  expect(response.status).toBe(200);
  return { token, isForSlipway };
}

/** @throws if one of the servers refuses the token. */
async function verify({ token, isForSlipway }: Issued): Promise<void> {
  if (isForSlipway) {
    const authorization = `Bearer ${token}`;
    const { status } = await app.ask('{ viewer { id } }', {}, authorization);
    expect([status, await other.statusFor(authorization)]).toEqual([200, 200]);
    return;
  }
  for (const { url } of [app, other]) {
    await jwtVerify(token, createLocalJWKSet(await publishedAt(url)), { typ: 'at+jwt' });
    const response = await fetch(`${url}/oauth2/introspect`, {
      method: 'POST',
      headers: { authorization: jwtClient },
      body: new URLSearchParams({ token }),
    });
    expect(await response.json()).toMatchObject({ active: true, client_id: 'jwt' });
  }
}

async function issueMany(count: number): Promise<Issued[]> {
  const all: Issued[] = [];
  let left = count;
  const work = async () => {
    while (left > 0) {
      left -= 1;
      const issued = await issue([app.url, other.url][left % 2] ?? '', left % 4 < 2);
      await verify(issued);
      all.push(issued);
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, work));
  return all;
}

const administrator = () => basic(app.secrets.administrator.username, app.secrets.administrator.password);

async function rotate(): Promise<void> {
  await letKeysAge();
  for (const set of ['slipway.access-token', 'slipway.openid.id-token']) {
    const turned = await mutate(app, 'rotateJsonWebKeySet', { set }, '', administrator());
    expect(turned.__typename).toBe('RotateJsonWebKeySetPayload');
  }
}

/** A key may sign ten seconds after it was published. Instead of waiting, this asks whether both servers know it. */
async function untilBothKnowTheNextKeys(): Promise<void> {
  const kids = async (url: string) => (await publishedAt(url)).keys.map(({ kid }) => kid).sort();
  await eventually(
    async () => [await kids(app.url), await kids(other.url)],
    ([one, another]) => JSON.stringify(one) === JSON.stringify(another),
  );
}

describe('while keys rotate', () => {
  it('no token is refused by any server, neither a new one nor an old one', async () => {
    const all = await issueMany(WORKERS);
    for (let turn = 0; turn < TURNS; turn += 1) {
      const [issued] = await Promise.all([issueMany(TOKENS_A_TURN), rotate()]);
      await untilBothKnowTheNextKeys();
      all.push(...issued);
    }
    all.push(...(await issueMany(WORKERS)));
    for (const issued of all) await verify(issued);
    const kids = (isForSlipway: boolean) =>
      new Set(
        all
          .filter((one) => one.isForSlipway === isForSlipway)
          .map(({ token }) => decodeProtectedHeader(token).kid),
      );
    expect([kids(true).size, kids(false).size]).toEqual([TURNS + 1, TURNS + 1]);
    expect(all).toHaveLength(TURNS * TOKENS_A_TURN + 2 * WORKERS);
  });
});

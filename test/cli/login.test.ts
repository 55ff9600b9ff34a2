/** `slipway login` and `slipway logout`, with a person who enters the code in a browser. */
import { chmodSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSignedInSettings } from '../../src/cli/commands/add-login.ts';
import { Credentials } from '../../src/cli/credentials.ts';
import { Visitor } from '../oauth/visitor.ts';
import { type LocalApp, startApp } from '../support/app.ts';
import { newUser } from '../support/users.ts';
import { slipway } from './command-line.ts';

let app: LocalApp;
const alice = { username: 'alice', password: 'correct horse battery' };
const home = mkdtempSync(join(tmpdir(), 'slipway-login-'));
const path = join(home, 'slipway/credentials.json');
const environment = () => ({ XDG_CONFIG_HOME: home, SLIPWAY_URL: app.url });
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await newUser(alice);
});
afterAll(() => app.stop());

/** The person at the address that the command has written. */
async function allow(address: string, answer: string): Promise<void> {
  const visitor = new Visitor();
  const page = await visitor.visit(address);
  const [code = ''] = /[A-Z]{4}-[A-Z]{4}/.exec(address) ?? [];
  const consent = await visitor.send(await visitor.send(page, { user_code: code }), alice);
  await visitor.send(consent, { scope: ['offline', 'all'], answer });
}

async function login(answer: string) {
  let asked: Promise<void> | null = null;
  const ended = await slipway(['login'], environment(), {
    onError: (text) => {
      const [, address] = /or open (\S+)/.exec(text) ?? [];
      if (address !== undefined) asked ??= allow(address, answer);
    },
  });
  await asked;
  return ended;
}

const whoIs = async () => {
  const { authorization } = await readSignedInSettings({}, environment());
  return (await app.ask('{ viewer { username } }', {}, authorization)).data?.viewer?.username ?? null;
};

describe('slipway login', () => {
  it('signs in the person who enters the code, and keeps this from other users of the machine', async () => {
    const { code, err } = await login('accept');
    expect([code, err]).toEqual([0, expect.stringContaining(`You are signed in to ${app.url}`)]);
    expect(await whoIs()).toBe('alice');
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('renews the sign-in once, however many commands find that it has ended', async () => {
    const before = JSON.parse(readFileSync(path, 'utf8'));
    before[app.url].expiresAt = Date.now();
    writeFileSync(path, JSON.stringify(before));
    expect(await Promise.all([whoIs(), whoIs(), whoIs()])).toEqual(['alice', 'alice', 'alice']);
    expect(new Credentials(path).find(app.url)?.refreshToken).not.toBe(before[app.url].refreshToken);
  });

  it('lets the environment have the last word', async () => {
    const all = { ...environment(), SLIPWAY_TOKEN: 'mine' };
    expect((await readSignedInSettings({}, all)).authorization).toBe('Bearer mine');
  });

  it('is not used for another server', async () => {
    const other = { ...environment(), SLIPWAY_URL: 'http://other.example' };
    expect((await readSignedInSettings({}, other)).authorization).toBeNull();
  });
});

describe('slipway logout', () => {
  it('ends the tokens on the server, and forgets them', async () => {
    const { authorization } = await readSignedInSettings({}, environment());
    expect((await slipway(['logout'], environment())).code).toBe(0);
    expect((await app.ask('{ viewer { id } }', {}, authorization)).status).toBe(401);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({});
    expect((await slipway(['logout'], environment())).code).toBe(3);
  });

  it('says that the file is not valid', async () => {
    writeFileSync(path, 'nothing');
    chmodSync(path, 0o600);
    const { code, err } = await slipway(['logout'], environment());
    expect([code, err]).toEqual([2, expect.stringContaining('credentials.json is not valid')]);
  });
});

describe('a sign-in that the person refuses', () => {
  it('is PERMISSION_DENIED, and stores nothing', async () => {
    writeFileSync(path, '{}');
    expect((await login('reject')).code).toBe(5);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({});
  });
});

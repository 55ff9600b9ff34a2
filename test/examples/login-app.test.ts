/** The login app of the examples signs a person in, as a program of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Browser, redirectOf } from '../oauth/browser.ts';
import { redirect, Stage, scope } from '../oauth/stage.ts';

vi.hoisted(() => {
  process.env['OAUTH_LOGIN_URL'] = 'https://login.example/login';
  process.env['OAUTH_CONSENT_URL'] = 'https://login.example/consent';
});

let stage: Stage;
let program: ChildProcess;
let loginApp: string;
beforeAll(async () => {
  stage = await Stage.start();
  const [accessKey, secretKey] = Buffer.from(stage.loginApp.replace('Basic ', ''), 'base64')
    .toString()
    .split(':');
  program = spawn(process.execPath, ['--import', 'tsx', 'examples/login-app/login-app.ts'], {
    env: {
      ...{ PATH: process.env['PATH'], PORT: '0', SLIPWAY_URL: stage.app.url },
      ...{ SLIPWAY_ACCESS_KEY: accessKey, SLIPWAY_SECRET_KEY: secretKey },
      PEOPLE: JSON.stringify({ ada: 'analytical engine' }),
    },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [said] = await once(program.stdout as NodeJS.ReadableStream, 'data');
  loginApp = String(said).trim();
});
afterAll(async () => {
  program.kill();
  await stage.stop();
});

/** The same address at the running login app. */
const here = (url: string) => url.replace('https://login.example', loginApp);

async function send(form: Record<string, string | readonly string[]>, path: string): Promise<Response> {
  const body = new URLSearchParams();
  for (const [name, values] of Object.entries(form))
    for (const value of [values].flat()) body.append(name, value);
  return await fetch(`${loginApp}${path}`, { method: 'POST', body, redirect: 'manual' });
}

const locationOf = ({ headers }: Response) => headers.get('location') ?? '';
const parameterOf = (url: string, name: string) => new URL(url).searchParams.get(name) ?? '';

/** The person signs in. @returns the address of the consent page, and its challenge. */
async function signedIn(browser: Browser, url: string) {
  const asked = await redirectOf(browser, url);
  expect(await (await fetch(here(asked))).text()).toContain('Sign in to web');
  const challenge = parameterOf(asked, 'login_challenge');
  const wrong = await send({ login_challenge: challenge, name: 'ada', password: 'guess' }, '/login');
  expect(await wrong.text()).toContain('That is wrong.');
  const right = { login_challenge: challenge, name: 'ada', password: 'analytical engine' };
  const consent = await redirectOf(browser, locationOf(await send(right, '/login')));
  return { consent, challenge: parameterOf(consent, 'consent_challenge') };
}

describe('the login app of the examples', () => {
  it('signs a person in, who allows what she wants, and asks nothing the next time', async () => {
    const browser = new Browser();
    const first = await stage.request(scope);
    const { consent, challenge } = await signedIn(browser, first.url);
    expect(await (await fetch(here(consent))).text()).toContain('Allow web access?');
    const allowed = { consent_challenge: challenge, scope: ['openid', 'offline'], answer: 'allow' };
    const answer = await redirectOf(browser, locationOf(await send(allowed, '/consent')));
    const tokens = await client.authorizationCodeGrant(stage.web, new URL(answer), first.checks);
    expect([tokens.claims()?.sub, tokens.scope]).toEqual(['ada', 'openid offline']);

    const again = await redirectOf(browser, (await stage.request('openid')).url);
    const skipped = await fetch(here(again), { redirect: 'manual' });
    const next = await redirectOf(browser, locationOf(skipped));
    expect(next).toContain('https://login.example/consent?');
    const done = await fetch(here(next), { redirect: 'manual' });
    expect(await redirectOf(browser, locationOf(done))).toContain(`${redirect}?code=`);
  });

  it('tells the client that the person declines', async () => {
    const browser = new Browser();
    const { challenge } = await signedIn(browser, (await stage.request(scope)).url);
    const declined = await send({ consent_challenge: challenge, answer: 'deny' }, '/consent');
    const answer = await redirectOf(browser, locationOf(declined));
    expect(parameterOf(answer, 'error')).not.toBe('');
  });

  it('refuses a challenge that it cannot read', async () => {
    const response = await fetch(`${loginApp}/login?login_challenge=unknown`);
    expect([response.status, await response.text()]).toEqual([
      400,
      'This does not work. Go back and begin again.',
    ]);
  });
});

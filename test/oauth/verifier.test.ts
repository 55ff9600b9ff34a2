/** A browser continues only if it has come from the login app that has answered. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { acceptLogin, Browser, challengeIn, redirectOf } from './browser.ts';
import { Stage, scope } from './stage.ts';

vi.hoisted(() => {
  process.env['OAUTH_LOGIN_URL'] = 'https://login.example/login';
  process.env['OAUTH_CONSENT_URL'] = 'https://login.example/consent';
});

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.start();
});
afterAll(() => stage.stop());

/** Somebody begins, and the login app answers for another person who has got the address of its page. */
async function begun() {
  const browser = new Browser();
  const { url } = await stage.request(scope);
  const challenge = challengeIn(await redirectOf(browser, url));
  const { redirectTo } = await acceptLogin(stage.actors(browser), { challenge });
  return { browser, redirectTo: new URL(redirectTo) };
}

function changeFirst({ searchParams }: URL): void {
  const verifier = searchParams.get('verifier') ?? '';
  searchParams.set('verifier', `${verifier.startsWith('A') ? 'B' : 'A'}${verifier.slice(1)}`);
}

describe('the address where a browser continues', () => {
  it('has a verifier that lets the browser continue', async () => {
    const { browser, redirectTo } = await begun();
    expect(redirectTo.search).toMatch(/^\?verifier=[\w-]{43}$/);
    expect(await redirectOf(browser, redirectTo.href)).toContain('https://login.example/consent?');
  });

  const forged: readonly [what: string, change: (url: URL, other: URL) => void][] = [
    ['without it', ({ searchParams }) => searchParams.delete('verifier')],
    ['with an empty one', ({ searchParams }) => searchParams.set('verifier', '')],
    ['with that of another challenge', (url, { search }) => Object.assign(url, { search })],
    ['with one that was changed', changeFirst],
  ];
  it.each(forged)('does not let the browser that has begun continue %s', async (_what, change) => {
    const { browser, redirectTo } = await begun();
    const other = await begun();
    const target = new URL(redirectTo);
    change(target, other.redirectTo);
    const refused = await browser.open(target.href);
    expect([refused.status, refused.headers.get('location')]).toEqual([400, null]);
  });

  it('does not let another browser continue, and leaves the challenge to the right one', async () => {
    const { browser, redirectTo } = await begun();
    const refused = await new Browser().open(redirectTo.href);
    expect([refused.status, refused.headers.get('location')]).toEqual([400, null]);
    expect(await redirectOf(browser, redirectTo.href)).toContain('https://login.example/consent?');
  });

  it('is the same for whoever answers a second time', async () => {
    const browser = new Browser();
    const challenge = challengeIn(await redirectOf(browser, (await stage.request(scope)).url));
    const first = await acceptLogin(stage.actors(browser), { challenge });
    const { errors } = await stage.loginRequest(challenge);
    expect(errors?.[0]).toMatchObject({ extensions: { redirectTo: first.redirectTo } });
  });
});

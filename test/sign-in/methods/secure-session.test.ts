import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type App, startApp } from '../../support/app.ts';

vi.hoisted(() => {
  process.env['PUBLIC_URL'] = 'https://slipway.example/';
});

let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
});
afterAll(() => app.stop());

it('the session cookie is Secure when the public URL uses https', async () => {
  const headers = { 'content-type': 'application/json', origin: 'https://slipway.example' };
  const opened = await fetch(`${app.url}/session`, {
    method: 'POST',
    headers: { ...headers, authorization: app.admin },
    body: '{}',
  });
  const cookie = opened.headers.get('set-cookie') ?? '';
  expect(cookie).toMatch(/; HttpOnly; SameSite=Lax; Secure$/);
  const body = JSON.stringify({ query: '{ viewer { username } }' });
  const ask = async (origin: string) =>
    await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: { ...headers, origin, cookie: cookie.split(';')[0] ?? '' },
      body,
    });
  expect((await (await ask('https://slipway.example')).json()).data.viewer.username).toBe('admin');
  // The same host over http is another origin.
  expect((await ask('http://slipway.example')).status).toBe(403);
});

/** GraphiQL signs in also where an operator has a login app of its own. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { acceptConsent, acceptLogin } from '../oauth/browser.ts';
import { type LocalApp, startApp } from '../support/app.ts';
import { launchChromium } from '../support/chromium.ts';
import { needs } from '../support/require.ts';
import { newCaller, newUser } from '../support/users.ts';

/** The settings are read before the test begins, so the login app listens before it knows the server. */
const loginApp = await vi.hoisted(async () => {
  const { createServer } = await import('node:http');
  const app: {
    server: Server | null;
    answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  } = { server: null, answer: async () => {} };
  const server = createServer((request, response) => void app.answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  process.env['OAUTH_LOGIN_URL'] = `http://127.0.0.1:${port}/login`;
  process.env['OAUTH_CONSENT_URL'] = `http://127.0.0.1:${port}/consent`;
  app.server = server;
  return app;
});

describe.runIf(needs('chromium', 'GraphiQL in a browser'))('GraphiQL with a login app of its own', () => {
  let app: LocalApp;
  let browser: Browser;
  beforeAll(async () => {
    app = await startApp({ scheduler: false });
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
    loginApp.server?.close();
    await app?.stop();
  });

  it('signs in the user whom the app names', async () => {
    const ada = await newUser({ username: 'ada' });
    const who = { app, loginApp: await newCaller({ role: 'SYSTEM', scopes: ['login-app'] }) };
    const asked: string[] = [];
    loginApp.answer = async ({ url = '' }, response) => {
      const { pathname, searchParams } = new URL(url, 'http://login.invalid');
      asked.push(pathname);
      const [[, challenge = ''] = []] = [...searchParams];
      const { redirectTo } =
        pathname === '/login'
          ? await acceptLogin(who, { challenge, subject: ada.id, remember: true })
          : await acceptConsent(who, { challenge, grantScopes: ['openid', 'offline', 'all'] });
      response.writeHead(303, { location: redirectTo }).end();
    };
    const page = await browser.newPage();
    await page.goto(`${app.url}/graphql`);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('Signed in as ada (user)').waitFor();
    expect(asked).toEqual(['/login', '/consent']);
  });
});

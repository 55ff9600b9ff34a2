/** The built-in pages as people use them: in a browser, with the keyboard, in the dark, and without scripts. */
import { mkdirSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { english } from '../../src/oauth/pages/texts/english.ts';
import { german } from '../../src/oauth/pages/texts/german.ts';
import { launchChromium } from '../support/chromium.ts';
import { needs } from '../support/require.ts';
import { newUser } from '../support/users.ts';
import { Stage, webSettings } from './stage.ts';

const artifacts = fileURLToPath(new URL('../.artifacts/', import.meta.url));
const alice = { username: 'alice', password: 'correct horse battery' };
const scope = 'openid profile offline_access execution:create execution:read reports.monthly';

describe.runIf(needs('chromium', 'OAuth in a browser'))('the built-in pages', () => {
  let stage: Stage;
  let browser: Browser;
  let site: Server;
  let redirectUri: string;
  const open: { close(): Promise<void> }[] = [];

  beforeAll(async () => {
    mkdirSync(artifacts, { recursive: true });
    stage = await Stage.start();
    await newUser(alice);
    // The site of a client. Its callback leads to another host, as many do; localhost is one for browsers.
    site = createServer(({ url = '', headers }, response) => {
      const isCallback = url.startsWith('/callback');
      const location = `http://localhost:${headers.host?.split(':')[1]}/home${url.slice('/callback'.length)}`;
      if (isCallback) return void response.writeHead(302, { location }).end();
      response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Welcome to the shop</h1>');
    });
    await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
    redirectUri = `http://127.0.0.1:${(site.address() as AddressInfo).port}/callback`;
    browser = await launchChromium();
  });
  afterEach(async () => {
    for (const one of open.splice(0)) await one.close();
  });
  afterAll(async () => {
    await browser?.close();
    site?.close();
    await stage?.stop();
  });

  /** A browser of its own, and what it complains about. */
  async function visitor(options: BrowserContextOptions = {}): Promise<{ page: Page; messages: string[] }> {
    const context = await browser.newContext({ viewport: { width: 1000, height: 900 }, ...options });
    open.push(context);
    const page = await context.newPage();
    const messages: string[] = [];
    page.on('console', (message) => messages.push(message.text()));
    page.on('pageerror', (error) => messages.push(error.message));
    await page.route('**', (route) => {
      const { hostname } = new URL(route.request().url());
      if (['127.0.0.1', 'localhost'].includes(hostname)) return route.continue();
      messages.push(`asked ${hostname}`);
      return route.abort();
    });
    return { page, messages };
  }

  let number = 0;
  async function begin(page: Page, more: Record<string, string> = {}): Promise<void> {
    number += 1;
    const settings = { ...webSettings, redirectUris: [redirectUri], scope: `${scope} read.*` };
    const by = await stage.addClient(`browser-${number}`, { ...settings, clientName: 'The Bookshop' });
    await page.goto((await stage.request(scope, { redirect_uri: redirectUri, ...more }, by)).url);
  }

  async function look(page: Page, name: string): Promise<void> {
    await page.screenshot({ path: `${artifacts}oauth-${name}.png`, fullPage: true });
  }

  /** What axe finds, without what it cannot decide. */
  async function faults(page: Page): Promise<string[]> {
    const { violations } = await new AxeBuilder({ page }).analyze();
    return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join()}`);
  }

  const focused = (page: Page) =>
    page.evaluate(() => {
      const { activeElement: at } = document;
      return at instanceof HTMLInputElement ? `${at.name} ${at.value}` : (at?.textContent ?? '');
    });

  it('are walked with the keyboard alone, to the site of the client', async () => {
    const { page, messages } = await visitor();
    await begin(page);
    expect(await focused(page)).toBe('username ');
    await page.keyboard.type(alice.username);
    await page.keyboard.press('Tab');
    await page.keyboard.type('wrong');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').waitFor();
    // The name is still there, and the password is to be typed again.
    expect(await focused(page)).toBe('password ');
    expect(await page.getByLabel('User name').inputValue()).toBe('alice');
    await page.keyboard.type(alice.password);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Space');
    await page.keyboard.press('Tab');
    expect(await focused(page)).toBe('Sign in');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Allow The Bookshop access?' }).waitFor();
    const stops: string[] = [];
    for (let stop = 0; stop < 9; stop += 1) {
      await page.keyboard.press('Tab');
      stops.push(await focused(page));
    }
    expect(stops).toEqual([
      'Use another account',
      ...['profile', 'execution:create', 'execution:read', 'reports.monthly', 'offline_access'].map(
        (name) => `scope ${name}`,
      ),
      'remember yes',
      'Allow',
      'Deny',
    ]);
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Welcome to the shop' }).waitFor();
    expect(page.url()).toMatch(/^http:\/\/localhost:\d+\/home\?code=/);
    expect(messages.filter((message) => !/status of 403/.test(message))).toEqual([]);
  });

  it('work without scripts', async () => {
    const { page } = await visitor({ javaScriptEnabled: false });
    await begin(page);
    await page.getByLabel('User name').fill(alice.username);
    await page.getByLabel('Password').fill(alice.password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByLabel('See your name.').uncheck();
    await page.getByRole('button', { name: 'Allow' }).click();
    await page.getByRole('heading', { name: 'Welcome to the shop' }).waitFor();
    expect(page.url()).toContain('?code=');
  });

  const looks: readonly [name: string, options: BrowserContextOptions][] = [
    ['light', { colorScheme: 'light' }],
    ['dark', { colorScheme: 'dark' }],
    ['phone', { viewport: { width: 360, height: 740 }, colorScheme: 'light' }],
    ['german', { locale: 'de-DE', colorScheme: 'light' }],
    ['contrast', { forcedColors: 'active' }],
  ];
  it.each(looks)('have no fault that axe finds: %s', async (name, options) => {
    const { page } = await visitor(options);
    await begin(page);
    const isGerman = name === 'german';
    await look(page, `login-${name}`);
    expect(await faults(page)).toEqual([]);
    await page.locator('#username').fill(alice.username);
    await page.locator('#password').fill('wrong');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').waitFor();
    await look(page, `login-wrong-${name}`);
    expect(await faults(page)).toEqual([]);
    await page.locator('#password').fill(alice.password);
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: isGerman ? 'Erlauben' : 'Allow' }).waitFor();
    await look(page, `consent-${name}`);
    expect(await faults(page)).toEqual([]);
    // No part of the page is wider than the window.
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true);
    await page.goto(`${stage.app.url}/oauth2/auth?client_id=nobody`);
    await look(page, `error-${name}`);
    expect(await faults(page)).toEqual([]);
    await page.goto(`${stage.app.url}/oauth2/login?login_challenge=old`);
    await look(page, `stale-${name}`);
    expect(await faults(page)).toEqual([]);
  });

  it.each(looks)('for devices and for logout have no fault that axe finds: %s', async (name, options) => {
    const { page } = await visitor(options);
    const words = name === 'german' ? german : english;
    const check = async (what: string, button: string) => {
      await page.getByRole('button', { name: button }).waitFor();
      await look(page, `${what}-${name}`);
      expect(await faults(page)).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true);
    };
    const body = new URLSearchParams({ client_id: 'flytectl', scope: 'offline all' });
    const device = await (
      await fetch(`${stage.app.url}/oauth2/device/auth`, { method: 'POST', body })
    ).json();
    await page.goto(device.verification_uri);
    await check('device', words.device.submit);
    await page.locator('#user_code').fill('wrong');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').waitFor();
    await check('device-wrong', words.device.submit);
    await page.locator('#user_code').fill(device.user_code);
    await page.keyboard.press('Enter');
    await page.locator('#username').fill(alice.username);
    await page.locator('#password').fill(alice.password);
    await page.locator('[name=remember]').check();
    await page.keyboard.press('Enter');
    await check('device-consent', words.consent.allow);
    await page.getByRole('button', { name: words.consent.allow }).click();
    await page.getByRole('heading', { name: words.device.done }).waitFor();
    await look(page, `device-done-${name}`);
    expect(await faults(page)).toEqual([]);
    await page.goto(`${stage.app.url}/oauth2/sessions/logout`);
    await check('logout', words.logout.submit);
    await page.getByRole('button', { name: words.logout.submit }).click();
    await page.getByRole('heading', { name: words.logout.done }).waitFor();
    await look(page, `logout-done-${name}`);
    expect(await faults(page)).toEqual([]);
  });

  it('sign a device in and a person out without scripts', async () => {
    const { page } = await visitor({ javaScriptEnabled: false });
    const body = new URLSearchParams({ client_id: 'flytectl', scope: 'offline all' });
    const device = await (
      await fetch(`${stage.app.url}/oauth2/device/auth`, { method: 'POST', body })
    ).json();
    await page.goto(device.verification_uri_complete);
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByLabel('User name').fill(alice.username);
    await page.getByLabel('Password').fill(alice.password);
    await page.getByLabel('Stay signed in').check();
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('button', { name: 'Allow' }).click();
    await page.getByRole('heading', { name: 'Your device is signed in' }).waitFor();
    await page.goto(`${stage.app.url}/oauth2/sessions/logout`);
    await page.getByRole('button', { name: 'Stay signed in' }).click();
    await page.getByRole('heading', { name: 'You are still signed in' }).waitFor();
    await page.goto(`${stage.app.url}/oauth2/sessions/logout`);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
  });

  it('can be filled by a password manager, which finds one name and one current password', async () => {
    const { page } = await visitor();
    await begin(page);
    const fields = await page.locator('input[autocomplete]').evaluateAll((found) =>
      found.map((field) => {
        const { type, autocomplete, form } = field as HTMLInputElement;
        return [type, autocomplete, form?.method];
      }),
    );
    expect(fields).toEqual([
      ['text', 'username', 'post'],
      ['password', 'current-password', 'post'],
    ]);
  });
});

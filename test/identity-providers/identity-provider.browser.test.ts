/** The buttons of identity providers, as people use them in a browser. */
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { launchChromium } from '../support/chromium.ts';
import { needs } from '../support/require.ts';
import { newUser } from '../support/users.ts';
import { World } from './world.ts';

vi.hoisted(() => {
  process.env['OAUTH_PRIVATE_ADDRESSES'] = 'on';
});

const artifacts = fileURLToPath(new URL('../.artifacts/', import.meta.url));
const bob = { username: 'bob', password: 'correct horse battery' };

describe.runIf(needs('chromium', 'OAuth in a browser'))('the button of an identity provider', () => {
  let world: World;
  let browser: Browser;
  let name: string;
  beforeAll(async () => {
    mkdirSync(artifacts, { recursive: true });
    world = await World.start();
    await newUser(bob);
    ({ name } = await world.provider({ newUserRole: null }));
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
    await world?.stop();
  });

  async function look(page: Page, what: string): Promise<void> {
    await page.screenshot({ path: `${artifacts}identity-provider-${what}.png`, fullPage: true });
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map(({ id, help }) => `${id}: ${help}`)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true);
  }

  const looks = [
    { what: 'light', scripts: true, locale: 'en', colorScheme: 'light', width: 1000 },
    { what: 'dark-german', scripts: true, locale: 'de-DE', colorScheme: 'dark', width: 1000 },
    { what: 'phone', scripts: false, locale: 'en', colorScheme: 'light', width: 360 },
  ] as const;
  it.each(looks)('connects an account once, and then signs in at once: $what', async (look_) => {
    const { what, scripts, locale, colorScheme, width } = look_;
    world.issuer.person = { sub: `bob-${what}`, email: 'bob@example.org', email_verified: true };
    const context = await browser.newContext({
      ...{ locale, colorScheme, viewport: { width, height: 800 }, javaScriptEnabled: scripts },
    });
    const page = await context.newPage();
    const messages: string[] = [];
    page.on('console', (message) => messages.push(message.text()));
    const button = () =>
      page.getByRole('button', { name: locale === 'en' ? `Continue with ${name}` : `Weiter mit ${name}` });
    const begin = async () => {
      const { url } = await world.stage.request('openid', {}, world.stage.web);
      await page.goto(url);
    };
    await begin();
    await button().waitFor();
    if (scripts) await look(page, `login-${what}`);
    await button().click();
    await page.locator('#username').waitFor();
    await page.getByText('bob@example.org').waitFor();
    if (scripts) await look(page, `connect-${what}`);
    // The button of the password form is the first one, so Enter does not lead to the provider.
    await page.locator('#username').fill(bob.username);
    await page.locator('#password').fill(bob.password);
    await page.keyboard.press('Enter');
    await page.locator('[name=scope]').first().waitFor({ state: 'attached' });
    await begin();
    await button().click();
    await page.locator('[name=scope]').first().waitFor({ state: 'attached' });
    expect(messages).toEqual([]);
    await context.close();
    const { data } = await world.stage.app.ask('{ identityLinks { edges { node { id } } } }');
    for (const { node } of data.identityLinks.edges)
      await world.stage.app.ask(
        'mutation ($input: DeleteIdentityLinkInput!) { deleteIdentityLink(input: $input) { __typename } }',
        { input: { by: { id: node.id } } },
      );
  });
});

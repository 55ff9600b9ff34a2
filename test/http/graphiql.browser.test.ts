/** GraphiQL as a person uses it: in a browser, with all requests to other hosts blocked. */
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, startApp } from '../support/app.ts';
import { launchChromium } from '../support/chromium.ts';
import { needs } from '../support/require.ts';
import { launch, registerProject, registerTask, registerWorkflow } from '../support/seed.ts';

const artifacts = fileURLToPath(new URL('../.artifacts/', import.meta.url));

describe.runIf(needs('chromium', 'GraphiQL in a browser'))('GraphiQL', () => {
  let app: App;
  let browser: Browser;
  let page: Page;
  let executionId: string;
  const elsewhere: string[] = [];
  const messages: string[] = [];

  beforeAll(async () => {
    mkdirSync(artifacts, { recursive: true });
    app = await startApp();
    await registerProject(app, 'penguins');
    await registerTask(app, 'penguins', 'double');
    await registerWorkflow(app, 'penguins', 'flow', { first: [] });
    executionId = await launch(app, 'penguins', 'flow');
    browser = await launchChromium();
    page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    await page.route('**', (route) => {
      const url = route.request().url();
      if (url.startsWith(`${app.url}/`) || url.startsWith('blob:') || url.startsWith('data:'))
        return route.continue();
      elsewhere.push(url);
      return route.abort();
    });
    page.on('console', (message) => messages.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => messages.push(`uncaught: ${error.message}`));
  });
  afterAll(async () => {
    await browser?.close();
    await app?.stop();
  });

  const shot = (name: string) => page.screenshot({ path: `${artifacts}graphiql-${name}.png` });
  const editor = () => page.locator('.graphiql-query-editor .monaco-editor').first();
  const answer = () => page.locator('.graphiql-response .view-lines');
  const answered = (text: string) => answer().filter({ hasText: text }).waitFor();

  /** Replaces the text in the query editor by pasting, so that the editor adds nothing. */
  async function write(query: string, name: string): Promise<void> {
    await editor().click();
    await page.keyboard.press('Control+A');
    await page.keyboard.insertText(query);
    // GraphiQL has read the text when its tab has the operation's name.
    await page.getByRole('tab', { name }).waitFor();
  }

  async function signIn(name: string, secret: string): Promise<void> {
    await page.getByLabel('User name or access key').fill(name);
    await page.getByLabel('Password or secret').fill(secret);
    await page.keyboard.press('Enter');
  }

  it('shows the sign-in form first, with the focus in it, and sends no request', async () => {
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.method()));
    await page.goto(app.url);
    await page.getByRole('dialog', { name: 'Sign in to Slipway' }).waitFor();
    await page.waitForLoadState('load');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('name');
    expect(asked.filter((method) => method !== 'GET')).toEqual([]);
    expect(await page.locator('.graphiql-container').count()).toBe(0);
    expect(messages).toEqual([]);
    await shot('1-sign-in');
  });

  it('says that a password is wrong, and keeps the form', async () => {
    await signIn('admin', 'wrong');
    const problem = page.getByRole('alert').filter({ hasText: 'The user name or the password is wrong.' });
    await problem.waitFor();
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('secret');
    await page.keyboard.press('Escape');
    expect(await page.getByRole('dialog').count()).toBe(1);
    await shot('2-wrong-password');
    // The browser's own message about the expected 401.
    expect(messages.splice(0)).toEqual([expect.stringMatching(/^error: .* 401 /)]);
  });

  it('signs in, shows the user, and loads the schema', async () => {
    const { username, password } = app.secrets.administrator;
    await signIn(username, password);
    await page.getByText('Signed in as admin (admin)').waitFor();
    await editor().waitFor();
    expect(await page.getByRole('dialog').count()).toBe(0);
  });

  it('shows the description of a type in its docs', async () => {
    await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
    const docs = page.locator('.graphiql-plugin');
    await docs.getByRole('link', { name: 'Query', exact: true }).click();
    await docs.getByRole('link', { name: 'Execution', exact: true }).first().click();
    await docs
      .getByText('One execution of a launch plan: it runs the workflow once, with the given inputs.')
      .waitFor();
    await docs.getByText('How many nodes are in each phase').waitFor();
    await shot('3-docs');
    await page.getByRole('button', { name: 'Hide Documentation Explorer' }).click();
  });

  it('shows the answer of a query, and does not write the query into the address', async () => {
    await write('query Who { viewer { username kind } version { version } }', 'Who');
    await page.keyboard.press('Control+Enter');
    await answered('"username": "admin"');
    expect(page.url()).toBe(`${app.url}/graphql`);
    await shot('4-query');
  });

  it('shows the events of a subscription when they arrive', async () => {
    const events = `executionEvents(by: { id: "${executionId}" }) { id phase execution { name } }`;
    await write(`subscription Watch { ${events} }`, 'Watch');
    await page.keyboard.press('Control+Enter');
    await answered('"phase": "RUNNING"');
    await app.ask(
      'mutation ($input: TerminateExecutionInput!) { terminateExecution(input: $input) { __typename } }',
      { input: { by: { id: executionId }, cause: 'seen enough' } },
    );
    await answered('"phase": "ABORTED"');
    await shot('5-subscription');
  });

  it('keeps the token for this tab only, and forgets it when signing out', async () => {
    const kept = () => page.evaluate(() => [JSON.stringify(localStorage), JSON.stringify(sessionStorage)]);
    // The beginning of every token, which names the key that signed it.
    const token = app.admin.slice('Bearer eyJ'.length, 40);
    expect(token).toMatch(/^\w+/);
    const [local, session] = await kept();
    expect(local).not.toContain(token);
    expect(session).toContain(token);
    await page.reload();
    await page.getByText('Signed in as admin (admin)').waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('dialog', { name: 'Sign in to Slipway' }).waitFor();
    expect((await kept()).join()).not.toContain(token);
  });

  it('logged nothing to the console and sent no request to another host', () => {
    expect(messages).toEqual([]);
    expect(elsewhere).toEqual([]);
  });
});

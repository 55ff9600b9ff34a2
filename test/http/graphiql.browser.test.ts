/** GraphiQL as a person uses it: in a browser, with all requests to other hosts blocked. */
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, Page, Route } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, startApp } from '../support/app.ts';
import { launchChromium } from '../support/chromium.ts';
import { needs } from '../support/require.ts';
import { launch, registerProject, registerTask, registerWorkflow } from '../support/seed.ts';

/** Lets a request go on with a token that the server does not accept. */
const withEndedToken = (route: Route) =>
  route.continue({ headers: { ...route.request().headers(), authorization: 'Bearer ended' } });

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
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    page = await context.newPage();
    await page.route('**', (route) => {
      const url = route.request().url();
      if (
        url.startsWith(`${app.url}/`) ||
        url.startsWith('http://localhost:') ||
        url.startsWith('blob:') ||
        url.startsWith('data:')
      )
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

  const dialog = () => page.getByRole('dialog', { name: 'Sign in to Slipway' });
  const signInButton = () => dialog().getByRole('button', { name: 'Sign in' });
  const says = (text: string) => dialog().getByRole('alert').filter({ hasText: text }).waitFor();
  const signedIn = () => page.getByText('Signed in as admin (admin)').waitFor();

  /** The form of the login page. */
  async function fillLogin({ remember = false } = {}): Promise<void> {
    const { username, password } = app.secrets.administrator;
    await page.getByLabel('User name').fill(username);
    await page.getByLabel('Password').fill(password);
    if (remember) await page.getByLabel('Stay signed in').check();
    await page.getByRole('button', { name: 'Sign in' }).click();
  }

  /** What axe finds in our own parts of the page. */
  async function faults(): Promise<string[]> {
    const { violations } = await new AxeBuilder({ page }).exclude('#root').analyze();
    return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join()}`);
  }

  it('asks the user to sign in first, with the focus on the button, and sends no request', async () => {
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.method()));
    await page.goto(app.url);
    await dialog().waitFor();
    await page.waitForLoadState('load');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('sign-in-button');
    await page.keyboard.press('Escape');
    expect(await page.getByRole('dialog').count()).toBe(1);
    expect(asked.filter((method) => method !== 'GET')).toEqual([]);
    expect(await page.locator('.graphiql-container').count()).toBe(0);
    expect(messages).toEqual([]);
    expect(await faults()).toEqual([]);
    await shot('1-sign-in');
  });

  it('says that the user has cancelled the sign-in', async () => {
    await page.keyboard.press('Enter');
    await page.getByText('to continue to GraphiQL').waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await says('You are not signed in, because the person has cancelled the sign-in.');
    expect(page.url()).toBe(`${app.url}/graphql`);
    expect(await faults()).toEqual([]);
    await shot('2-cancelled');
  });

  it('refuses an answer that this tab has not asked for', async () => {
    const asked: string[] = [];
    page.on('request', (request) => asked.push(new URL(request.url()).pathname));
    const parameters = new URLSearchParams({ code: 'stolen', state: 'foreign', iss: app.url });
    await page.goto(`${app.url}/graphql?${parameters}`);
    await says('This tab has not begun this sign-in.');
    expect(asked).not.toContain('/oauth2/token');
    expect(page.url()).toBe(`${app.url}/graphql`);
  });

  it('signs in at the public address of the server, shows the user, and loads the schema', async () => {
    await page.goto(`${app.url.replace('127.0.0.1', 'localhost')}/graphql`);
    await signInButton().click();
    await page.getByText('to continue to GraphiQL').waitFor();
    expect(new URL(page.url()).origin).toBe(app.url);
    await fillLogin({ remember: true });
    // Nobody is asked what a page of the server itself may do.
    await signedIn();
    await editor().waitFor();
    expect(page.url()).toBe(`${app.url}/graphql`);
    expect(await page.getByRole('dialog').count()).toBe(0);
    expect(await faults()).toEqual([]);
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

  it('fits into the window, with all buttons of its edge', async () => {
    const heights = await page.evaluate(() => {
      const { scrollHeight, clientHeight } = document.documentElement;
      return { scrollHeight, clientHeight };
    });
    expect(heights).toEqual({ scrollHeight: 800, clientHeight: 800 });
    const settings = await page.getByRole('button', { name: 'Open settings dialog' }).boundingBox();
    expect(settings && settings.y + settings.height).toBeLessThanOrEqual(800);
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

  it('gets a new token when the old one has ended, and asks again', async () => {
    const asked: string[] = [];
    page.on('request', (request) => asked.push(new URL(request.url()).pathname));
    await page.route('**/graphql', withEndedToken, { times: 1 });
    await write('query Renewed { viewer { username } }', 'Renewed');
    await page.keyboard.press('Control+Enter');
    await answered('"username": "admin"');
    expect(asked.filter((path) => path === '/oauth2/token')).toEqual(['/oauth2/token']);
    // The browser's own message about the expected 401.
    expect(messages.splice(0)).toEqual([expect.stringMatching(/^error: .* 401 /)]);
  });

  it('has the tokens in its memory only, and gets others from the session when it is loaded again', async () => {
    const stored = async () =>
      (
        await page.evaluate(() =>
          JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]),
        )
      ).match(/eyJ[\w-]+|"(?:access|refresh|id)_token"/g);
    expect(await stored()).toBeNull();
    await page.reload();
    await signedIn();
    expect(await stored()).toBeNull();
    expect(page.url()).toBe(`${app.url}/graphql`);
  });

  it('asks the user to sign in when the sign-in has ended', async () => {
    const { data } = await app.ask('{ viewer { id } }');
    const ended = await app.ask(
      'mutation ($input: RevokeConsentSessionsInput!) { revokeConsentSessions(input: $input) { __typename } }',
      { input: { subject: data.viewer.id, all: true } },
    );
    expect(ended.data.revokeConsentSessions.__typename).toBe('RevokeConsentSessionsPayload');
    await write('query Ended { viewer { kind } }', 'Ended');
    await page.keyboard.press('Control+Enter');
    await says('Your sign-in has ended. Sign in again.');
    expect(await faults()).toEqual([]);
    await shot('6-ended');
    messages.splice(0);
    await signInButton().click();
    await signedIn();
  });

  it('ends its tokens and the session of the browser when the user signs out', async () => {
    const sent: string[] = [];
    page.on('request', (request) => sent.push(request.headers()['authorization'] ?? ''));
    await write('query Last { viewer { username } }', 'Last');
    await page.keyboard.press('Control+Enter');
    await answered('"username": "admin"');
    const [token = ''] = sent.filter((one) => one.startsWith('Bearer '));
    expect((await app.ask('{ viewer { username } }', {}, token)).data.viewer.username).toBe('admin');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await says('You are signed out.');
    await shot('7-signed-out');
    expect((await app.ask('{ viewer { username } }', {}, token)).status).toBe(401);
    await page.reload();
    await dialog().waitFor();
    await signInButton().click();
    await page.getByLabel('Password').waitFor();
  });

  it('logged nothing to the console and sent no request to another host', () => {
    expect(messages).toEqual([]);
    expect(elsewhere).toEqual([]);
  });
});

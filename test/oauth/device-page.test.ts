/** The built-in page where people enter the code that a device shows. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newTenant, newUser } from '../support/users.ts';
import { Stage } from './stage.ts';
import { type Page, Visitor, wordsIn } from './visitor.ts';

let stage: Stage;
const alice = { username: 'alice', password: 'correct horse battery' };
beforeAll(async () => {
  stage = await Stage.start();
  await newUser(alice);
});
afterAll(() => stage.stop());

const post = async (path: string, form: Record<string, string>) => {
  const body = new URLSearchParams({ client_id: 'flytectl', ...form });
  return (await fetch(`${stage.app.url}${path}`, { method: 'POST', body })).json();
};
/** A device begins. */
const begin = () => post('/oauth2/device/auth', { scope: 'offline all' });
const poll = ({ device_code }: { device_code: string }) =>
  post('/oauth2/token', { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code });
const isDevicePage = (page: Page) => page.url.startsWith(`${stage.app.url}/oauth2/device?`);

/** A person allows what the page asks. @returns the last page. */
async function allow(visitor: Visitor, page: Page, who: Record<string, string> = alice): Promise<Page> {
  const consent = await visitor.send(page, who);
  expect(wordsIn(consent)).toContain('Allow this only if you have just begun');
  return await visitor.send(consent, { scope: ['offline', 'all'], answer: 'accept' });
}

describe('the device page', () => {
  it('lets a person sign a device in, which then acts as her', async () => {
    const device = await begin();
    const visitor = new Visitor();
    const page = await visitor.visit(device.verification_uri);
    expect([page.status, isDevicePage(page)]).toEqual([200, true]);
    const login = await visitor.send(page, { user_code: device.user_code.toLowerCase() });
    const done = await allow(visitor, login);
    expect(wordsIn(done)).toContain('Your device is signed in');
    const { access_token, refresh_token } = await poll(device);
    const { data } = await stage.app.ask('{ viewer { username } }', {}, `Bearer ${access_token}`);
    expect([data.viewer.username, typeof refresh_token]).toEqual(['alice', 'string']);
  });

  it('has the code of the address in its field, and sends nothing by itself', async () => {
    const device = await begin();
    const page = await new Visitor().visit(device.verification_uri_complete);
    expect(isDevicePage(page)).toBe(true);
    expect(page.text).toContain(`name="user_code" value="${device.user_code}"`);
    expect(await poll(device)).toMatchObject({ error: 'authorization_pending' });
  });

  it.each(['', 'XXXX-XXXX', '<b>'])('asks again after the code %j, as text', async (user_code) => {
    const device = await begin();
    const visitor = new Visitor();
    const page = await visitor.send(await visitor.visit(device.verification_uri), { user_code });
    expect([page.status, wordsIn(page)]).toEqual([400, expect.stringContaining('This code does not exist')]);
    expect(page.text).not.toContain('<b>');
    const login = await visitor.send(page, { user_code: device.user_code });
    expect(wordsIn(login)).toContain('Sign in to continue to Flyte');
  });

  it('signs in people of every tenant', async () => {
    const tenantId = await newTenant('elsewhere');
    await newUser({ ...alice, username: 'dora', tenantId });
    const device = await begin();
    const visitor = new Visitor();
    const page = await visitor.visit(device.verification_uri);
    const login = await visitor.send(page, { user_code: device.user_code });
    await allow(visitor, login, { ...alice, username: 'elsewhere/dora' });
    const { access_token } = await poll(device);
    const { data } = await stage.app.ask('{ viewer { username } }', {}, `Bearer ${access_token}`);
    expect(data.viewer.username).toBe('dora');
  });

  it('answers no form of another site, no forged form and no old challenge', async () => {
    const device = await begin();
    const visitor = new Visitor();
    const page = await visitor.visit(device.verification_uri);
    const { user_code } = device;
    const evil = { origin: 'https://evil.example' };
    expect((await visitor.send(page, { user_code }, evil)).status).toBe(403);
    expect((await visitor.send(page, { user_code, token: 'forged' })).status).toBe(403);
    const old = await visitor.visit(`${stage.app.url}/oauth2/device?device_challenge=old`);
    expect([old.status, wordsIn(old)]).toEqual([400, expect.stringContaining('no longer valid')]);
  });
});

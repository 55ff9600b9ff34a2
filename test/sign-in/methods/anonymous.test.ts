/** Requests without credentials, if the server has an anonymous user. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { db } from '../../../src/platform/database/client.ts';
import { log } from '../../../src/platform/log.ts';
import { authenticate } from '../../../src/sign-in/authenticate.ts';
import { anonymous as anonymousMethod } from '../../../src/sign-in/methods/anonymous.ts';
import { type App, basic, startApp } from '../../support/app.ts';
import { updatePreferences } from '../../support/people.ts';
import { registerProject } from '../../support/seed.ts';
import { changeUser, grantTo, newKey, newUser } from '../../support/users.ts';
import { overWebSocket } from '../../support/watch.ts';

vi.hoisted(() => {
  process.env['ANONYMOUS_USER'] = 'Anonymous';
});

let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
});
afterAll(() => app.stop());

const viewer = '{ viewer { username role } }';
const asStranger = (query = viewer) => app.ask(query, {}, null);
const stranger = { status: 401, errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] };

describe('a request without credentials', () => {
  it('is UNAUTHENTICATED until the anonymous user exists', async () => {
    expect(await asStranger()).toMatchObject(stranger);
    await newUser({ username: 'anonymous', role: 'GUEST', password: 'the password of anonymous' });
    expect((await asStranger()).data.viewer).toEqual({ username: 'anonymous', role: 'GUEST' });
    expect((await overWebSocket(app, viewer, {}, null)).data.viewer.username).toBe('anonymous');
  });

  it('is reported once as long as there is no such user, and again when there is none any more', async () => {
    const report = vi.spyOn(log, 'error');
    onTestFinished(() => report.mockRestore());
    const anonymous = anonymousMethod({ username: 'nobody-yet', tenant: 'default' });
    const request = { headers: {}, address: null, publicUrl: app.url, connection: {} };
    const ask = async () => [await anonymous.signIn(request), await anonymous.signIn(request)];
    const reports = () => report.mock.calls.map(([fields]) => fields);
    await anonymous.prepare?.();
    expect(await ask()).toEqual([null, null]);
    expect(reports()).toEqual([{ username: 'nobody-yet', tenant: 'default', role: null }]);
    await newUser({ username: 'nobody-yet', role: 'GUEST' });
    expect(await ask()).toMatchObject([{ method: 'ANONYMOUS' }, { method: 'ANONYMOUS' }]);
    expect(reports()).toHaveLength(1);
    await changeUser('nobody-yet', { role: 'USER' });
    expect(await ask()).toEqual([null, null]);
    expect(reports().slice(1)).toEqual([{ username: 'nobody-yet', tenant: 'default', role: 'USER' }]);
  });

  it('is UNAUTHENTICATED when the anonymous user has a role above GUEST or is disabled', async () => {
    for (const data of [{ role: 'USER' as const }, { role: 'ADMIN' as const }, { disabledAt: new Date() }]) {
      await changeUser('anonymous', data);
      expect(await asStranger()).toMatchObject(stranger);
    }
    await changeUser('anonymous', { role: 'GUEST', disabledAt: null });
    expect((await asStranger()).errors).toBeUndefined();
  });

  it('can read what the anonymous user was granted, and change nothing', async () => {
    await registerProject(app, 'open');
    await registerProject(app, 'closed');
    const { id: resourceId } = await db.project.findFirstOrThrow({ where: { identifier: 'open' } });
    const { id: userId } = await db.user.findFirstOrThrow({ where: { usernameKey: 'anonymous' } });
    await grantTo({ userId }, 'PROJECT', resourceId, 'MANAGE');
    const { data } = await asStranger('{ projects { edges { node { identifier } } } }');
    expect(data.projects.edges).toEqual([{ node: { identifier: 'open' } }]);
    const { errors } = await asStranger(
      'mutation { createTask(input: { key: { project: "open", domain: "development", name: "x", version: "1" }, template: { type: "x", interface: {}, metadata: {} } }) { __typename } }',
    );
    expect(errors?.[0]?.extensions.code).toBe('PERMISSION_DENIED');
  });

  it('cannot get a token or a session', async () => {
    const { errors } = await asStranger('mutation { login { ... on LoginPayload { token } } }');
    expect(errors?.[0]?.extensions.code).toBe('PERMISSION_DENIED');
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${app.url}/session`, { method: 'POST', headers, body: '{}' });
    expect(response.status).toBe(401);
    expect(response.headers.get('set-cookie')).toBeNull();
  });

  it('is a shared identity, also after signing in as that user in another way', async () => {
    const request = { headers: {}, address: null, publicUrl: app.url, connection: {} };
    expect(await authenticate(request)).toMatchObject({ method: 'ANONYMOUS', isShared: true });
    const user = await db.user.findFirstOrThrow({ where: { usernameKey: 'anonymous' } });
    const { authorization } = await newKey(user);
    expect(await authenticate({ ...request, headers: { authorization } })).toMatchObject({
      method: 'ACCESS_KEY',
      isShared: true,
    });
    expect(await updatePreferences(app, { preferences: { theme: 'dark' } }, authorization)).toMatchObject({
      code: 'PERMISSION_DENIED',
    });
  });
});

describe('credentials that are not valid', () => {
  it.each([
    ['a wrong password', basic('admin', 'wrong')],
    ['an unknown user', basic('nobody', 'wrong')],
    ['the wrong password of the anonymous user', basic('anonymous', '')],
    ['an empty Basic', 'Basic '],
    ['a token that is none', 'Bearer x'],
    ['a scheme that is not on', 'Negotiate YIIC'],
    ['an unknown scheme', 'Digest x'],
    ['a word', 'x'],
  ])('are refused and do not fall back to the anonymous user: %s', async (_name, authorization) => {
    const { status, headers, data } = await app.ask(viewer, {}, authorization);
    expect(status).toBe(401);
    expect(headers.get('www-authenticate')).toMatch(/^Bearer .*, Basic /);
    expect(data).toBeUndefined();
  });

  it.each([
    ['', 'from our page', 401],
    ['nonsense', 'from our page', 401],
    ['nonsense', 'from elsewhere', 403],
  ])('are refused as a cookie: "%s" %s', async (token, from, status) => {
    const response = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        cookie: `slipway_session=${token}`,
        origin: from === 'from our page' ? new URL(app.url).origin : 'https://evil.example',
      },
      body: JSON.stringify({ query: viewer }),
    });
    expect(response.status).toBe(status);
  });

  it('are refused when the header is empty', async () => {
    expect(await app.ask(viewer, {}, ' ')).not.toHaveProperty('data.viewer.username');
  });
});

/** Trusted issuers of JWTs at Hydra's addresses. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalApp, startApp } from '../../support/app.ts';
import { type Key, newKey } from '../../support/jwt-issuers.ts';
import { newCaller } from '../../support/users.ts';
import { type Call, callsTo } from './call.ts';

let app: LocalApp;
let call: Call;
let key: Key;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  call = callsTo(app, app.admin);
  key = await newKey('main');
});
afterAll(() => app.stop());

describe.each(['/admin', ''])('trusted issuers below "%s"', (prefix) => {
  const path = `${prefix}/trust/grants/jwt-bearer/issuers`;
  const issuer = `https://ci.example${prefix}`;
  const trust = (more: object) =>
    call('POST', path, {
      ...{ issuer, subject: 'a', scope: ['read'], jwk: key.jwk, expires_at: '2999-01-01T00:00:00Z' },
      ...more,
    });

  it('are made, read, listed and deleted', async () => {
    const made = await trust({});
    expect([made.status, made.body]).toEqual([
      201,
      {
        ...{ id: expect.any(String), issuer, subject: 'a', allow_any_subject: false, scope: ['read'] },
        ...{ public_key: { set: issuer, kid: 'main' }, created_at: expect.any(String) },
        expires_at: '2999-01-01T00:00:00.000Z',
      },
    ]);
    expect(made.headers.get('location')).toBe(`${path}/${made.body.id}`);
    const everybody = await trust({ subject: '', allow_any_subject: true });
    expect(everybody.body).toMatchObject({ subject: '', allow_any_subject: true });
    const one = `${path}/${made.body.id}`;
    expect((await call('GET', one)).body).toEqual(made.body);
    const listed = await call('GET', `${path}?issuer=${encodeURIComponent(issuer)}&limit=1`);
    expect([listed.body, listed.headers.get('x-total-count')]).toEqual([[everybody.body], '2']);
    expect((await call('GET', `${path}?issuer=https://nobody.example`)).body).toEqual([]);
    const deleted = await call('DELETE', one);
    expect([deleted.status, deleted.body]).toEqual([204, null]);
    expect([(await call('DELETE', one)).status, (await call('GET', one)).status]).toEqual([404, 404]);
  });

  it.each([
    [{ subject: 'twice' }, { subject: 'twice' }, 409],
    [{ subject: 'b' }, { subject: 'b', allow_any_subject: true }, 400],
    [{ subject: 'c' }, { subject: 'd', jwk: {} }, 400],
    [{ subject: 'e' }, { subject: 'f', more: 1 }, 400],
  ])('after %j refuse %j with %i', async (first, second, status) => {
    expect((await trust(first)).status).toBe(201);
    expect((await trust(second)).status).toBe(status);
  });
});

it('are for administrators', async () => {
  const asUser = callsTo(app, await newCaller({ role: 'USER' }));
  expect((await asUser('GET', '/admin/trust/grants/jwt-bearer/issuers')).status).toBe(403);
});

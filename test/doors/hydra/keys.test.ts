/** Sets of keys at Hydra's addresses. */
import { exportJWK, generateKeyPair, importJWK, type JWK, jwtVerify, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, startApp } from '../../support/app.ts';
import { type Call, callsTo } from './call.ts';

let app: App;
let call: Call;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  call = callsTo(app, app.admin);
});
afterAll(() => app.stop());

async function publicKey(kid: string): Promise<JWK> {
  const { publicKey: key } = await generateKeyPair('ES256', { extractable: true });
  return { ...(await exportJWK(key)), kid, alg: 'ES256', use: 'sig' };
}

describe.each(['/admin', ''])('keys below "%s"', (prefix) => {
  const set = prefix === '' ? 'v1 set' : 'v2 set';
  const at = `${prefix}/keys/${encodeURIComponent(set)}`;

  it('are created with their private part, and sign', async () => {
    const made = await call('POST', at, { alg: 'ES256', use: 'sig', kid: 'first' });
    expect([made.status, made.headers.get('location')]).toEqual([201, at]);
    const [key] = made.body.keys;
    expect(made.body.keys).toEqual([
      expect.objectContaining({ kid: 'first', alg: 'ES256', use: 'sig', kty: 'EC' }),
    ]);
    const token = await new SignJWT({}).setProtectedHeader({ alg: 'ES256' }).sign(await importJWK(key));
    const [shown] = (await call('GET', at)).body.keys;
    await expect(jwtVerify(token, await importJWK(shown))).resolves.toBeDefined();
  });

  it('are read without their private part, newest first', async () => {
    await call('POST', at, { alg: 'ES256', use: 'sig', kid: 'second' });
    const { status, body } = await call('GET', at);
    expect([status, body.keys.map((key: JWK) => key.kid)]).toEqual([200, ['second', 'first']]);
    for (const key of body.keys) {
      expect(key).toMatchObject({ use: 'sig', kty: 'EC', alg: 'ES256', x: expect.any(String) });
      expect(key).not.toHaveProperty('d');
    }
    const one = await call('GET', `${at}/first`);
    expect(one.body.keys.map((key: JWK) => key.kid)).toEqual(['first']);
    expect(one.body.keys[0]).not.toHaveProperty('d');
  });

  it('get an id if the call has none', async () => {
    const { body } = await call('POST', at, { alg: 'RS256', use: 'enc', kid: '' });
    expect(body.error_hint ?? '').toContain('alg: ');
    const made = await call('POST', at, { alg: 'ECDH-ES', use: 'enc', kid: '' });
    expect(made.body.keys[0].kid).toMatch(/^\S{8,}$/);
    expect(made.body.keys[0].use).toBe('enc');
  });

  it('are not created twice under one id', async () => {
    const again = await call('POST', at, { alg: 'ES256', use: 'sig', kid: 'first' });
    expect(again).toMatchObject({ status: 409, body: { error: 'Conflict' } });
  });

  it('are replaced by keys of the caller, alone or all', async () => {
    const [one, two] = [await publicKey('one'), await publicKey('two')];
    const all = await call('PUT', at, { keys: [one, two] });
    expect([all.status, all.body]).toEqual([200, { keys: [one, two] }]);
    expect((await call('GET', at)).body.keys.map((key: JWK) => key.kid)).toEqual(['one', 'two']);
    const newer = await publicKey('one');
    const replaced = await call('PUT', `${at}/one`, newer);
    expect([replaced.status, replaced.body]).toEqual([200, newer]);
    expect((await call('GET', `${at}/one`)).body.keys).toEqual([newer]);
  });

  it('are refused under another id than their own', async () => {
    const wrong = await call('PUT', `${at}/one`, await publicKey('two'));
    expect(wrong).toMatchObject({ status: 400, body: { error_hint: 'kid: the key has another kid' } });
  });

  it('are deleted, alone or all, also if there are none', async () => {
    for (const path of [`${at}/one`, `${at}/one`]) {
      const gone = await call('DELETE', path);
      expect([gone.status, gone.body]).toEqual([204, null]);
    }
    expect((await call('GET', `${at}/one`)).status).toBe(404);
    for (const path of [at, at]) expect((await call('DELETE', path)).status).toBe(204);
    expect((await call('GET', at)).status).toBe(404);
  });
});

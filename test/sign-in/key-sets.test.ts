import { importJWK, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { accessFeed } from '../../src/authorization/feed.ts';
import { findFirstTenant } from '../../src/identity/store/tenants.ts';
import { generateKey } from '../../src/key-sets/generate-key.ts';
import { insertKey, listKeys, lockOrCreateSet } from '../../src/key-sets/store.ts';
import { db, pool } from '../../src/platform/database/client.ts';
import { inTransaction } from '../../src/platform/database/transaction.ts';
import { newId } from '../../src/platform/ids.ts';
import { type App, basic, startApp } from '../support/app.ts';
import { tokenOf } from '../support/users.ts';

const name = 'slipway.access-token';
const otherTenantId = newId();
let app: App;
let forged: string;
beforeAll(async () => {
  // Another tenant creates a set with the same name and a newer key before the server has read its own set.
  const made = await generateKey({ alg: 'EdDSA', use: 'sig' });
  app = await startApp({ scheduler: false });
  await db.tenant.create({ data: { id: otherTenantId, name: 'other', nameKey: 'other' } });
  await inTransaction(async (tx) => {
    const set = { id: await lockOrCreateSet(tx, { tenantId: otherTenantId, name }), tenantId: otherTenantId };
    await insertKey(tx, set, made, { state: 'CURRENT', at: new Date() });
  });
  const admin = await db.user.findFirstOrThrow({ where: { username: 'admin' } });
  forged = await new SignJWT({ tenant: admin.tenantId, ver: admin.version, sid: newId() })
    .setProtectedHeader({ alg: 'EdDSA', kid: made.kid, typ: 'at+jwt' })
    .setIssuer('slipway')
    .setAudience('slipway')
    .setSubject(admin.id)
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(await importJWK(made.privateJwk, 'EdDSA'));
});
afterAll(() => app.stop());

describe('the keys of access tokens', () => {
  it('belong to the first tenant, also when another tenant has a set of the same name', async () => {
    const first = await findFirstTenant();
    expect(first?.id).not.toBe(otherTenantId);
    const own = await listKeys({ tenantId: first?.id ?? '', name });
    const others = await listKeys({ tenantId: otherTenantId, name });
    expect(own.map(({ state }) => state).sort()).toEqual(['CURRENT', 'NEXT']);
    expect(others).toHaveLength(1);
    expect(own.map(({ kid }) => kid)).not.toContain(others[0]?.kid);
  });

  it('are the 100 newest of their set', async () => {
    const set = { tenantId: otherTenantId, name: 'many' };
    const { id: setId } = await db.jsonWebKeySet.create({ data: { id: newId(), ...set } });
    const keys = Array.from({ length: 101 }, (_, at) => ({
      ...{ id: newId(), tenantId: otherTenantId, setId, kid: `key ${at}`, alg: 'EdDSA', use: 'sig' },
      ...{ publicJwk: {}, state: 'RETIRED' as const, createdAt: new Date(at) },
    }));
    await db.jsonWebKey.createMany({ data: keys });
    const expected = keys.slice(1).map(({ kid }) => kid);
    expect((await listKeys(set)).map(({ kid }) => kid)).toEqual(expected.reverse());
  });

  it('do not let another tenant sign for an administrator', async () => {
    const verdict = async () => {
      // A server that starts now, after the other set was created.
      vi.resetModules();
      const { verifyToken } = await import('../../src/sign-in/access-tokens.ts');
      return await verifyToken(forged);
    };
    await expect(verdict()).rejects.toThrow('the token is not valid');
    const { status } = await app.ask('{ viewer { id } }', {}, `Bearer ${forged}`);
    expect(status).toBe(401);
  });

  it('still sign', async () => {
    const { administrator } = app.secrets;
    const password = basic(administrator.username, administrator.password);
    const { data } = await app.ask('mutation { login { ... on LoginPayload { token } } }', {}, password);
    const answer = await app.ask('{ viewer { username } }', {}, `Bearer ${data.login.token}`);
    expect(answer.data.viewer.username).toBe('admin');
  });

  it('end their tokens when they are deleted, and notify all servers', async () => {
    const { administrator } = app.secrets;
    const password = basic(administrator.username, administrator.password);
    const statusOf = async (authorization: string) =>
      (await app.ask('{ viewer { username } }', {}, authorization)).status;
    for (const takeBack of [
      'delete from json_web_keys where tenant_id <> $1',
      'delete from json_web_key_sets where tenant_id <> $1',
    ]) {
      const token = await tokenOf(app, password);
      expect([await statusOf(token), await statusOf(token)]).toEqual([200, 200]);
      // As an operator would do it, without telling a server.
      await pool.query(takeBack, [otherTenantId]);
      await accessFeed.catchUp();
      expect(await statusOf(token)).toBe(401);
      expect(await statusOf(await tokenOf(app, password))).toBe(200);
    }
  });

  it('end their tokens also when they are deleted while the feed is silent', async () => {
    const { administrator } = app.secrets;
    const token = await tokenOf(app, basic(administrator.username, administrator.password));
    expect((await app.ask('{ viewer { username } }', {}, token)).status).toBe(200);
    // There is no notification, and the feed cannot be read.
    await pool.query('alter table json_web_keys disable trigger json_web_keys_are_news');
    vi.spyOn(accessFeed, 'isFresh', 'get').mockReturnValue(false);
    await pool.query('delete from json_web_keys where tenant_id <> $1', [otherTenantId]);
    expect((await app.ask('{ viewer { username } }', {}, token)).status).toBe(401);
    vi.restoreAllMocks();
  });
});

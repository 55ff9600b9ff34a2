import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { inTransaction } from '../../src/platform/database/transaction.ts';
import { newId } from '../../src/platform/ids.ts';
import { findServerTenantId, listKeys, storeKey } from '../../src/sign-in/store/tokens.ts';
import { type App, basic, startApp } from '../support/app.ts';

const name = 'slipway.access-token';
const otherTenantId = newId();
let app: App;
let forged: string;
beforeAll(async () => {
  // Another tenant makes a set of the same name before the server has read its own, with a newer key.
  const { publicKey, privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  const publicJwk = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint(publicJwk);
  const named = { kid, alg: 'EdDSA', use: 'sig' };
  app = await startApp({ scheduler: false });
  await db.tenant.create({ data: { id: otherTenantId, name: 'other', nameKey: 'other' } });
  await inTransaction(async (tx) =>
    storeKey(tx, {
      set: { tenantId: otherTenantId, name },
      kid,
      alg: 'EdDSA',
      publicJwk: { ...publicJwk, ...named },
      privateJwk: { ...(await exportJWK(privateKey)), ...named },
    }),
  );
  const admin = await db.user.findFirstOrThrow({ where: { username: 'admin' } });
  forged = await new SignJWT({ tenant: admin.tenantId, ver: admin.version, sid: newId() })
    .setProtectedHeader({ alg: 'EdDSA', kid, typ: 'at+jwt' })
    .setIssuer('slipway')
    .setAudience('slipway')
    .setSubject(admin.id)
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(privateKey);
});
afterAll(() => app.stop());

describe('the keys of access tokens', () => {
  it("are the first tenant's own, whatever another tenant calls its set", async () => {
    const tenantId = await findServerTenantId();
    expect(tenantId).not.toBe(otherTenantId);
    const own = await listKeys({ tenantId: tenantId ?? '', name });
    const others = await listKeys({ tenantId: otherTenantId, name });
    expect(own).toHaveLength(1);
    expect(others).toHaveLength(1);
    expect(own[0]?.kid).not.toBe(others[0]?.kid);
  });

  it('do not let another tenant sign for an administrator', async () => {
    const verdict = async () => {
      // A server that starts now: nothing was read before the other set was there.
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
});

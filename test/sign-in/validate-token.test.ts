import { createHmac, createPublicKey } from 'node:crypto';
import { exportJWK, generateKeyPair, importJWK, type JWTPayload, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { accessTokenKeys } from '../../src/key-sets/signing-keys.ts';
import { db } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { type App, startApp } from '../support/app.ts';
import { changeUser, newTenant, tokenOf } from '../support/users.ts';
import { claimsOf, someone, tokenCalls } from './token-calls.ts';

vi.hoisted(() => {
  process.env['SESSION_MAX_SECONDS'] = '7200';
});

let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
});
afterAll(() => app.stop());
const { statusOf, logout, validate } = tokenCalls(() => app);

describe('validateToken', () => {
  it('describes a token of the caller', async () => {
    const { authorization, id: userId, username } = await someone('USER');
    const [one, other] = [await tokenOf(app, authorization), await tokenOf(app, authorization)];
    const user = { id: userId, username };
    expect(await validate(one, one)).toMatchObject({ valid: true, user, message: null });
    await logout(other);
    const ended = await validate(one, other);
    expect(ended).toMatchObject({ valid: false, user, message: expect.stringContaining('logged out') });
    expect(ended.tenantId).toBe(claimsOf(one)['tenant']);
  });

  it('answers for a token of another user as for an invalid one, except to ROOT and SYSTEM', async () => {
    const [one, other, system] = [await someone('USER'), await someone('USER'), await someone('SYSTEM')];
    const token = await tokenOf(app, other.authorization);
    const nothing = await validate(one.authorization, 'nonsense');
    expect(nothing).toMatchObject({ valid: false, user: null, tenantId: null });
    expect(await validate(one.authorization, token)).toEqual(nothing);
    expect(await validate(app.admin, token)).toEqual(nothing);
    expect(await validate(system.authorization, token)).toMatchObject({
      valid: true,
      user: { id: other.id },
    });
    await changeUser(other.username, { version: { increment: 1 } });
    expect(await validate(system.authorization, token)).toMatchObject({
      valid: false,
      user: { id: other.id },
      message: expect.stringContaining('password'),
    });
    await changeUser(other.username, { disabledAt: new Date() });
    expect(await validate(system.authorization, token)).toMatchObject({
      valid: false,
      user: { id: other.id },
    });
    await db.user.delete({ where: { id: other.id } });
    expect(await validate(system.authorization, token)).toMatchObject({
      valid: false,
      user: null,
      tenantId: claimsOf(token)['tenant'],
    });
  });

  it('answers ROOT for tokens of all tenants, and the SYSTEM of another tenant for those of its own', async () => {
    const tenantId = await newTenant(`validating ${newId()}`);
    const [root, theirs, system, user] = [
      await someone('ROOT'),
      ...[await someone('USER', { tenantId }), await someone('SYSTEM', { tenantId }), await someone('USER')],
    ] as const;
    const [token, ours] = [await tokenOf(app, theirs.authorization), await tokenOf(app, user.authorization)];
    expect(await validate(root.authorization, token)).toMatchObject({ valid: true, user: { id: theirs.id } });
    expect(await validate(system.authorization, token)).toMatchObject({
      valid: true,
      user: { id: theirs.id },
    });
    expect(await validate(system.authorization, ours)).toMatchObject({ valid: false, user: null });
  });

  it('reads a token of at most 8192 characters', async () => {
    const { authorization } = await someone('ROOT');
    // Every length is possible, because the two parts grow separately.
    const ofLength = async (length: number) => {
      for (const pad of ['', 'x', 'xx', 'xxx']) {
        const short = (await forge({}, { header: { pad } })).length;
        for (let more = Math.floor(((length - short) * 3) / 4) - 20; more < length; more += 1) {
          const token = await forge({ more: 'x'.repeat(more) }, { header: { pad } });
          if (token.length === length) return token;
          if (token.length > length) break;
        }
      }
      throw new Error(`no token has ${length} characters`);
    };
    expect(await validate(authorization, await ofLength(8192))).toMatchObject({ valid: true });
    expect(await validate(authorization, await ofLength(8193))).toMatchObject({ valid: false, user: null });
  });

  it('says that a token has expired, or that its access key was revoked', async () => {
    const { authorization, id: userId, accessKey } = await someone('USER');
    const { authorization: asker } = await someone('SYSTEM');
    const ended = await forge({ sub: userId }, { exp: Math.floor(Date.now() / 1000) - 5 });
    expect(await validate(asker, ended)).toMatchObject({
      valid: false,
      user: { id: userId },
      message: 'the token has expired',
    });
    const token = await tokenOf(app, authorization);
    await app.ask(
      'mutation ($input: RevokeCredentialsInput!) { revokeCredentials(input: $input) { __typename } }',
      { input: { by: { accessKey } } },
      authorization,
    );
    expect(await validate(asker, token)).toMatchObject({
      valid: false,
      user: { id: userId },
      message: expect.stringContaining('access key'),
    });
  });

  it('refuses an empty text and names the argument', async () => {
    for (const token of ['', ' '])
      expect(await validate(app.admin, token)).toEqual({ refused: 'INVALID_ARGUMENT' });
  });
});

/** The key with which the server signs. */
async function serverKey() {
  const { kid, publicJwk, privateJwk } = (await accessTokenKeys.current()).current;
  return { kid, publicJwk, key: await importJWK(privateJwk, 'EdDSA') };
}

/** A token as the server issues it, signed with its own key, except for some claims. */
async function forge(
  claims: JWTPayload,
  { exp, header = {} }: { exp?: unknown; header?: object } = {},
): Promise<string> {
  const { kid, key } = await serverKey();
  const sub = claims.sub ?? (await db.user.findFirstOrThrow({ where: { username: 'admin' } })).id;
  const { tenantId, version } = await db.user.findUniqueOrThrow({ where: { id: sub } });
  const now = Math.floor(Date.now() / 1000);
  const payload = {
    iss: 'slipway',
    aud: 'slipway',
    sub,
    tenant: tenantId,
    ver: version,
    sid: newId(),
    iat: now,
    auth_time: now,
  };
  return await new SignJWT({ ...payload, exp: exp ?? now + 60, ...claims } as unknown as JWTPayload)
    .setProtectedHeader({ alg: 'EdDSA', kid, typ: 'at+jwt', ...header })
    .sign(key);
}

const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('a forged token', () => {
  it('is accepted when nothing is changed, which shows that the others are refused for their change', async () => {
    expect(await statusOf(`Bearer ${await forge({})}`)).toBe(200);
  });

  it.each<[string, () => Promise<string>]>([
    [
      'algorithm none',
      async () => `${encoded({ alg: 'none', typ: 'at+jwt' })}.${(await forge({})).split('.')[1]}.`,
    ],
    [
      'HS256 with our public key as the secret',
      async () => {
        const { kid, publicJwk } = await serverKey();
        const pem = createPublicKey({ key: publicJwk as never, format: 'jwk' }).export({
          type: 'spki',
          format: 'pem',
        });
        const text = `${encoded({ alg: 'HS256', kid, typ: 'at+jwt' })}.${(await forge({})).split('.')[1]}`;
        return `${text}.${createHmac('sha256', pem).update(text).digest('base64url')}`;
      },
    ],
    [
      'HS256 with the bytes of our public key as the secret',
      async () => {
        const { kid, publicJwk } = await serverKey();
        const text = `${encoded({ alg: 'HS256', kid, typ: 'at+jwt' })}.${(await forge({})).split('.')[1]}`;
        return `${text}.${createHmac('sha256', Buffer.from(String(publicJwk.x), 'base64url'))
          .update(text)
          .digest('base64url')}`;
      },
    ],
    [
      "another's key under our name for it",
      async () => {
        const { kid } = await serverKey();
        const { privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519' });
        const [, payload = ''] = (await forge({})).split('.');
        const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
        return await new SignJWT(claims)
          .setProtectedHeader({ alg: 'EdDSA', kid, typ: 'at+jwt' })
          .sign(privateKey);
      },
    ],
    [
      'a key that it brings along',
      async () => {
        const { privateKey, publicKey } = await generateKeyPair('EdDSA', {
          crv: 'Ed25519',
          extractable: true,
        });
        const [, payload = ''] = (await forge({})).split('.');
        const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
        const jwk = await exportJWK(publicKey);
        return await new SignJWT(claims)
          .setProtectedHeader({ alg: 'EdDSA', jwk, typ: 'at+jwt' })
          .sign(privateKey);
      },
    ],
    ['a name of no key of ours', () => forge({}, { header: { kid: 'other' } })],
    ['another type', () => forge({}, { header: { typ: 'JWT' } })],
    ['another issuer', () => forge({ iss: 'https://elsewhere.example' })],
    ['another audience', () => forge({ aud: 'elsewhere' })],
    ['an end in the past', () => forge({}, { exp: 1 })],
    ['a negative end', () => forge({}, { exp: -1 })],
    ['an end that is no number', () => forge({}, { exp: 'never' })],
    ['no end', () => forge({ exp: undefined } as JWTPayload, { exp: undefined })],
    ['no session', () => forge({ sid: undefined })],
    ['a session that is no id', () => forge({ sid: 'x' })],
    ['a key that is no id', () => forge({ cred: 'x' })],
    ['an actor that is no id', () => forge({ act: { sub: 'x', ver: 1 } })],
    ['another tenant', () => forge({ tenant: newId() })],
    ['another version', () => forge({ ver: 99 })],
    ["a key of somebody else's", async () => forge({ cred: (await someone('USER')).credentialId })],
    ['a sign-in that is too long ago', () => forge({ auth_time: Math.floor(Date.now() / 1000) - 7300 })],
    [
      'a changed payload',
      async () => {
        const [head, payload = '', signature] = (await forge({})).split('.');
        const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
        return `${head}.${encoded({ ...claims, exp: claims.exp + 1 })}.${signature}`;
      },
    ],
    [
      'a changed signature',
      async () => {
        const [head, payload, signature = ''] = (await forge({})).split('.');
        const first = signature.startsWith('A') ? 'B' : 'A';
        return `${head}.${payload}.${first}${signature.slice(1)}`;
      },
    ],
  ])('is refused: %s', async (_name, make) => {
    const token = await make();
    expect(await statusOf(`Bearer ${token}`)).toBe(401);
    const root = await someone('ROOT');
    expect((await validate(root.authorization, token)).valid).toBe(false);
  });
});

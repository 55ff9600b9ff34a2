/** Sets of keys through the API. */
import { compactVerify, exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { algorithmNames } from '../../src/key-sets/domain/algorithms.ts';
import { db } from '../../src/platform/database/client.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { statementsOf } from '../support/statements.ts';
import { newCaller, newTenant } from '../support/users.ts';

let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
});
afterAll(() => app.stop());

const keyFields = 'id kid alg use state publicJwk activatedAt retiredAt';
const setFields = `id name keys { ${keyFields} }`;
type Authorization = string | undefined;
const create = (input: object, authorization?: Authorization) =>
  mutate(
    app,
    'createJsonWebKeySet',
    input,
    `jsonWebKeySet { ${setFields} } jsonWebKey { ${keyFields} } privateJwk`,
    authorization,
  );
const updateSet = (input: object, authorization?: Authorization) =>
  mutate(app, 'updateJsonWebKeySet', input, `jsonWebKeySet { ${setFields} }`, authorization);
const updateKey = (input: object) => mutate(app, 'updateJsonWebKey', input, `jsonWebKey { ${keyFields} }`);
const rotate = (input: object, authorization?: Authorization) =>
  mutate(app, 'rotateJsonWebKeySet', input, `jsonWebKeySet { ${setFields} }`, authorization);
const exportKey = (input: object, authorization?: Authorization) =>
  mutate(app, 'exportJsonWebKey', input, 'privateJwk', authorization);
const removeKey = (input: object) => mutate(app, 'deleteJsonWebKey', input, 'deleted');
const removeSet = (set: string, authorization?: Authorization) =>
  mutate(app, 'deleteJsonWebKeySet', { set }, 'deletedKeys', authorization);
const read = async (name: string, authorization?: Authorization): Promise<Answer> =>
  (
    await app.ask(
      `query ($name: String) { jsonWebKeySet(by: { name: $name }) { ${setFields} } }`,
      { name },
      authorization,
    )
  ).data?.jsonWebKeySet;
const states = (set: Answer) => set.keys.map((key: Answer) => `${key.kid} ${key.state}`);
const named = (kid: string, alg = 'EdDSA') => ({ kid, alg, use: 'sig' });

/** A key as an operator would bring it. */
async function jwkOf(kid: string, alg = 'EdDSA'): Promise<JWK> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  return { ...(await exportJWK(privateKey)), ...named(kid, alg) };
}
const publicOf = ({ d: _d, ...jwk }: JWK): JWK => jwk;

describe('createJsonWebKeySet', () => {
  it.each(algorithmNames('sig'))('makes a key for %s whose private part is shown only here', async (alg) => {
    const made = await create({ set: `of ${alg}`, alg, kid: 'one' });
    expect(made.jsonWebKey).toMatchObject({ kid: 'one', alg, use: 'SIG', state: 'CURRENT' });
    const { publicJwk } = made.jsonWebKey;
    expect(Object.keys(publicJwk).filter((name) => 'd p q dp dq qi k'.split(' ').includes(name))).toEqual([]);
    const token = await new SignJWT({ a: 1 })
      .setProtectedHeader({ alg })
      .sign(await importJWK(made.privateJwk, alg));
    const verifying = alg.startsWith('HS') ? made.privateJwk : publicJwk;
    await expect(compactVerify(token, await importJWK(verifying, alg))).resolves.toBeDefined();
    expect(JSON.stringify(await read(`of ${alg}`))).not.toContain(made.privateJwk.d ?? made.privateJwk.k);
  });

  it.each(algorithmNames('enc'))('makes a key that encrypts with %s', async (alg) => {
    const made = await create({ set: 'secret', alg, use: 'ENC' });
    expect(made.jsonWebKey).toMatchObject({ alg, use: 'ENC', state: 'CURRENT' });
    expect(made.privateJwk.use).toBe('enc');
  });

  it('adds a key to a set: it is published, and the older one goes on signing', async () => {
    await create({ set: 'two', alg: 'EdDSA', kid: 'old' });
    const made = await create({ set: 'two', alg: 'EdDSA', kid: 'new' });
    expect(states(made.jsonWebKeySet)).toEqual(['new NEXT', 'old CURRENT']);
    const other = await create({ set: 'two', alg: 'ES256', kid: 'curve' });
    expect(states(other.jsonWebKeySet)).toEqual(['curve CURRENT', 'new NEXT', 'old CURRENT']);
  });

  it('chooses a kid if it gets none, or an empty one', async () => {
    const kids = [];
    for (const kid of [undefined, null, ''])
      kids.push((await create({ set: 'many', alg: 'EdDSA', kid })).jsonWebKey.kid);
    expect(new Set(kids).size).toBe(3);
    expect(kids.every((kid) => kid.length === 36)).toBe(true);
  });

  it('refuses a kid that the set has', async () => {
    await create({ set: 'twice', alg: 'EdDSA', kid: 'one' });
    const again = await create({ set: 'twice', alg: 'ES256', kid: 'one' });
    expect(again).toMatchObject({ code: 'ALREADY_EXISTS', path: ['input', 'kid'] });
    expect(states(await read('twice'))).toEqual(['one CURRENT']);
  });

  it.each([
    ['an unknown algorithm', { set: 'x', alg: 'none' }, 'alg'],
    ['an algorithm of the other use', { set: 'x', alg: 'RS256', use: 'ENC' }, 'alg'],
    ['an empty name', { set: '', alg: 'EdDSA' }, 'set'],
    ['a long name', { set: 'x'.repeat(256), alg: 'EdDSA' }, 'set'],
    ['a name with a control character', { set: 'a\nb', alg: 'EdDSA' }, 'set'],
    ['a name of the server', { set: 'slipway.mine', alg: 'EdDSA' }, 'set'],
    ['a long kid', { set: 'x', alg: 'EdDSA', kid: 'x'.repeat(256) }, 'kid'],
  ])('refuses %s', async (_what, input, field) => {
    const refused = await create(input);
    expect(refused.problems).toEqual([expect.objectContaining({ path: ['input', field] })]);
  });

  it('refuses the 101st key of a set', async () => {
    const keys = await Promise.all(Array.from({ length: 100 }, (_, at) => jwkOf(`k${at}`)));
    expect((await updateSet({ set: 'full', keys })).jsonWebKeySet.keys).toHaveLength(100);
    expect(await create({ set: 'full', alg: 'EdDSA' })).toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
    expect(await updateKey({ set: 'full', kid: 'x', key: await jwkOf('x') })).toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
    });
    expect(await updateSet({ set: 'full', keys: [...keys, await jwkOf('x')] })).toMatchObject({
      problems: [{ path: ['input', 'keys'] }],
    });
  });

  it('adds all keys that are created at the same time, and one of them signs', async () => {
    const all = Array.from({ length: 8 }, (_, at) => create({ set: 'at once', alg: 'EdDSA', kid: `${at}` }));
    await Promise.all(all);
    const { keys } = await read('at once');
    expect(keys).toHaveLength(8);
    expect(keys.filter(({ state }: Answer) => state === 'CURRENT')).toHaveLength(1);
  });
});

describe('the private part of a key', () => {
  it('is encrypted in the database', async () => {
    const { privateJwk, jsonWebKey } = await create({ set: 'sealed', alg: 'EdDSA' });
    const { privateJwkSealed } = await db.jsonWebKey.findUniqueOrThrow({ where: { id: jsonWebKey.id } });
    const stored = Buffer.from(privateJwkSealed ?? []).toString('latin1');
    expect(stored.length).toBeGreaterThan(100);
    expect(stored).not.toContain(privateJwk.d);
  });

  it('is shown by exportJsonWebKey, and the audit log says so', async () => {
    const { privateJwk, jsonWebKey } = await create({ set: 'exported', alg: 'ES256', kid: 'one' });
    const exported = await exportKey({ set: 'exported', kid: 'one' });
    expect(exported.privateJwk).toEqual(privateJwk);
    const events = await db.auditEvent.findMany({
      where: { targetId: jsonWebKey.id },
      orderBy: { id: 'asc' },
    });
    expect(events.map(({ action, outcome }) => `${action} ${outcome}`)).toEqual([
      'jsonWebKey:administer DONE',
      'jsonWebKey:export DONE',
    ]);
    expect(JSON.stringify(events)).not.toContain(privateJwk.d);
  });

  it('of a public key, of the server and of another tenant is not shown', async () => {
    await updateSet({ set: 'public', keys: [publicOf(await jwkOf('one'))] });
    expect(await exportKey({ set: 'public', kid: 'one' })).toMatchObject({ code: 'FAILED_PRECONDITION' });
    const [own] = (await read('slipway.access-token')).keys;
    expect(await exportKey({ set: 'slipway.access-token', kid: own.kid })).toMatchObject({
      code: 'FAILED_PRECONDITION',
    });
    const stranger = await newCaller({ role: 'ADMIN', tenantId: await newTenant('strangers') });
    await create({ set: 'ours', alg: 'EdDSA', kid: 'one' });
    expect(await exportKey({ set: 'ours', kid: 'one' }, stranger)).toMatchObject({ code: 'NOT_FOUND' });
    expect(await read('ours', stranger)).toBeNull();
    expect(await removeSet('ours', stranger)).toMatchObject({ deletedKeys: 0 });
    expect(await rotate({ set: 'ours' }, stranger)).toMatchObject({ code: 'NOT_FOUND' });
    expect(states(await read('ours'))).toEqual(['one CURRENT']);
  });
});

describe('updateJsonWebKeySet', () => {
  it('replaces all keys: the first of each algorithm is current', async () => {
    await create({ set: 'brought', alg: 'EdDSA', kid: 'gone' });
    const keys = [
      await jwkOf('a'),
      publicOf(await jwkOf('b', 'ES256')),
      await jwkOf('c'),
      await jwkOf('d', 'ES256'),
    ];
    const { jsonWebKeySet } = await updateSet({ set: 'brought', keys });
    expect(states(jsonWebKeySet)).toEqual(['a CURRENT', 'b CURRENT', 'c RETIRED', 'd RETIRED']);
    expect(jsonWebKeySet.keys[0].publicJwk).toEqual(publicOf(keys[0] as JWK));
    expect((await exportKey({ set: 'brought', kid: 'd' })).privateJwk).toEqual(keys[3]);
  });

  const secret = async (bytes: number) => ({ kty: 'oct', k: Buffer.alloc(bytes, 7).toString('base64url') });
  it.each<[string, () => Promise<unknown>, string[]]>([
    ['a text', async () => 'key', []],
    ['a list', async () => [], []],
    ['a key without kid', async () => ({ ...(await jwkOf('x')), kid: undefined }), ['kid']],
    ['a key without alg', async () => ({ ...(await jwkOf('x')), alg: undefined }), ['alg']],
    ['the algorithm none', async () => ({ ...(await jwkOf('x')), alg: 'none' }), ['alg']],
    ['another kty', async () => ({ ...(await jwkOf('x')), alg: 'RS256' }), ['kty']],
    ['another curve', async () => ({ ...(await jwkOf('x', 'ES256')), alg: 'ES384' }), ['crv']],
    ['another use', async () => ({ ...(await jwkOf('x')), use: 'enc' }), ['use']],
    ['numbers that are no key', async () => ({ ...(await jwkOf('x')), x: 'AAAA' }), []],
    ['the private part of another key', async () => ({ ...(await jwkOf('x')), d: (await jwkOf('y')).d }), []],
    ['a large key', async () => ({ ...(await jwkOf('x')), x5c: ['x'.repeat(16_384)] }), []],
    ['a short RSA key', shortRsaKey, []],
    ['a short secret', async () => ({ ...(await secret(31)), ...named('x', 'HS256') }), []],
  ])('refuses %s', async (_what, key, member) => {
    const refused = await updateSet({ set: 'refused', keys: [await key()] });
    expect(refused.problems).toEqual([expect.objectContaining({ path: ['input', 'keys', '0', ...member] })]);
    expect(await read('refused')).toBeNull();
  });

  it('accepts a secret of the least length', async () => {
    const key = { ...(await secret(32)), ...named('x', 'HS256') };
    const { jsonWebKeySet } = await updateSet({ set: 'shared', keys: [key] });
    expect(jsonWebKeySet.keys[0].publicJwk).toEqual({ kty: 'oct', ...named('x', 'HS256') });
  });

  it('refuses two keys with one kid, and names that are for the server', async () => {
    const keys = [await jwkOf('x'), await jwkOf('x', 'ES256')];
    expect((await updateSet({ set: 'refused', keys })).problems).toMatchObject([
      { path: ['input', 'keys', '1', 'kid'], code: 'DuplicateId' },
    ]);
    expect((await updateSet({ set: 'slipway.access-token', keys: [keys[0]] })).problems).toMatchObject([
      { path: ['input', 'set'] },
    ]);
  });
});

async function shortRsaKey() {
  const { generateKeyPairSync } = await import('node:crypto');
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
  return { ...privateKey.export({ format: 'jwk' }), ...named('x', 'RS256') };
}

describe('updateJsonWebKey', () => {
  it('adds a key, and replaces the key with its kid, which keeps its state', async () => {
    const [one, two] = [await jwkOf('one'), await jwkOf('two')];
    expect((await updateKey({ set: 'single', kid: 'one', key: one })).jsonWebKey.state).toBe('CURRENT');
    expect((await updateKey({ set: 'single', kid: 'two', key: two })).jsonWebKey.state).toBe('NEXT');
    const again = publicOf(await jwkOf('one'));
    const { jsonWebKey } = await updateKey({ set: 'single', kid: 'one', key: again });
    expect(jsonWebKey).toMatchObject({ state: 'CURRENT', publicJwk: again });
    expect(await exportKey({ set: 'single', kid: 'one' })).toMatchObject({ code: 'FAILED_PRECONDITION' });
  });

  it('gives a key of another algorithm the state of a new one', async () => {
    for (const kid of ['one', 'two']) await updateKey({ set: 'changed', kid, key: await jwkOf(kid) });
    const key = await jwkOf('two', 'ES256');
    expect((await updateKey({ set: 'changed', kid: 'two', key })).jsonWebKey.state).toBe('CURRENT');
    expect((await read('changed')).keys).toHaveLength(2);
  });

  it('refuses a key with another kid, and a set of the server', async () => {
    const key = await jwkOf('one');
    expect(await updateKey({ set: 'single', kid: 'other', key })).toMatchObject({ path: ['input', 'kid'] });
    expect(await updateKey({ set: 'slipway.access-token', kid: 'one', key })).toMatchObject({
      path: ['input', 'set'],
    });
  });
});

describe('rotateJsonWebKeySet', () => {
  it('lets the key sign that was published, retires the other one, and publishes a new one', async () => {
    await create({ set: 'turned', alg: 'EdDSA', kid: 'old' });
    await create({ set: 'turned', alg: 'EdDSA', kid: 'new' });
    const { jsonWebKeySet } = await rotate({ set: 'turned' });
    expect(states(jsonWebKeySet).slice(1)).toEqual(['new CURRENT', 'old RETIRED']);
    expect(jsonWebKeySet.keys[0].state).toBe('NEXT');
    const [next, current, retired] = jsonWebKeySet.keys;
    expect([next.activatedAt, next.retiredAt]).toEqual([null, null]);
    expect([current.activatedAt === null, current.retiredAt]).toEqual([false, null]);
    expect(retired.retiredAt).not.toBeNull();
  });

  it('chooses the key that was published first', async () => {
    for (const kid of ['old', 'first', 'second']) await create({ set: 'queue', alg: 'EdDSA', kid });
    const { jsonWebKeySet } = await rotate({ set: 'queue' });
    expect(states(jsonWebKeySet).slice(1)).toEqual(['second NEXT', 'first CURRENT', 'old RETIRED']);
  });

  it('only publishes a key if none waits', async () => {
    await create({ set: 'lonely', alg: 'EdDSA', kid: 'old' });
    const { jsonWebKeySet } = await rotate({ set: 'lonely' });
    expect(jsonWebKeySet.keys.map(({ state }: Answer) => state)).toEqual(['NEXT', 'CURRENT']);
    expect(jsonWebKeySet.keys[1].kid).toBe('old');
  });

  it('turns each algorithm, and keeps the newest retired keys', async () => {
    for (const alg of ['EdDSA', 'ES256']) await create({ set: 'both', alg });
    for (let turn = 0; turn < 4; turn += 1) await rotate({ set: 'both' });
    const before = (await read('both')).keys.filter(({ state }: Answer) => state === 'RETIRED');
    expect(before).toHaveLength(6);
    const { jsonWebKeySet } = await rotate({ set: 'both', keepRetired: 2 });
    const kept = jsonWebKeySet.keys.filter(({ state }: Answer) => state === 'RETIRED');
    expect(kept.map(({ alg }: Answer) => alg).sort()).toEqual(['ES256', 'EdDSA']);
    expect(before.map(({ kid }: Answer) => kid)).not.toContain(kept[0].kid);
  });

  it('leaves one key that signs if it is called several times at once', async () => {
    await create({ set: 'hurried', alg: 'EdDSA' });
    await Promise.all(Array.from({ length: 6 }, () => rotate({ set: 'hurried' })));
    const { keys } = await read('hurried');
    expect(keys.filter(({ state }: Answer) => state === 'CURRENT')).toHaveLength(1);
    expect(keys).toHaveLength(7);
  });

  it('refuses an absent set, an empty set and a negative number', async () => {
    expect(await rotate({ set: 'absent' })).toMatchObject({ code: 'NOT_FOUND', path: ['input', 'set'] });
    await updateSet({ set: 'empty', keys: [] });
    expect(await rotate({ set: 'empty' })).toMatchObject({ code: 'FAILED_PRECONDITION' });
    expect(await rotate({ set: 'empty', keepRetired: -1 })).toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

describe('deletions', () => {
  it('are repeatable', async () => {
    await create({ set: 'ending', alg: 'EdDSA', kid: 'one' });
    await create({ set: 'ending', alg: 'EdDSA', kid: 'two' });
    expect(await removeKey({ set: 'ending', kid: 'one' })).toMatchObject({ deleted: true });
    expect(await removeKey({ set: 'ending', kid: 'one' })).toMatchObject({ deleted: false });
    expect(await removeSet('ending')).toMatchObject({ deletedKeys: 1 });
    expect(await removeSet('ending')).toMatchObject({ deletedKeys: 0 });
    expect(await read('ending')).toBeNull();
    expect(await removeSet('')).toMatchObject({ code: 'INVALID_ARGUMENT', path: ['input', 'set'] });
    expect(await removeKey({ set: '', kid: 'one' })).toMatchObject({ path: ['input', 'set'] });
  });
});

describe('lookups', () => {
  it('find a set and a key by id and by name, also as nodes', async () => {
    const { jsonWebKeySet, jsonWebKey } = await create({ set: 'found', alg: 'EdDSA', kid: 'one' });
    const { data } = await app.ask(
      `query ($set: ID!, $key: ID!) {
         a: jsonWebKeySet(by: { id: $set }) { name } b: jsonWebKey(by: { id: $key }) { kid }
         c: jsonWebKey(by: { key: { set: "found", kid: "one" } }) { id } d: node(id: $set) { __typename }
         e: node(id: $key) { __typename }
       }`,
      { set: jsonWebKeySet.id, key: jsonWebKey.id },
    );
    expect(data).toEqual({
      a: { name: 'found' },
      b: { kid: 'one' },
      c: { id: jsonWebKey.id },
      d: { __typename: 'JsonWebKeySet' },
      e: { __typename: 'JsonWebKey' },
    });
  });

  it('take two statements, however many keys a set has', async () => {
    const keys = await Promise.all(Array.from({ length: 30 }, (_, at) => jwkOf(`k${at}`)));
    await updateSet({ set: 'large', keys });
    const count = async (name: string) => (await statementsOf(() => read(name))).statements.length;
    await create({ set: 'small', alg: 'EdDSA' });
    await count('small');
    expect([await count('small'), await count('large')]).toEqual([2, 2]);
  });
});

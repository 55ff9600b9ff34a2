import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { isSafeUrl } from '../../../src/platform/safe-url.ts';
import { parseIssuers } from '../../../src/sign-in/methods/issuers-file.ts';
import { OutsideIssuer, outsideBearer } from '../../../src/sign-in/methods/outside-bearer.ts';
import { Issuer } from '../../support/issuer.ts';

const parse = (...list: object[]) => parseIssuers(JSON.stringify(list), 'issuers.json');
const good = { issuer: 'https://id.example', audience: 'slipway', linkLocalUsers: true };

describe('the file of issuers', () => {
  it('has defaults for all fields except the issuer and its audience', () => {
    expect(parse(good)).toEqual([
      {
        ...good,
        algorithms: ['RS256', 'ES256', 'EdDSA', 'PS256'],
        tenant: 'default',
        usernameClaim: 'sub',
        scopesFromClaim: false,
        clockToleranceSeconds: 5,
      },
    ]);
    const { linkLocalUsers: _, ...creating } = { ...good, createUsers: { role: 'GUEST' } };
    expect(parse(creating)).toMatchObject([{ ...creating, linkLocalUsers: false }]);
  });

  const list = (length: number) => Array.from({ length }, (_, at) => `a${at}`);
  it.each<[bound: string, accepted: object, refused: object]>([
    ['groupsClaim', { groupsClaim: 'x'.repeat(100) }, { groupsClaim: 'x'.repeat(101) }],
    [
      'issuer',
      { issuer: `https://${'x'.repeat(492)}` },
      { issuer: `https://${'x'.repeat(493)}`, jwksUri: 'https://id.example/keys' },
    ],
    ['audience', { audience: list(20) }, { audience: list(21) }],
    ['clockToleranceSeconds', { clockToleranceSeconds: 60 }, { clockToleranceSeconds: 61 }],
    ['clockToleranceSeconds', { clockToleranceSeconds: 0 }, { clockToleranceSeconds: -1 }],
  ])('limits %s', (fault, accepted, refused) => {
    expect(parse({ ...good, ...accepted })).toMatchObject([accepted]);
    expect(() => parse({ ...good, ...refused })).toThrow(`0.${fault}: `);
  });

  it('has at most 50 issuers', () => {
    const issuers = (length: number) =>
      list(length).map((name) => ({ ...good, issuer: `https://${name}.example` }));
    expect(parse(...issuers(50))).toHaveLength(50);
    expect(() => parse(...issuers(51))).toThrow('issuers.json is wrong.\n  the list: ');
  });

  it('accepts an issuer with any name if it has the URL of its keys', () => {
    for (const issuer of ['accounts', 'http://id.example'])
      expect(parse({ ...good, issuer, jwksUri: 'https://id.example/keys' })).toMatchObject([{ issuer }]);
  });

  it.each<[fault: string, entry: object]>([
    ['audience', { issuer: good.issuer, linkLocalUsers: true }],
    ['audience', { ...good, anyAudience: true }],
    ['audience', { ...good, audience: [] }],
    ['anyAudience', { issuer: good.issuer, linkLocalUsers: true, anyAudience: false }],
    ['createUsers', { ...good, linkLocalUsers: false }],
    ['algorithms', { ...good, algorithms: ['HS256'] }],
    ['algorithms', { ...good, algorithms: ['none'] }],
    ['algorithms', { ...good, algorithms: [] }],
    ['jwksUri', { ...good, jwksUri: 'http://id.example/keys' }],
    ['jwksUri', { ...good, jwksUri: 'file:///etc/passwd' }],
    ['issuer', { ...good, issuer: 'http://id.example' }],
    ['issuer', { ...good, issuer: 'slipway', jwksUri: 'https://id.example/keys' }],
    ['clockToleranceSeconds', { ...good, clockToleranceSeconds: 61 }],
    ['createUsers.role', { ...good, createUsers: { role: 'ADMIN' } }],
    ['usernameClaim', { ...good, usernameClaim: 'nickname' }],
    ['0', { ...good, audiance: 'x' }],
  ])('is refused with the name of the wrong field: %s of %j', (fault, entry) => {
    expect(() => parse(entry)).toThrow(
      new RegExp(`issuers.json is wrong.\\s+(0\\.)?${fault.replace('.', '\\.')}`),
    );
  });

  it('is refused when it lists an issuer twice, is not JSON, or does not exist', async () => {
    expect(() => parse(good, good)).toThrow('twice');
    expect(() => parseIssuers('{', 'issuers.json')).toThrow('issuers.json is not valid JSON');
    await expect(outsideBearer('/no/such/file').prepare?.()).rejects.toMatchObject({
      name: 'ConfigurationError',
      message: expect.stringContaining('OIDC_ISSUERS_FILE'),
    });
  });
});

describe('isSafeUrl', () => {
  it.each([
    ['https://id.example/keys', true],
    ['http://localhost:8080/keys', true],
    ['http://127.0.0.1/keys', true],
    ['http://[::1]/keys', true],
    ['http://id.example/keys', false],
    ['http://127.0.0.1.evil.example/keys', false],
    ['http://169.254.169.254/keys', false],
    ['https://user:secret@id.example/keys', false],
    ['https://user@id.example/keys', false],
    ['https://:secret@id.example/keys', false],
    ['ftp://localhost/keys', false],
    ['ftp://id.example', false],
    ['keys', false],
  ])('of %s is %s', (url, expected) => {
    expect(isSafeUrl(url)).toBe(expected);
  });
});

describe('an issuer whose discovery document cannot be used', () => {
  let issuer: Issuer;
  beforeAll(async () => {
    issuer = await Issuer.start();
  });
  afterAll(() => issuer.close());

  const verdict = async () => {
    const [settings] = parse({ issuer: issuer.url, audience: 'slipway-test', linkLocalUsers: true });
    if (!settings) throw new Error('no settings');
    const outside = new OutsideIssuer(settings);
    const tokens = [await issuer.token({ sub: 'ada' }), await issuer.token({ sub: 'bob' })];
    return await Promise.all(tokens.map((token) => outside.verify(token).catch((error) => error.code)));
  };

  it.each<[name: string, document: (url: string) => object]>([
    ['of another issuer', (url) => ({ issuer: 'https://evil.example', jwks_uri: `${url}/keys` })],
    ['without keys', (url) => ({ issuer: url })],
    ['that leads over an open connection', (url) => ({ issuer: url, jwks_uri: 'http://id.example/keys' })],
  ])('is UNAVAILABLE, and asked once, when the document is one %s', async (_name, document) => {
    issuer.asked.length = 0;
    issuer.instead = (_request, response) => void response.end(JSON.stringify(document(issuer.url)));
    const fetching = vi.spyOn(globalThis, 'fetch');
    expect(await verdict()).toEqual(['UNAVAILABLE', 'UNAVAILABLE']);
    expect(fetching).toHaveBeenCalledOnce();
    fetching.mockRestore();
    expect(issuer.asked).toEqual(['/.well-known/openid-configuration']);
  });

  it('is asked once for the keys of many tokens', async () => {
    issuer.asked.length = 0;
    issuer.instead = null;
    expect(await verdict()).toMatchObject([{ username: 'ada' }, { username: 'bob' }]);
    expect(issuer.asked).toEqual(['/.well-known/openid-configuration', '/keys']);
  });
});

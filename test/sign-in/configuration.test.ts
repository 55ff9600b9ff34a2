import { afterEach, describe, expect, it, vi } from 'vitest';

afterEach(() => {
  vi.unstubAllEnvs();
  vi.resetModules();
});

/** The configuration of a server with these further variables. */
async function configOf(variables: Record<string, string>) {
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
  vi.resetModules();
  return (await import('../../src/platform/config/server.ts')).serverConfig;
}

const kerberos = {
  KERBEROS_SERVICE: 'HTTP@slipway.example',
  KERBEROS_KEYTAB: '/etc/slipway.keytab',
  KERBEROS_REALMS: 'EXAMPLE.COM, LAB.EXAMPLE.COM',
};

describe('the configuration of sign-in', () => {
  it('allows only own tokens, passwords and access keys by default', async () => {
    expect(await configOf({})).toMatchObject({
      oidcIssuersFile: undefined,
      kerberos: null,
      anonymous: null,
      trustedProxies: [],
      signInAttempts: { perAccount: 10, perAddress: 100, seconds: 300 },
    });
  });

  it('refuses Kerberos without its required variables', async () => {
    expect((await configOf(kerberos)).kerberos).toEqual({
      service: 'HTTP@slipway.example',
      keytab: '/etc/slipway.keytab',
      realms: ['EXAMPLE.COM', 'LAB.EXAMPLE.COM'],
      tenant: 'default',
      usernameSuffix: '',
      createUsers: null,
    });
    for (const missing of Object.keys(kerberos).slice(0, 2))
      await expect(configOf({ ...kerberos, [missing]: '' })).rejects.toThrow(
        'KERBEROS_SERVICE, KERBEROS_KEYTAB',
      );
    await expect(configOf({ ...kerberos, KERBEROS_REALMS: ',' })).rejects.toThrow('KERBEROS_REALMS');
    await expect(configOf({ ...kerberos, KERBEROS_SERVICE: 'HTTP/host@REALM' })).rejects.toThrow(
      'service@host',
    );
    await expect(configOf({ ...kerberos, KERBEROS_CREATE_USERS: 'ADMIN' })).rejects.toThrow(
      'KERBEROS_CREATE_USERS',
    );
  });

  it.each([
    ['10.0.0.0/8, 2001:db8::/32, 192.0.2.1', ['10.0.0.0/8', '2001:db8::/32', '192.0.2.1']],
    ['10.0.0.1/32, ::1/128', ['10.0.0.1/32', '::1/128']],
    ['2', 2],
  ])('accepts trusted proxies: %s', async (text, expected) => {
    expect((await configOf({ TRUSTED_PROXIES: text })).trustedProxies).toEqual(expected);
  });

  it.each(['proxy.example', '10.0.0.0/33', '::/129', '1.2.3.4/', '10.0.0.0/8/9', '1, 10.0.0.0/8', '10'])(
    'refuses trusted proxies: %s',
    async (text) => {
      await expect(configOf({ TRUSTED_PROXIES: text })).rejects.toThrow('TRUSTED_PROXIES');
    },
  );
});

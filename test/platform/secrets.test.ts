import { randomBytes, randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

const [one, two] = ['first-'.repeat(8), 'second-'.repeat(8)];

/** The module with other secrets, as in another process. */
async function underSecrets(...secrets: string[]) {
  vi.resetModules();
  process.env['SLIPWAY_SECRETS'] = secrets.join(',');
  return await import('../../src/platform/secrets.ts');
}

describe('secrets', () => {
  beforeEach(() => vi.resetModules());
  afterEach(() => vi.unstubAllEnvs());

  it('open what an older secret sealed after a new one was put first', async () => {
    const sealed = (await underSecrets(one)).seal('key', 'hello');
    expect((await underSecrets(two, one)).open('key', sealed)).toBe('hello');
    const { open } = await underSecrets(two);
    expect(() => open('key', sealed)).toThrow('cannot be decrypted');
  });

  it('tell whether a text needs an older secret', async () => {
    const sealed = (await underSecrets(one)).seal('key', 'hello');
    expect((await underSecrets(one, two)).isSealedWithFirst('key', sealed)).toBe(true);
    expect((await underSecrets(two, one)).isSealedWithFirst('key', sealed)).toBe(false);
  });

  it('refuse sealed text that was changed or sealed for another purpose', async () => {
    const { seal, open } = await underSecrets(one);
    const sealed = seal('key', 'hello');
    for (let index = 0; index < sealed.length; index += 1) {
      const changed = Buffer.from(sealed);
      changed[index] = (changed[index] ?? 0) ^ 1;
      expect(() => open('key', changed)).toThrow('cannot be decrypted');
    }
    expect(() => open('other', sealed)).toThrow('cannot be decrypted');
    expect(seal('key', 'hello').equals(sealed)).toBe(false);
  });

  it('sign for one purpose, and each secret in the list verifies', async () => {
    const signature = (await underSecrets(one)).sign('url', 'text');
    const { isSignature } = await underSecrets(two, one);
    expect(isSignature('url', 'text', signature)).toBe(true);
    expect(isSignature('url', 'texT', signature)).toBe(false);
    expect(isSignature('other', 'text', signature)).toBe(false);
    expect(isSignature('url', 'text', '')).toBe(false);
  });

  it.each([
    'a'.repeat(32),
    'password'.repeat(4),
    'correct-horse-'.repeat(3),
    '12345678901234567890123456789012',
    '0123456789abcdefghijklmnopqrstuvwxyz',
    'SLIPWAY_SECRETS_SLIPWAY_SECRETS_',
  ])('are refused in production when they are easy to guess: %s', async (secret) => {
    expect((await underSecrets(secret)).requiredSecrets()).toEqual([secret]);
    vi.stubEnv('NODE_ENV', 'production');
    const { requiredSecrets } = await underSecrets(randomBytes(24).toString('base64'), secret);
    expect(requiredSecrets).toThrow(
      /^SLIPWAY_SECRETS: secret 2 is easy to guess, because it repeats itself\. Make one with: node -p "/,
    );
    const alone = await underSecrets(secret);
    expect(alone.requiredSecrets).toThrow('secret 1 is easy to guess');
  });

  it.each([
    ['33 characters of 4 kinds', 'akuabbabaabubbuaaubauauubuuakbbkb', true],
    ['the same without the last one', 'akuabbabaabubbuaaubauauubuuakbbk', false],
    ['33 characters with three that come again', 'akuabbkabaabubbuaaubauauubuuakbbk', false],
    ['33 characters with three that count up', 'uabcuuauucuaauacucauccubuubaubcaa', false],
  ])('need 66 bits that cannot be told from the characters before: %s', async (_what, secret, isEnough) => {
    vi.stubEnv('NODE_ENV', 'production');
    const { requiredSecrets } = await underSecrets(secret);
    if (isEnough) expect(requiredSecrets()).toEqual([secret]);
    else expect(requiredSecrets).toThrow('easy to guess');
  });

  it('open and verify what earlier releases have sealed and signed', async () => {
    const { open, isSignature } = await underSecrets(one);
    const sealed = Buffer.from('0185f14333b5ff21a0dc408b79de98830c6e0c7e1c40a60dfc3445824b59ab675357', 'hex');
    expect(open('key', sealed)).toBe('hello');
    expect(isSignature('url', 'text', 'NKH4NQ135NS7mpfwVb2XOIcpNAaiD4k_UmBTRK1mq8M')).toBe(true);
  });

  it('are accepted in production when they are random, in any notation', async () => {
    vi.stubEnv('NODE_ENV', 'production');
    for (let tries = 0; tries < 200; tries += 1) {
      const bytes = randomBytes(16);
      const digits = Array.from(randomBytes(32), (byte) => byte % 10).join('');
      const secrets = [bytes.toString('hex'), randomBytes(24).toString('base64url'), digits, randomUUID()];
      expect((await underSecrets(...secrets)).requiredSecrets()).toEqual(secrets);
    }
  });

  it('are required and have a minimum length', async () => {
    for (const [secrets, message] of [
      [[], 'required'],
      [['short'], 'fewer than 32'],
    ] as const) {
      const { requiredSecrets } = await underSecrets(...secrets);
      expect(requiredSecrets).toThrow(message);
    }
  });
});

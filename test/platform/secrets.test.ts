import { beforeEach, describe, expect, it, vi } from 'vitest';

const [one, two] = ['first-'.repeat(8), 'second-'.repeat(8)];

/** The module under other secrets, as another process would have it. */
async function underSecrets(...secrets: string[]) {
  vi.resetModules();
  process.env['SLIPWAY_SECRETS'] = secrets.join(',');
  return await import('../../src/platform/secrets.ts');
}

describe('secrets', () => {
  beforeEach(() => vi.resetModules());

  it('open what the first of them sealed, also after another was put in front', async () => {
    const sealed = (await underSecrets(one)).seal('key', 'hello');
    expect((await underSecrets(two, one)).open('key', sealed)).toBe('hello');
    const { open } = await underSecrets(two);
    expect(() => open('key', sealed)).toThrow('cannot be opened');
  });

  it('open nothing that was changed, nor for another purpose', async () => {
    const { seal, open } = await underSecrets(one);
    const sealed = seal('key', 'hello');
    for (let index = 0; index < sealed.length; index += 1) {
      const changed = Buffer.from(sealed);
      changed[index] = (changed[index] ?? 0) ^ 1;
      expect(() => open('key', changed)).toThrow('cannot be opened');
    }
    expect(() => open('other', sealed)).toThrow('cannot be opened');
    expect(seal('key', 'hello').equals(sealed)).toBe(false);
  });

  it('sign for one purpose, and every one of them verifies', async () => {
    const signature = (await underSecrets(one)).sign('url', 'text');
    const { isSignature } = await underSecrets(two, one);
    expect(isSignature('url', 'text', signature)).toBe(true);
    expect(isSignature('url', 'texT', signature)).toBe(false);
    expect(isSignature('other', 'text', signature)).toBe(false);
    expect(isSignature('url', 'text', '')).toBe(false);
  });

  it('are required, and long', async () => {
    for (const [secrets, message] of [
      [[], 'required'],
      [['short'], 'shorter than 32'],
    ] as const) {
      const { requiredSecrets } = await underSecrets(...secrets);
      expect(requiredSecrets).toThrow(message);
    }
  });
});

/** The nonces of DPoP: RFC 9449 §8. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { stopClocks } from '../support/clock.ts';

const [one, two] = ['first-'.repeat(8), 'second-'.repeat(8)];

/** The module with other secrets, as on another server. */
async function underSecrets(...secrets: string[]) {
  vi.resetModules();
  vi.stubEnv('SLIPWAY_SECRETS', secrets.join(','));
  return await import('../../src/sign-in/proofs/nonces.ts');
}

beforeEach(() => {
  stopClocks('Date');
  vi.setSystemTime(new Date('2026-01-01T12:00:30Z'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.resetModules();
});

describe('a nonce', () => {
  it('is accepted by all servers while a secret is replaced, and not after that', async () => {
    const old = await underSecrets(one);
    const nonce = old.currentNonce();
    expect(old.isNonce(nonce)).toBe(true);
    const between = await underSecrets(two, one);
    expect([between.isNonce(nonce), (await underSecrets(one, two)).isNonce(between.currentNonce())]).toEqual([
      true,
      true,
    ]);
    expect((await underSecrets(two)).isNonce(nonce)).toBe(false);
  });

  it.each([
    ['2026-01-01T11:58:59Z', false],
    ['2026-01-01T11:59:00Z', true],
    ['2026-01-01T12:03:59Z', true],
    ['2026-01-01T12:04:00Z', false],
  ])('that was made at 12:00:30 is valid at %s: %s', async (now, isValid) => {
    const { currentNonce, isNonce } = await underSecrets(one);
    const nonce = currentNonce();
    vi.setSystemTime(new Date(now));
    expect(isNonce(nonce)).toBe(isValid);
  });

  it('changes with each minute, and has only characters that RFC 9449 allows', async () => {
    const { currentNonce } = await underSecrets(one);
    const nonce = currentNonce();
    expect(nonce).toMatch(/^[\x21\x23-\x5B\x5D-\x7E]+$/);
    vi.setSystemTime(new Date('2026-01-01T12:00:59Z'));
    expect(currentNonce()).toBe(nonce);
    vi.setSystemTime(new Date('2026-01-01T12:01:00Z'));
    expect(currentNonce()).not.toBe(nonce);
  });

  it('cannot be invented, and not be made younger', async () => {
    const { currentNonce, isNonce } = await underSecrets(one);
    const [minute = '', signature = ''] = currentNonce().split('.');
    const next = `${Number(minute) + 1}.${signature}`;
    for (const nonce of ['', '.', minute, `${minute}.`, `.${signature}`, next, `NaN.${signature}`, 'banana'])
      expect(isNonce(nonce), nonce).toBe(false);
  });
});

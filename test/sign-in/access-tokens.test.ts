import { describe, expect, it, vi } from 'vitest';
import { hasEnded, sessionEnd, type TokenClaims } from '../../src/sign-in/access-tokens.ts';
import { stopClocks } from '../support/clock.ts';

const signedInAt = new Date('2026-01-01T00:00:00.000Z');
const end = sessionEnd(signedInAt);
const justBefore = (instant: Date) => new Date(instant.getTime() - 1);

describe('a token', () => {
  it.each([
    ['its time is over', justBefore(end), justBefore(end)],
    ['the time of its sign-in is over', new Date(end.getTime() + 60_000), end],
  ])('has ended when %s, and not a millisecond earlier', (_when, expiresAt, endsAt) => {
    stopClocks('Date');
    const claims = { signedInAt, expiresAt } as TokenClaims;
    vi.setSystemTime(justBefore(endsAt));
    expect(hasEnded(claims)).toBe(false);
    vi.setSystemTime(endsAt);
    expect(hasEnded(claims)).toBe(true);
  });
});

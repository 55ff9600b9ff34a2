import { describe, expect, it, vi } from 'vitest';
import { newId } from '../../src/platform/ids.ts';
import {
  hasEnded,
  issueToken,
  readToken,
  sessionEnd,
  type TokenClaims,
} from '../../src/sign-in/access-tokens.ts';
import { stopClocks } from '../support/clock.ts';
import { newTenant } from '../support/users.ts';

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

  it('says everything that it was issued for, also that it may do nothing', async () => {
    const tenantId = await newTenant('default');
    const claims = {
      ...{ tenantId, userId: newId(), version: 3, credentialId: newId(), signedInAt },
      ...{ vouchedUntil: end, expiresAt: justBefore(end), actor: { userId: newId(), version: 7 } },
      ...{ scopes: ['project:list', 'queue:read'], clientId: 'web', keyThumbprint: 'thumbprint' },
      confinedTo: [{ type: 'PROJECT', id: newId() }],
    } as const;
    const nothing = { credentialId: null, vouchedUntil: null, actor: null, scopes: null, confinedTo: null };
    const isOfLogin = { clientId: null, keyThumbprint: null };
    for (const given of [
      claims,
      { ...claims, ...nothing, ...isOfLogin },
      { ...claims, scopes: [], confinedTo: [] },
    ]) {
      const { token, sessionId } = await issueToken(given);
      const expiresAt = new Date(end.getTime() - 1000);
      expect(await readToken(token)).toEqual({ ...given, expiresAt, sessionId });
    }
  });
});

/** The rules about access keys that need no database. */
import { describe, expect, it } from 'vitest';
import type { Role } from '../../src/generated/prisma/enums.ts';
import { mayActAs, mayManageKeys } from '../../src/identity/domain/acting.ts';
import { credentialProblems, latestEnd } from '../../src/identity/domain/credentials.ts';
import { newAccessKey, newPassword, newSecretKey } from '../../src/identity/domain/secrets.ts';

const now = new Date('2026-01-01T00:00:00.000Z');
const later = (ms: number) => new Date(now.getTime() + ms);

describe('an access key', () => {
  const problems = (wanted: object) =>
    credentialProblems({ label: null, expiresAt: null, scopes: null, ...wanted }, now).map(({ path }) =>
      path.join('.'),
    );

  it.each([
    ['no limits at all', {}],
    ['a label of 255 characters', { label: 'x'.repeat(255) }],
    ['an end in a millisecond', { expiresAt: later(1) }],
    ['50 scopes', { scopes: Array(50).fill('*:read') }],
  ])('may have %s', (_what, wanted) => {
    expect(problems(wanted)).toEqual([]);
  });

  it.each([
    ['a label of 256 characters', { label: 'x'.repeat(256) }],
    ['a line break in the label', { label: 'a\nb' }],
    ['an end that is now', { expiresAt: now }],
    ['51 scopes', { scopes: Array(51).fill('*:read') }],
  ])('may not have %s', (_what, wanted) => {
    expect(problems(wanted)).toEqual([`input.${Object.keys(wanted)[0]}`]);
  });
});

describe('the latest end of a new access key', () => {
  const signIn = { userId: 'me', credentialId: null, real: null, expiresAt: later(1), vouchedUntil: null };
  it.each([
    ['none for a sign-in with a password', {}, 'me', null],
    ['the end of the access key that makes it', { credentialId: 'key' }, 'me', later(1)],
    ['the end of the sign-in that acts as the user', { real: {} }, 'me', later(1)],
    ['the end of the outside token', { vouchedUntil: later(2) }, 'me', later(2)],
    ['none for the key of another user', { vouchedUntil: later(2) }, 'other', null],
    ['the earlier of two', { credentialId: 'key', vouchedUntil: later(2) }, 'me', later(1)],
    [
      'the earlier of two',
      { credentialId: 'key', expiresAt: later(3), vouchedUntil: later(2) },
      'me',
      later(2),
    ],
    ['none for a key without an end', { credentialId: 'key', expiresAt: null }, 'me', null],
  ])('is %s', (_what, by, owner, end) => {
    expect(latestEnd({ ...signIn, ...by }, owner)).toEqual(end);
  });
});

const at = (role: Role, tenantId = 'home') => ({ role, tenantId });

describe('acting as a user', () => {
  it.each([
    [at('ADMIN'), at('USER'), true],
    [at('ADMIN'), at('ADMIN'), true],
    [at('ADMIN'), at('SYSTEM'), false],
    [at('ADMIN'), at('USER', 'away'), false],
    [at('SUPERUSER'), at('GUEST'), false],
    [at('SYSTEM'), at('ADMIN'), true],
    [at('SYSTEM'), at('USER', 'away'), false],
    [at('ROOT'), at('ROOT'), true],
    [at('ROOT'), at('USER', 'away'), true],
  ])('is for administrators, of users who are not above them: %o as %o is %s', (caller, user, may) => {
    expect(mayActAs(caller, user)).toBe(may);
  });
});

describe('the access keys of another user', () => {
  it.each([
    ['a user below', at('ADMIN'), at('USER'), null, true],
    ['an executor', at('ADMIN'), at('SYSTEM'), ['executor'], true],
    ['an executor and an engine', at('ADMIN'), at('SYSTEM'), ['executor', 'engine'], true],
    ['an executor that may do more', at('ADMIN'), at('SYSTEM'), ['executor', 'project:read'], false],
    ['a service without limits', at('ADMIN'), at('SYSTEM'), null, false],
    ['an executor of another tenant', at('ADMIN'), at('SYSTEM', 'away'), ['executor'], false],
    ['an executor, by nobody of rank', at('SUPERUSER'), at('SYSTEM'), ['executor'], false],
    ['a user above who is no service', at('ADMIN'), at('ROOT'), ['executor'], false],
  ])(
    'may be managed by administrators, and above them only to run work: %s',
    (_what, caller, owner, scopes, may) => {
      expect(mayManageKeys(caller, owner, scopes)).toBe(may);
    },
  );
});

describe('secrets', () => {
  it('have forms that people and programs can tell apart', () => {
    for (let count = 0; count < 50; count += 1) {
      expect(newAccessKey()).toMatch(/^[A-Z0-9]{30}$/);
      expect(newSecretKey()).toMatch(/^[A-Za-z0-9][\w-]{66}$/);
      expect(newPassword()).toMatch(/^[A-Za-z0-9]{5}(-[A-Za-z0-9]{5}){3}$/);
    }
  });

  it('are different each time', () => {
    for (const make of [newAccessKey, newSecretKey, newPassword])
      expect(new Set(Array.from({ length: 50 }, make)).size).toBe(50);
  });
});

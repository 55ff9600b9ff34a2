import { describe, expect, it, vi } from 'vitest';
import { type FirstSecrets, firstStart } from '../../src/identity/commands/first-start.ts';
import { hashPassword, isPassword } from '../../src/identity/passwords.ts';
import { db } from '../../src/platform/database/client.ts';

vi.mock('../../src/identity/passwords.ts', { spy: true });

describe('the first start', () => {
  it('refuses a user name that cannot be used to sign in', async () => {
    for (const name of ['a:b', ' admin', 'A'.repeat(30)])
      await expect(firstStart(name, async () => {})).rejects.toThrow('SLIPWAY_ADMIN_USERNAME');
    expect(await db.tenant.count()).toBe(0);
  });

  it('creates one administrator when several servers start at the same time', async () => {
    const handed: FirstSecrets[] = [];
    const start = () => firstStart('admin', async (secrets) => void handed.push(secrets));
    const did = await Promise.all(Array.from({ length: 8 }, start));
    expect(did.filter(Boolean)).toHaveLength(1);
    expect(handed).toHaveLength(1);
    expect(hashPassword).toHaveBeenCalledTimes(1);
    expect(await db.tenant.count()).toBe(1);
    expect(await db.group.count({ where: { isEveryone: true } })).toBe(1);
    const people = await db.user.findMany({ where: { kind: 'PERSON' } });
    expect(people).toMatchObject([{ username: 'admin', role: 'ADMIN' }]);
    const password = handed[0]?.administrator.password ?? '';
    expect(password.length).toBeGreaterThanOrEqual(20);
    expect(await isPassword(password, people[0]?.passwordHash ?? null)).toBe(true);
    for (const guess of ['', 'admin', 'password', 'password1234'])
      expect(await isPassword(guess, people[0]?.passwordHash ?? null)).toBe(false);
  });

  it('changes nothing on a later start, and hashes no password', async () => {
    const before = await db.user.findMany({ orderBy: { id: 'asc' } });
    vi.mocked(hashPassword).mockClear();
    expect(await firstStart('another', async () => {})).toBe(false);
    expect(await db.user.findMany({ orderBy: { id: 'asc' } })).toEqual(before);
    expect(hashPassword).not.toHaveBeenCalled();
  });
});

/** When and from where access keys were used, without waiting for a minute. */
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { flushKeyUses, noteKeyUse } from '../../src/sign-in/key-uses.ts';
import { stopClocks } from '../support/clock.ts';
import { newTenant, newUser } from '../support/users.ts';

beforeAll(() => newTenant('default'));

const newKeyId = async () => (await newUser()).credentialId;
async function lastUse(credentialId: string) {
  await flushKeyUses();
  const { lastUsedAt, lastUsedFrom } = await db.credential.findUniqueOrThrow({ where: { id: credentialId } });
  return { lastUsedAt, lastUsedFrom };
}

describe('a use of an access key', () => {
  it('is recorded again after a minute, and not before', async () => {
    stopClocks('Date');
    const id = await newKeyId();
    const [first, late] = [new Date(), new Date(Date.now() + 60_000)];
    noteKeyUse(id, 'first');
    vi.setSystemTime(late.getTime() - 1);
    noteKeyUse(id, 'too early');
    expect(await lastUse(id)).toEqual({ lastUsedAt: first, lastUsedFrom: 'first' });
    vi.setSystemTime(late);
    noteKeyUse(id, 'late enough');
    expect(await lastUse(id)).toEqual({ lastUsedAt: late, lastUsedFrom: 'late enough' });
  });

  it.each([
    ['x'.repeat(255), 'x'.repeat(255)],
    ['x'.repeat(256), 'x'.repeat(255)],
    ['a\u0000b\u001bc\ud800', 'abc'],
    [null, null],
  ])('is recorded with where it came from, in a form that can be stored %#', async (from, stored) => {
    const id = await newKeyId();
    noteKeyUse(id, from);
    expect((await lastUse(id)).lastUsedFrom).toBe(stored);
  });

  it.each([
    [9999, 'here'],
    [10_000, null],
  ])('that comes after %s others in one moment is recorded: %s', async (others, expected) => {
    stopClocks('setTimeout', 'clearTimeout');
    await flushKeyUses();
    const id = await newKeyId();
    for (let at = 0; at < others; at += 1) noteKeyUse(newId(), null);
    noteKeyUse(id, 'here');
    expect((await lastUse(id)).lastUsedFrom).toBe(expected);
  });
});

/** What a server deletes by itself while it runs. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { type App, startApp } from '../support/app.ts';
import { eventually } from '../support/seed.ts';
import { homeTenant } from '../support/users.ts';

const TEN_MINUTES = 10 * 60_000;

let app: App;
beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  app = await startApp({ scheduler: false });
});
afterAll(async () => {
  await app.stop();
  vi.useRealTimers();
});

describe('a server', () => {
  it('deletes used proofs every ten minutes, when they are too old to be used again', async () => {
    const tenantId = await homeTenant();
    const proof = (id: number, expiresAt: Date) => ({ idHash: Buffer.alloc(32, id), tenantId, expiresAt });
    const valid = proof(2, new Date(Date.now() + 60_000));
    await db.usedProof.createMany({ data: [proof(1, new Date(Date.now() - 1000)), valid] });
    const kept = async () => (await db.usedProof.findMany()).map(({ idHash }) => Buffer.from(idHash));
    expect(await kept()).toHaveLength(2);
    vi.advanceTimersByTime(TEN_MINUTES);
    expect(await eventually(kept, (proofs) => proofs.length === 1)).toEqual([valid.idHash]);
  });

  it('deletes ended sessions every ten minutes, when their tokens have expired', async () => {
    const { id: userId } = await db.user.findFirstOrThrow({ where: { username: 'admin' } });
    const tenantId = await homeTenant();
    const session = (expiresAt: Date) => ({ sessionId: newId(), tenantId, userId, expiresAt });
    const expired = session(new Date(Date.now() - 1000));
    const valid = session(new Date(Date.now() + 3_600_000));
    await db.revokedSession.createMany({ data: [expired, valid] });
    const kept = async () => (await db.revokedSession.findMany()).map(({ sessionId }) => sessionId).sort();

    vi.advanceTimersByTime(TEN_MINUTES - 1);
    // Any statement that the server has begun is over before the next answer.
    await app.ask('{ viewer { id } }');
    expect(await kept()).toEqual([expired.sessionId, valid.sessionId].sort());

    vi.advanceTimersByTime(1);
    expect(await eventually(kept, (ids) => ids.length === 1)).toEqual([valid.sessionId]);
  });
});

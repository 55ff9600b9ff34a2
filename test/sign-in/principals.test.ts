/** What is remembered of sign-ins, where a change comes in the middle of reading one. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { accessFeed } from '../../src/authorization/feed.ts';
import { newId } from '../../src/platform/ids.ts';
import { findPrincipal, type SignInKey } from '../../src/sign-in/principals.ts';
import { type NewKey, newKey, newTenant } from '../support/credentials.ts';
import { changeUser } from '../support/users.ts';

/** What was read is held back until the gate opens. */
const reading = vi.hoisted(() => ({ count: 0, gate: Promise.resolve() }));
vi.mock('../../src/sign-in/store/principals.ts', async (importOriginal) => {
  const original = await importOriginal<typeof import('../../src/sign-in/store/principals.ts')>();
  return {
    ...original,
    readPrincipals: async (...key: Parameters<typeof original.readPrincipals>) => {
      reading.count += 1;
      const { gate } = reading;
      const read = await original.readPrincipals(...key);
      await gate;
      return read;
    },
  };
});

let stopFeed: () => Promise<void>;
let tenantId: string;
beforeAll(async () => {
  stopFeed = await accessFeed.start();
  tenantId = await newTenant('default');
});
afterAll(() => stopFeed());

const keyOf = ({ userId, credentialId }: NewKey): SignInKey => ({
  userId,
  credentialId,
  sessionId: null,
  version: null,
});

function closeGate(): () => void {
  let open = () => {};
  reading.gate = new Promise((resolve) => {
    open = resolve;
  });
  return open;
}

const user = () => newKey({ role: 'USER', tenantId });

describe('what is remembered of a sign-in', () => {
  it('is read once, and again after a change', async () => {
    const made = await user();
    const key = keyOf(made);
    await accessFeed.catchUp();
    reading.count = 0;
    await findPrincipal(key);
    await findPrincipal(key);
    expect(reading.count).toBe(1);
    await changeUser(made.username, { role: 'GUEST' });
    expect((await findPrincipal(key))?.role).toBe('GUEST');
    expect(reading.count).toBe(2);
  });

  it('is not what was read before a change and came after it', async () => {
    const made = await user();
    const open = closeGate();
    const early = findPrincipal(keyOf(made));
    // Read by then, and on its way.
    await vi.waitFor(() => expect(reading.count).toBeGreaterThan(0));
    await new Promise((resolve) => setTimeout(resolve, 100));
    await changeUser(made.username, { disabledAt: new Date() });
    const joined = findPrincipal(keyOf(made));
    open();
    expect((await early)?.userId).toBe(made.userId);
    expect(await joined).toBeNull();
    expect(await findPrincipal(keyOf(made))).toBeNull();
  });

  it('only ever says yes: a version that it does not know is asked of the database', async () => {
    const made = await user();
    const key = keyOf(made);
    await findPrincipal(key);
    await accessFeed.catchUp();
    reading.count = 0;
    expect((await findPrincipal({ ...key, version: 1 }))?.version).toBe(1);
    expect(reading.count).toBe(0);
    expect(await findPrincipal({ ...key, version: 2 })).toBeNull();
    expect(reading.count).toBe(1);
  });

  it('is not used for another session, nor once its access key has expired', async () => {
    const made = await user();
    const key = keyOf(made);
    await findPrincipal(key);
    reading.count = 0;
    await findPrincipal({ ...key, sessionId: newId() });
    expect(reading.count).toBe(1);
    const expiresAt = new Date(Date.now() + 3_600_000);
    await changeUser(made.username, { credentials: { updateMany: { where: {}, data: { expiresAt } } } });
    expect(await findPrincipal(key)).toMatchObject({ credentialExpiresAt: expiresAt });
    vi.useFakeTimers({ toFake: ['Date'], now: expiresAt });
    expect(await findPrincipal(key)).toBeNull();
    vi.useRealTimers();
  });

  it('is not used while the feed is not running', async () => {
    const made = await user();
    await findPrincipal(keyOf(made));
    await stopFeed();
    reading.count = 0;
    await findPrincipal(keyOf(made));
    await findPrincipal(keyOf(made));
    expect(reading.count).toBe(2);
    stopFeed = await accessFeed.start();
    await accessFeed.catchUp();
    await findPrincipal(keyOf(made));
    await findPrincipal(keyOf(made));
    expect(reading.count).toBe(3);
  });
});

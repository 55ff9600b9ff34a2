/** The cache of sign-ins, when a change comes in the middle of a read. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { accessFeed } from '../../src/authorization/feed.ts';
import { db } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { findAccessKey, findPrincipal, type SignInKey } from '../../src/sign-in/principals.ts';
import { stopClocks } from '../support/clock.ts';
import { countStatements, holdAnswers } from '../support/statements.ts';
import { changeUser, newKey, newTenant, newUser, type User } from '../support/users.ts';
import { eventually } from '../support/waiting.ts';

let stopFeed: () => Promise<void>;
let tenantId: string;
beforeAll(async () => {
  stopFeed = await accessFeed.start();
  tenantId = await newTenant('default');
});
afterAll(() => stopFeed());

const keyOf = ({ id: userId, credentialId }: User): SignInKey => ({
  userId,
  credentialId,
  sessionId: null,
  version: null,
});

/** The statement that reads the user of a sign-in. */
const reading = /^select account\.id as "userId"/;

/** How often the database was read. */
async function readsOf(work: () => Promise<unknown>): Promise<number> {
  const { statements } = await countStatements(work);
  return statements.filter((text) => reading.test(text)).length;
}

const user = () => newUser({ role: 'USER', tenantId });

describe('the cache of a sign-in', () => {
  it('is read once, and again after a change', async () => {
    const made = await user();
    const key = keyOf(made);
    await accessFeed.catchUp();
    const twice = async () => [await findPrincipal(key), await findPrincipal(key)];
    expect(await readsOf(twice)).toBe(1);
    await changeUser(made.username, { role: 'GUEST' });
    expect(await readsOf(twice)).toBe(1);
    expect((await findPrincipal(key))?.role).toBe('GUEST');
  });

  it('does not keep a row that was read before a change and arrived after it', async () => {
    const made = await user();
    const answers = holdAnswers(reading);
    const early = findPrincipal(keyOf(made));
    await eventually(
      () => answers.held,
      (held) => held === 1,
    );
    await changeUser(made.username, { disabledAt: new Date() });
    const joined = findPrincipal(keyOf(made));
    answers.release();
    expect((await early)?.userId).toBe(made.id);
    expect(await joined).toBeNull();
    expect(await findPrincipal(keyOf(made))).toBeNull();
  });

  it('asks the database about a version that it does not know', async () => {
    const made = await user();
    const key = keyOf(made);
    await findPrincipal(key);
    await accessFeed.catchUp();
    const withVersion = (version: number) => async () => {
      expect((await findPrincipal({ ...key, version }))?.version).toBe(version === 1 ? 1 : undefined);
    };
    expect(await readsOf(withVersion(1))).toBe(0);
    expect(await readsOf(withVersion(2))).toBe(1);
  });

  it('is forgotten with a change however often it was read before, for each key of its user', async () => {
    const made = await user();
    const keys = [keyOf(made), keyOf({ ...made, ...(await newKey(made)) })];
    for (const key of keys) {
      await findPrincipal(key);
      // Read again, because the cached version does not fit.
      await findPrincipal({ ...key, version: 99 });
    }
    await changeUser(made.username, { role: 'GUEST' });
    for (const key of keys) expect((await findPrincipal(key))?.role).toBe('GUEST');
  });

  it('is not shared by a sign-in with another version at the same time', async () => {
    const key = keyOf(await user());
    const answers = holdAnswers(reading);
    const both = [findPrincipal({ ...key, version: 1 }), findPrincipal({ ...key, version: 2 })];
    await eventually(
      () => answers.held,
      (held) => held > 0,
    );
    answers.release();
    const [fits, other] = await Promise.all(both);
    expect([fits?.version, other]).toEqual([1, null]);
  });

  it('is separate for each access key of a user', async () => {
    const made = await user();
    const other = await newKey(made);
    const [one, two] = [keyOf(made), keyOf({ ...made, ...other })];
    await db.credential.update({ where: { id: other.credentialId }, data: { revokedAt: new Date() } });
    expect((await findPrincipal(one))?.userId).toBe(made.id);
    expect(await findPrincipal(two)).toBeNull();
  });

  it('is not used for another session, nor once its access key has expired', async () => {
    const made = await user();
    const key = keyOf(made);
    await findPrincipal(key);
    expect(await readsOf(() => findPrincipal({ ...key, sessionId: newId() }))).toBe(1);
    const expiresAt = new Date(Date.now() + 3_600_000);
    await changeUser(made.username, { credentials: { updateMany: { where: {}, data: { expiresAt } } } });
    expect(await findPrincipal(key)).toMatchObject({ credentialExpiresAt: expiresAt });
    stopClocks('Date');
    vi.setSystemTime(expiresAt);
    expect(await findPrincipal(key)).toBeNull();
  });

  it('is not used while the feed is not running', async () => {
    const made = await user();
    await findPrincipal(keyOf(made));
    await stopFeed();
    const twice = async () => [await findPrincipal(keyOf(made)), await findPrincipal(keyOf(made))];
    expect(await readsOf(twice)).toBe(2);
    stopFeed = await accessFeed.start();
    await accessFeed.catchUp();
    expect(await readsOf(twice)).toBe(1);
  });
});

describe('the default level of a sign-in', () => {
  it.each([
    ['EDIT', 'USE', 'EDIT', 'USER'],
    [null, 'USE', 'USE', 'TENANT'],
    ['EDIT', null, 'EDIT', 'USER'],
    [null, null, 'NO_PERMISSIONS', 'SERVER'],
  ] as const)('of the user %s and the tenant %s is %s, from the %s', async (own, ofTenant, level, from) => {
    const home = await newTenant(`default ${own} ${ofTenant}`);
    await db.tenant.update({ where: { id: home }, data: { defaultLevel: ofTenant } });
    const made = await newUser({ level: own, tenantId: home });
    expect(await findPrincipal(keyOf(made))).toMatchObject({ defaultLevel: level, defaultFrom: from });
  });
});

describe('findAccessKey', () => {
  const anySecret = () => true;
  const statementsFor = async (count: number) => {
    const accessKeys = Array.from({ length: count }, newId);
    const ask = () => Promise.all(accessKeys.map((accessKey) => findAccessKey(accessKey, anySecret)));
    return (await countStatements(ask)).statements.length;
  };

  it('reads up to a hundred keys that are asked for at the same time with one statement', async () => {
    expect([await statementsFor(100), await statementsFor(101)]).toEqual([1, 2]);
  });

  it('finds a key that was created after somebody had asked for it', async () => {
    const made = await user();
    const accessKey = 'LATER'.repeat(6);
    expect(await findAccessKey(accessKey, anySecret)).toEqual({ key: null, isRight: false });
    await db.credential.update({ where: { id: made.credentialId }, data: { accessKey } });
    expect(await findAccessKey(accessKey, () => false)).toMatchObject({
      ...{ key: { userId: made.id }, isRight: false },
    });
    expect(await findAccessKey(accessKey, anySecret)).toMatchObject({ key: { accessKey }, isRight: true });
  });
});

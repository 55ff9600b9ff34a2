/** What remains of a sign-in while a subscription or a long poll goes on. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Role } from '../../src/generated/prisma/enums.ts';
import type { Caller } from '../../src/platform/caller.ts';
import { db } from '../../src/platform/database/client.ts';
import { authenticate } from '../../src/sign-in/authenticate.ts';
import { login } from '../../src/sign-in/commands/login.ts';
import { reauthenticated } from '../../src/sign-in/reauthenticate.ts';
import { type App, basic, startApp } from '../support/app.ts';
import { stopClocks } from '../support/clock.ts';
import { changeUser, newUser, type User } from '../support/users.ts';

let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
});
afterAll(() => app.stop());

async function callerOf(authorization: string, headers: Record<string, string> = {}): Promise<Caller> {
  const request = {
    headers: { authorization, ...headers },
    address: null,
    publicUrl: app.url,
    connection: {},
  };
  const caller = await authenticate(request);
  if (!caller) throw new Error('nobody');
  return caller;
}

/** A token that is valid for so long. */
async function tokenFor(caller: Caller, seconds: number): Promise<string> {
  const { token } = await login(caller, { expiresInMs: seconds * 1000, resources: null });
  return `Bearer ${token}`;
}

const ended = { code: 'UNAUTHENTICATED' };

/** What the caller is at that time. */
async function at(time: Date, caller: Caller): Promise<Caller> {
  stopClocks('Date');
  vi.setSystemTime(time);
  return await reauthenticated(caller);
}
const justBefore = (time: Date) => new Date(time.getTime() - 1);

async function expireKey({ credentialId, username }: User, expiresAt: Date | null): Promise<void> {
  await db.credential.update({ where: { id: credentialId }, data: { expiresAt } });
  await changeUser(username, {});
}

describe('a sign-in by token', () => {
  it('goes on until the token ends', async () => {
    const { username } = await newUser({ password: 'the password of all' });
    const caller = await callerOf(await tokenFor(await callerOf(basic(username, 'the password of all')), 60));
    if (!caller.expiresAt) throw new Error('it does not end');
    expect(await at(justBefore(caller.expiresAt), caller)).toMatchObject({ expiresAt: caller.expiresAt });
    await expect(at(caller.expiresAt, caller)).rejects.toMatchObject(ended);
  });

  it('of an outside issuer, which has no session, goes on until the token ends', async () => {
    const { username } = await newUser({ password: 'the password of all' });
    const expiresAt = new Date(Date.now() + 60_000);
    const caller = { ...(await callerOf(basic(username, 'the password of all'))), expiresAt };
    expect(caller.sessionEndsAt).toBeNull();
    await at(justBefore(expiresAt), caller);
    await expect(at(expiresAt, caller)).rejects.toMatchObject(ended);
  });

  it('of an access key goes on until the token ends, however late the key ends', async () => {
    const user = await newUser();
    const caller = await callerOf(await tokenFor(await callerOf(user.authorization), 60));
    const end = caller.sessionEndsAt ?? new Date();
    await expireKey(user, new Date(end.getTime() + 60_000));
    expect(await at(justBefore(end), caller)).toMatchObject({ expiresAt: end });
    await expect(at(end, caller)).rejects.toMatchObject(ended);
  });

  it('of an access key ends with the key, if that is earlier', async () => {
    const user = await newUser();
    const caller = await callerOf(await tokenFor(await callerOf(user.authorization), 60));
    const early = new Date(Date.now() + 30_000);
    await expireKey(user, early);
    expect(await reauthenticated(caller)).toMatchObject({ expiresAt: early });
    await expect(at(early, caller)).rejects.toMatchObject(ended);
  });
});

describe('a sign-in by access key', () => {
  it('has no end if its key has none', async () => {
    const { authorization } = await newUser();
    expect(await reauthenticated(await callerOf(authorization))).toMatchObject({ expiresAt: null });
  });

  it('goes on after its first end when the key was extended', async () => {
    const user = await newUser();
    const first = new Date(Date.now() + 60_000);
    await expireKey(user, first);
    const caller = await callerOf(user.authorization);
    expect(caller.expiresAt).toEqual(first);
    const second = new Date(first.getTime() + 60_000);
    await expireKey(user, second);
    expect(await at(first, caller)).toMatchObject({ expiresAt: second });
  });
});

describe('a sign-in by password', () => {
  it('goes on with what its user is now, until the user is disabled', async () => {
    const { username } = await newUser({ password: 'the password of all' });
    const caller = await callerOf(basic(username, 'the password of all'));
    await changeUser(username, { role: 'SUPERUSER', defaultLevel: 'EDIT' });
    expect(await reauthenticated(caller)).toMatchObject({
      ...{ role: 'SUPERUSER', defaultLevel: 'EDIT', defaultFrom: 'USER', expiresAt: null },
    });
    await changeUser(username, { disabledAt: new Date() });
    await expect(reauthenticated(caller)).rejects.toMatchObject(ended);
  });
});

describe('a caller who acts as another user', () => {
  const headers = {
    'x-slipway-impersonate-as': 'the role of the user',
    'x-slipway-act-as': "the administrator's own role",
  } as const;

  it.each(Object.entries(headers))('by %s has %s, as it is now', async (header) => {
    const [admin, user] = [await newUser({ role: 'ADMIN' }), await newUser({ role: 'USER' })];
    const caller = await callerOf(admin.authorization, { [header]: user.id });
    await changeUser(user.username, { role: 'SUPERUSER' });
    await changeUser(admin.username, { role: 'SYSTEM' });
    const role: Role = header === 'x-slipway-act-as' ? 'SYSTEM' : 'SUPERUSER';
    expect(await reauthenticated(caller)).toMatchObject({ userId: user.id, role, real: { role: 'SYSTEM' } });
  });

  it.each<[name: string, change: (admin: User, user: User) => Promise<unknown>]>([
    ['the administrator is disabled', (admin) => changeUser(admin.username, { disabledAt: new Date() })],
    ['the administrator is none any more', (admin) => changeUser(admin.username, { role: 'SUPERUSER' })],
    ['the user gets a higher role', (_admin, user) => changeUser(user.username, { role: 'ROOT' })],
    ['the user is disabled', (_admin, user) => changeUser(user.username, { disabledAt: new Date() })],
    ['the key of the administrator ends', (admin) => expireKey(admin, new Date(Date.now() - 1000))],
  ])('is signed out when %s', async (_name, change) => {
    const [admin, user] = [await newUser({ role: 'ADMIN' }), await newUser({ role: 'USER' })];
    const made = await app.ask(
      `mutation { createTokenForUser(input: { user: { id: "${user.id}" } }) { ... on CreateTokenForUserPayload { token } } }`,
      {},
      admin.authorization,
    );
    const token = `Bearer ${made.data.createTokenForUser.token}`;
    const callers = [
      await callerOf(token),
      await callerOf(admin.authorization, { 'x-slipway-act-as': user.id }),
    ];
    for (const caller of callers) expect(await reauthenticated(caller)).toMatchObject({ userId: user.id });
    await change(admin, user);
    for (const caller of callers) await expect(reauthenticated(caller)).rejects.toMatchObject(ended);
    await expect(callerOf(token)).rejects.toMatchObject(ended);
  });

  it('with a token has the role of the user, and ends with the key of the administrator', async () => {
    const [admin, user] = [await newUser({ role: 'ADMIN' }), await newUser({ role: 'USER' })];
    const early = new Date(Date.now() + 30_000);
    await expireKey(admin, early);
    const made = await app.ask(
      `mutation { createTokenForUser(input: { user: { id: "${user.id}" }, expiresIn: "PT10S" }) { ... on CreateTokenForUserPayload { token } } }`,
      {},
      admin.authorization,
    );
    const caller = await callerOf(`Bearer ${made.data.createTokenForUser.token}`);
    expect(caller).toMatchObject({ role: 'USER', expiresAt: caller.sessionEndsAt });
    const sooner = new Date(Date.now() + 5000);
    await expireKey(admin, sooner);
    expect(await reauthenticated(caller)).toMatchObject({ role: 'USER', expiresAt: sooner });
    expect(await callerOf(`Bearer ${made.data.createTokenForUser.token}`)).toMatchObject({
      expiresAt: sooner,
    });
  });
});

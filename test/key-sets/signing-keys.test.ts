/** The keys of the server itself: they turn without a restart, and no token is refused because of it. */
import { decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type App, basic, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { type SecondServer, startSecondServer } from '../support/second-server.ts';
import { letKeysAge } from '../support/signing-keys.ts';
import { newCaller, newTenant, tokenOf } from '../support/users.ts';

let app: App;
let other: SecondServer;
let user: string;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  user = await newCaller();
  other = await startSecondServer();
});
afterAll(async () => {
  await other.stop();
  await app.stop();
});

const set = 'slipway.access-token';
const turn = (authorization?: string) =>
  mutate(app, 'rotateJsonWebKeySet', { set }, 'jsonWebKeySet { keys { kid state } }', authorization);
const kidOf = (authorization: string) => decodeProtectedHeader(authorization.replace('Bearer ', '')).kid;
async function keyIn(state: string): Promise<string> {
  const { data } = await app.ask(
    `{ jsonWebKeySet(by: { name: "${set}" }) { keys { kid state } } }`,
    {},
    password(),
  );
  return data.jsonWebKeySet.keys.find((key: Answer) => key.state === state).kid;
}
/** The administrator's password, which no key of the server can end. */
const password = () => {
  const { username, password: secret } = app.secrets.administrator;
  return basic(username, secret);
};
/** The status at both servers. */
const statuses = async (authorization: string) => [
  (await app.ask('{ viewer { id } }', {}, authorization)).status,
  await other.statusFor(authorization),
];

describe('the keys that sign access tokens', () => {
  it('turn while tokens are issued, and both servers accept every token at once', async () => {
    const tokens = [await tokenOf(app, user)];
    for (let turns = 0; turns < 3; turns += 1) {
      const next = await keyIn('NEXT');
      await letKeysAge();
      expect((await turn(password())).__typename).toBe('RotateJsonWebKeySetPayload');
      const token = await tokenOf(app, user);
      expect(kidOf(token)).toBe(next);
      tokens.push(token);
      for (const one of tokens) expect(await statuses(one)).toEqual([200, 200]);
    }
    expect(new Set(tokens.map(kidOf)).size).toBe(4);
  });

  it('do not turn to a key that another server may not know yet', async () => {
    await letKeysAge();
    expect((await turn(password())).__typename).toBe('RotateJsonWebKeySetPayload');
    const current = await keyIn('CURRENT');
    expect(await turn(password())).toMatchObject({ code: 'FAILED_PRECONDITION' });
    expect(await keyIn('CURRENT')).toBe(current);
    expect(kidOf(await tokenOf(app, user))).toBe(current);
  });

  it('are replaced by the published one when the current one is deleted', async () => {
    const token = await tokenOf(app, user);
    const [current, next] = [await keyIn('CURRENT'), await keyIn('NEXT')];
    const { deleted } = await mutate(app, 'deleteJsonWebKey', { set, kid: current }, 'deleted', password());
    expect(deleted).toBe(true);
    expect((await app.ask('{ viewer { id } }', {}, token)).status).toBe(401);
    expect(kidOf(await tokenOf(app, user))).toBe(next);
    expect(await keyIn('NEXT')).not.toBe(next);
  });

  it('are new when the whole set is deleted', async () => {
    const [token, current] = [await tokenOf(app, user), await keyIn('CURRENT')];
    await mutate(app, 'deleteJsonWebKeySet', { set }, 'deletedKeys', password());
    expect((await app.ask('{ viewer { id } }', {}, token)).status).toBe(401);
    expect(kidOf(await tokenOf(app, user))).not.toBe(current);
  });

  it('are not for administrators of other tenants', async () => {
    const stranger = await newCaller({ role: 'ADMIN', tenantId: await newTenant('strangers') });
    const current = await keyIn('CURRENT');
    expect(await turn(stranger)).toMatchObject({ code: 'NOT_FOUND' });
    const input = { set, kid: current };
    const { deleted } = await mutate(app, 'deleteJsonWebKey', input, 'deleted', stranger);
    expect(deleted).toBe(false);
    expect(await keyIn('CURRENT')).toBe(current);
  });
});

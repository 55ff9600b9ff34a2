/** Whose access keys a caller may see and change, and for how long the keys may live. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newAccessKey } from '../../src/identity/domain/secrets.ts';
import { storeKeyUses } from '../../src/identity/store/access-keys.ts';
import { db } from '../../src/platform/database/client.ts';
import { askAlike } from '../support/alike.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { answerOf, mutate } from '../support/mutate.ts';
import { statementsOf } from '../support/statements.ts';
import { newTenant, newUser, type User } from '../support/users.ts';

let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
});
afterAll(() => app.stop());

const create = (input: object, authorization?: string) =>
  mutate(app, 'createCredentials', input, 'credential { id }', authorization);
const edit = (accessKey: string, expiresAt: Date, authorization?: string) =>
  mutate(app, 'editCredentials', { by: { accessKey }, expiresAt }, 'credential { expiresAt }', authorization);
const revoke = (accessKey: string, authorization: string) =>
  mutate(app, 'revokeCredentials', { by: { accessKey } }, 'revoked', authorization);
async function list(variables: object, authorization?: string): Promise<Answer> {
  const document = `query ($user: UserByInput, $withRevoked: Boolean) {
    credentials(user: $user, withRevoked: $withRevoked) { totalCount nodes { accessKey } } }`;
  const answer = answerOf(await app.ask(document, variables, authorization));
  return answer.nodes?.map(({ accessKey }: Answer) => accessKey) ?? answer.code;
}

describe('a user', () => {
  it('may name itself by id and by name', async () => {
    const { id, username, accessKey, authorization } = await newUser();
    for (const user of [{ id }, { username: username.toUpperCase() }]) {
      expect(await list({ user }, authorization)).toEqual([accessKey]);
      expect(await create({ user, label: 'x' }, authorization)).toMatchObject({ credential: {} });
      await db.credential.deleteMany({ where: { userId: id, label: 'x' } });
    }
  });

  it('sees revoked keys only if it asks for them, and null does not ask', async () => {
    const { accessKey, authorization } = await newUser();
    await create({ label: 'other' }, authorization);
    const [other] = await list({}, authorization);
    await revoke(other, authorization);
    expect(await list({ withRevoked: null }, authorization)).toEqual([accessKey]);
    expect(await list({ withRevoked: true }, authorization)).toEqual([other, accessKey]);
  });

  it('whose id cannot be one is NOT_FOUND, as is a user of another tenant', async () => {
    const stranger = await newUser({ tenantId: await newTenant('strangers') });
    for (const user of [{ id: 'no id' }, { id: stranger.id }]) {
      expect(await list({ user })).toBe('NOT_FOUND');
      expect(await create({ user })).toMatchObject({ code: 'NOT_FOUND', path: ['input', 'user'] });
    }
  });

  it('who is disabled gets no new keys', async () => {
    const { id } = await newUser();
    await db.user.update({ where: { id }, data: { disabledAt: new Date() } });
    expect(await create({ user: { id } })).toMatchObject({
      ...{ code: 'FAILED_PRECONDITION', path: ['input', 'user'] },
    });
  });
});

describe('a key that is out of reach', () => {
  const ways: readonly [string, (accessKey: string, authorization: string) => Promise<Answer>][] = [
    ['revokeCredentials', revoke],
    ['editCredentials', (accessKey, by) => edit(accessKey, new Date(Date.now() + 60_000), by)],
  ];

  it.each(ways)(
    'takes the statements of a key that does not exist, and no lock: %s',
    async (_name, change) => {
      const elsewhere = await newUser({ tenantId: await newTenant(`elsewhere ${_name}`) });
      const cases: readonly [caller: User, key: User][] = [
        [await newUser(), await newUser()],
        [await newUser({ role: 'ADMIN' }), elsewhere],
      ];
      for (const [{ authorization }, { accessKey }] of cases) {
        const answer = await askAlike((key) => change(key, authorization), [accessKey, newAccessKey()]);
        expect(answer).toMatchObject({ code: 'NOT_FOUND' });
        const { statements } = await statementsOf(() => change(accessKey, authorization));
        expect(statements.filter((text) => /\bfor (no key )?(update|share)\b/i.test(text))).toEqual([]);
      }
    },
  );
});

describe('ROOT', () => {
  it('sees and ends the keys of users of every tenant', async () => {
    const { authorization } = await newUser({ role: 'ROOT' });
    const tenantId = await newTenant('governed');
    const { id, username, accessKey } = await newUser({ tenantId });
    for (const user of [{ id }, { username: `governed/${username}` }])
      expect(await list({ user }, authorization)).toEqual([accessKey]);
    expect(await revoke(accessKey, authorization)).toMatchObject({ revoked: 1 });
  });
});

describe('an access key', () => {
  it('keeps its last use for a minute, and is seen to be used again after that', async () => {
    const { credentialId } = await newUser();
    const first = new Date('2026-01-01T00:00:00.000Z');
    const used = async (ms: number, from: string) => {
      await storeKeyUses([{ credentialId, at: new Date(first.getTime() + ms), from }]);
      return (await db.credential.findUniqueOrThrow({ where: { id: credentialId } })).lastUsedFrom;
    };
    expect(await used(0, 'first')).toBe('first');
    expect(await used(59_999, 'too early')).toBe('first');
    expect(await used(60_000, 'second')).toBe('second');
  });

  it('may end earlier than it did or at the same time, but not extend its own life', async () => {
    const { accessKey, authorization } = await newUser();
    const end = new Date(Date.now() + 3_600_000);
    const at = (ms: number) => new Date(end.getTime() + ms);
    await edit(accessKey, end);
    const change = (expiresAt: Date) => edit(accessKey, expiresAt, authorization);
    expect(await change(at(1))).toMatchObject({ code: 'PERMISSION_DENIED' });
    expect(await change(end)).toMatchObject({ credential: { expiresAt: end.toISOString() } });
    expect(await change(at(-1))).toMatchObject({ credential: { expiresAt: at(-1).toISOString() } });
  });
});

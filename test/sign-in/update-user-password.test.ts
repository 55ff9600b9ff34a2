import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { type Answer, type App, basic, startApp } from '../support/app.ts';
import { createUser, password, updateUserPassword, viewerOf } from '../support/people.ts';
import { newCaller } from '../support/users.ts';

let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
});
afterAll(() => app.stop());

let made = 0;
const person = (input: object = {}) =>
  createUser(app, { username: `person-${++made}`, password, ...input }).then(({ user }) => user);
const asPerson = ({ username }: Answer) => basic(username, password);
const fresh = 'quite another one';

describe('updateUserPassword', () => {
  it('requires the current password for the own user, and ends the old password and old tokens at once', async () => {
    const user = await person();
    const self = asPerson(user);
    const login = await app.ask('mutation { login { ... on LoginPayload { token } } }', {}, self);
    const token = `Bearer ${login.data.login.token}`;
    expect(await viewerOf(app, token)).toMatchObject({ id: user.id });
    const answer = await updateUserPassword(app, { password: fresh, currentPassword: password }, token);
    expect(answer).toMatchObject({ user: { id: user.id } });
    for (const old of [token, self]) expect(await viewerOf(app, old)).toBeNull();
    expect(await viewerOf(app, basic(user.username, fresh))).toMatchObject({ id: user.id });
  });

  it.each([
    ['no current one', { password: fresh }, 'currentPassword'],
    ['a wrong current one', { password: fresh, currentPassword: 'not the one at all' }, 'currentPassword'],
    ['the old one as the new one', { password, currentPassword: password }, 'password'],
    ['one that is too short', { password: 'eleven char', currentPassword: password }, 'password'],
  ])('refuses the own user with %s', async (_what, input, field) => {
    const user = await person();
    for (const by of [undefined, { id: user.id }, { username: user.username.toUpperCase() }])
      expect(await updateUserPassword(app, { ...input, by }, asPerson(user))).toMatchObject({
        problems: [{ path: ['input', field] }],
      });
    expect(await viewerOf(app, asPerson(user))).toMatchObject({ id: user.id });
  });

  it('requires an administrator for other users, and no current password', async () => {
    const user = await person();
    const by = { id: user.id };
    const same = await updateUserPassword(app, { by, password });
    expect(same).toEqual({ __typename: 'UpdateUserPasswordPayload', user: { id: user.id } });
    const wrong = { by, password: fresh, currentPassword: 'not the one at all' };
    expect(await updateUserPassword(app, wrong)).toEqual(same);
    expect(await viewerOf(app, basic(user.username, fresh))).toMatchObject({ id: user.id });
    expect(await updateUserPassword(app, { by, password: 'short' })).toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  it('refuses other callers, whether the user exists or not', async () => {
    const user = await person();
    for (const role of ['SUPERUSER', 'USER'] as const)
      for (const by of [{ id: user.id }, { username: 'nobody' }])
        expect(
          await updateUserPassword(
            app,
            { by, password: fresh, currentPassword: password },
            await newCaller({ role }),
          ),
        ).toMatchObject({ code: 'PERMISSION_DENIED', refused: expect.any(String) });
    expect(await updateUserPassword(app, { by: { username: 'nobody' }, password: fresh })).toMatchObject({
      code: 'NOT_FOUND',
    });
    const root = await viewerOf(app, await newCaller({ role: 'ROOT' }));
    expect(await updateUserPassword(app, { by: { id: root.id }, password: fresh })).toMatchObject({
      code: 'PERMISSION_DENIED',
    });
  });

  it('refuses service accounts, and users without a password', async () => {
    const robot = (await createUser(app, { username: 'robot', kind: 'SERVICE_ACCOUNT' })).user;
    expect(await updateUserPassword(app, { by: { id: robot.id }, password: fresh })).toMatchObject({
      code: 'FAILED_PRECONDITION',
    });
    const keyed = await newCaller({ role: 'USER' });
    const own = { password: fresh, currentPassword: password };
    expect(await updateUserPassword(app, own, keyed)).toMatchObject({ code: 'FAILED_PRECONDITION' });
  });

  it('sets one of two passwords that a user sends at the same time', async () => {
    const user = await person();
    const wanted = Array.from({ length: 6 }, (_, at) => `the new password ${at}`);
    const answers = await Promise.all(
      wanted.map((one) =>
        updateUserPassword(app, { password: one, currentPassword: password }, asPerson(user)),
      ),
    );
    const set = wanted.filter((_, at) => answers[at].user);
    expect(set).toHaveLength(1);
    expect(await viewerOf(app, basic(user.username, set[0] ?? ''))).toMatchObject({ id: user.id });
  });

  it('is recorded in the audit log without either password', async () => {
    const user = await person();
    await updateUserPassword(app, { by: { id: user.id }, password: fresh });
    const rows = await db.auditEvent.findMany({
      where: { targetId: user.id, action: 'user:changePassword' },
    });
    expect(rows).toHaveLength(1);
    expect(JSON.stringify(rows)).not.toMatch(/quite another|twelve chars|argon2/);
  });
});

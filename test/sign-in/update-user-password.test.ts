import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Prisma } from '../../src/generated/prisma/client.ts';
import { db } from '../../src/platform/database/client.ts';
import { type Answer, type App, basic, startApp } from '../support/app.ts';
import { createUser, password, updateUserPassword, viewerOf } from '../support/people.ts';
import { newCaller, newUser } from '../support/users.ts';
import { overtaken } from '../support/waiting.ts';

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

  it('refuses a sign-in with scopes for other users, and accepts it for the own user', async () => {
    const scopes = ['user:changePassword', 'user:administer'];
    const admin = await newUser({ role: 'ADMIN', scopes, password });
    expect(
      await updateUserPassword(
        app,
        { by: { id: (await person()).id }, password: fresh },
        admin.authorization,
      ),
    ).toMatchObject({ code: 'PERMISSION_DENIED', refused: expect.any(String) });
    const own = { password: fresh, currentPassword: password };
    expect(await updateUserPassword(app, own, admin.authorization)).toMatchObject({ user: { id: admin.id } });
  });

  it('asks a caller who acts as another user for the current password of its own user', async () => {
    const [root, admin] = [await newUser({ role: 'ROOT', password }), await newUser({ role: 'ADMIN' })];
    const ask = async (currentPassword: string | null) => {
      const response = await fetch(`${app.url}/graphql`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          authorization: root.authorization,
          'x-slipway-impersonate-as': admin.id,
        },
        body: JSON.stringify({
          query: `mutation ($input: UpdateUserPasswordInput!) {
            updateUserPassword(input: $input) { __typename ... on Error { code } } }`,
          variables: { input: { by: { id: root.id }, password: fresh, currentPassword } },
        }),
      });
      return (await response.json()).data.updateUserPassword;
    };
    expect(await ask(null)).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(await ask(password)).toEqual({ __typename: 'UpdateUserPasswordPayload' });
  });

  const raised = { role: 'ROOT' } as const;
  it.each<[name: string, meanwhile: Prisma.UserUpdateInput | null, answer: { own: object; other: object }]>([
    ['gets a higher role', raised, { own: { user: {} }, other: { code: 'PERMISSION_DENIED' } }],
    [
      'becomes a service account',
      { kind: 'SERVICE_ACCOUNT' },
      { own: { code: 'FAILED_PRECONDITION' }, other: { code: 'FAILED_PRECONDITION' } },
    ],
    [
      'gets another password',
      { passwordHash: 'x' },
      { own: { code: 'FAILED_PRECONDITION' }, other: { user: {} } },
    ],
    ['is deleted', null, { own: { code: 'UNAUTHENTICATED' }, other: { code: 'NOT_FOUND' } }],
  ])('decides about the user as it is when the password is set: it %s', async (_name, change, answer) => {
    for (const who of ['own', 'other'] as const) {
      const { id, username } = await person();
      const authorization = who === 'own' ? basic(username, password) : app.admin;
      await viewerOf(app, authorization);
      const input = { by: { id }, password: fresh, currentPassword: password };
      const ended = await overtaken(
        () => updateUserPassword(app, input, authorization),
        (tx) => tx.$queryRaw`select from users where id = ${id}::uuid for update`,
        (tx) =>
          change ? tx.user.update({ where: { id }, data: change }) : tx.user.delete({ where: { id } }),
      );
      expect([who, ended]).toMatchObject([who, answer[who]]);
    }
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

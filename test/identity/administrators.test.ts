/** Nobody locks itself out, and every tenant keeps somebody who administers it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { type App, startApp } from '../support/app.ts';
import { answerOf } from '../support/mutate.ts';
import { deleteUser, editUser, updateUserAdmin, viewerOf } from '../support/people.ts';
import { newCaller, newTenant, newUser } from '../support/users.ts';

let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
});
afterAll(() => app.stop());

let made = 0;

/** A separate tenant with administrators who sign in with access keys. */
async function tenantWith(administrators: number): Promise<{ callers: string[]; ids: string[] }> {
  const tenantId = await newTenant(`guarded-${++made}`);
  const callers: string[] = [];
  for (let at = 0; at < administrators; at += 1) callers.push(await newCaller({ role: 'ADMIN', tenantId }));
  const ids = await Promise.all(callers.map(async (caller) => (await viewerOf(app, caller)).id));
  return { callers, ids };
}

const activeAdministrators = (ids: readonly string[]) =>
  db.user.count({ where: { id: { in: [...ids] }, role: 'ADMIN', disabledAt: null } });

describe('administrators', () => {
  it('cannot demote, disable or delete themselves', async () => {
    const { callers, ids } = await tenantWith(2);
    const by = { id: ids[0] };
    const [caller] = callers;
    for (const answer of [
      await editUser(app, { by, role: 'USER' }, caller),
      await editUser(app, { by, disabled: true }, caller),
      await updateUserAdmin(app, { by, isAdmin: false }, caller),
      await deleteUser(app, { by }, caller),
    ])
      expect(answer).toMatchObject({ __typename: 'FailedPreconditionError' });
    expect(await editUser(app, { by, role: 'ADMIN', disabled: false }, caller)).toMatchObject({ updated: 0 });
    expect(await activeAdministrators(ids)).toBe(2);
  });

  it('always include at least one: the last one cannot be removed, not even by ROOT', async () => {
    const { ids } = await tenantWith(2);
    const root = await newCaller({ role: 'ROOT' });
    const [one, last] = ids;
    expect(await editUser(app, { by: { id: one }, disabled: true }, root)).toMatchObject({ updated: 1 });
    for (const answer of [
      await editUser(app, { by: { id: last }, role: 'USER' }, root),
      await editUser(app, { by: { id: last }, disabled: true }, root),
      await updateUserAdmin(app, { by: { id: last }, isAdmin: false }, root),
      await deleteUser(app, { by: { id: last } }, root),
    ])
      expect(answer).toMatchObject({ code: 'FAILED_PRECONDITION', message: expect.stringContaining('last') });
    // A disabled administrator does not count, so it may be deleted.
    expect(await deleteUser(app, { by: { id: one } }, root)).toMatchObject({ user: { id: one } });
  });

  it.each([
    ['demote', (by: object, caller?: string) => editUser(app, { by, role: 'USER' }, caller)],
    ['disable', (by: object, caller?: string) => editUser(app, { by, disabled: true }, caller)],
    ['unmake', (by: object, caller?: string) => updateUserAdmin(app, { by, isAdmin: false }, caller)],
    ['delete', (by: object, caller?: string) => deleteUser(app, { by }, caller)],
  ])('who %s each other at the same time leave one administrator', async (_verb, act) => {
    const tenants = await Promise.all(Array.from({ length: 12 }, () => tenantWith(2)));
    const answers = await Promise.all(
      tenants.flatMap(({ callers, ids }) => [
        act({ id: ids[1] }, callers[0]),
        act({ id: ids[0] }, callers[1]),
      ]),
    );
    for (const { ids } of tenants) expect(await activeAdministrators(ids)).toBe(1);
    // The later calls were refused: because one administrator must remain, or because the caller was not an
    // administrator any more.
    expect(answers.filter((answer) => !answer?.code)).toHaveLength(12);
  });
});

describe('a tenant', () => {
  it('counts no service account as its last administrator', async () => {
    const { ids } = await tenantWith(1);
    const { tenantId } = await db.user.findUniqueOrThrow({ where: { id: ids[0] ?? '' } });
    const robot = await newUser({ role: 'ADMIN', tenantId });
    await db.user.update({ where: { id: robot.id }, data: { kind: 'SERVICE_ACCOUNT' } });
    expect(await editUser(app, { by: { id: ids[0] }, disabled: true }, robot.authorization)).toMatchObject({
      ...{ code: 'FAILED_PRECONDITION', message: expect.stringContaining('last') },
    });
    expect(await deleteUser(app, { by: { id: robot.id } }, await newCaller({ role: 'ROOT' }))).toMatchObject({
      user: { id: robot.id },
    });
  });

  it('without administrators lets ROOT change its other users', async () => {
    const tenantId = await newTenant(`orphaned-${++made}`);
    const root = await newCaller({ role: 'ROOT' });
    const by = { id: (await newUser({ role: 'SUPERUSER', tenantId })).id };
    expect(await editUser(app, { by, role: 'USER' }, root)).toMatchObject({ user: { role: 'USER' } });
    expect(await editUser(app, { by, disabled: true }, root)).toMatchObject({ updated: 1 });
    expect(await deleteUser(app, { by }, root)).toMatchObject({ user: by });
  });

  it('keeps its administrator where ROOT becomes ADMIN', async () => {
    const tenantId = await newTenant(`lowered-${++made}`);
    const by = { id: (await newUser({ role: 'ROOT', tenantId })).id };
    const root = await newCaller({ role: 'ROOT' });
    expect(await editUser(app, { by, role: 'ADMIN' }, root)).toMatchObject({ user: { role: 'ADMIN' } });
    expect(await editUser(app, { by, role: 'USER' }, root)).toMatchObject({ code: 'FAILED_PRECONDITION' });
  });
});

it('an administrator who acts as somebody else still cannot delete itself', async () => {
  const [admin, other] = [await newUser({ role: 'ADMIN' }), await newUser()];
  const response = await fetch(`${app.url}/graphql`, {
    method: 'POST',
    headers: {
      ...{ 'content-type': 'application/json', authorization: admin.authorization },
      'x-slipway-act-as': other.id,
    },
    body: JSON.stringify({
      query: `mutation { deleteUser(input: { by: { id: "${admin.id}" } }) { __typename ... on Error { code message } } }`,
    }),
  });
  const answer = (await response.json()) as Parameters<typeof answerOf>[0];
  expect(answerOf(answer)).toMatchObject({
    ...{ code: 'FAILED_PRECONDITION', message: 'you cannot delete yourself' },
  });
});

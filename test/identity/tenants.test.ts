import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { askAlike } from '../support/alike.ts';
import { type Answer, type App, basic, startApp } from '../support/app.ts';
import { answerOf } from '../support/mutate.ts';
import { createTenant, createUser, password, updateTenant, viewerOf } from '../support/people.ts';
import { registerProject } from '../support/seed.ts';
import { newCaller, newTenant } from '../support/users.ts';
import { overtaken } from '../support/waiting.ts';

let app: App;
let root: string;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  root = await newCaller({ role: 'ROOT' });
});
afterAll(() => app.stop());

const tenant = async (by: object | null, authorization?: string) =>
  answerOf(
    await app.ask('query ($by: TenantByInput) { tenant(by: $by) { id name } }', { by }, authorization),
  );

describe('tenants', () => {
  it('are created by ROOT, each with its group `everyone`', async () => {
    const made = await createTenant(app, { name: 'acme' }, root);
    expect(made.tenant).toMatchObject({ name: 'acme', defaultLevel: null, creationPolicy: 'OPEN' });
    const groups = await db.group.findMany({ where: { tenantId: made.tenant.id } });
    expect(groups).toMatchObject([{ name: 'everyone', isEveryone: true }]);
    expect(await tenant({ name: 'acme' }, root)).toMatchObject({ id: made.tenant.id });
    const list = await app.ask('{ tenants(first: 1000) { edges { node { name } } } }', {}, root);
    expect(list.data.tenants.edges.map((edge: Answer) => edge.node.name)).toEqual(['acme', 'default']);
  });

  it.each(['abc', 'x'.repeat(255)])('can be called %j', async (name) => {
    expect(await createTenant(app, { name }, root)).toMatchObject({ tenant: { name } });
  });

  it.each(['ab', ' acme2', 'a:b', 'a/b', 'guests', 'GUESTS', 'x'.repeat(256)])(
    'cannot be called %j',
    async (name) => {
      expect(await createTenant(app, { name }, root)).toMatchObject({
        problems: [{ path: ['input', 'name'] }],
      });
    },
  );

  it('are created once when many calls use one name at the same time', async () => {
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => createTenant(app, { name: 'contended' }, root)),
    );
    const kinds = answers.map((answer) => answer.__typename).sort();
    expect(kinds).toEqual([...Array(9).fill('AlreadyExistsError'), 'CreateTenantPayload']);
  });

  it('have names that are unique in any case, and are found in any case', async () => {
    const { tenant: made } = await createTenant(app, { name: 'Initech' }, root);
    expect(await createTenant(app, { name: 'INITECH' }, root)).toMatchObject({
      code: 'ALREADY_EXISTS',
      path: ['input', 'name'],
    });
    expect(await tenant({ name: 'initech' }, root)).toMatchObject({ id: made.id, name: 'Initech' });
    const input = { username: 'peter', password, tenant: { name: 'initech' } };
    expect(await createUser(app, input, root)).toMatchObject({ __typename: 'CreateUserPayload' });
    expect((await viewerOf(app, basic('INITECH/peter', password))).tenant).toMatchObject({ name: 'Initech' });
    const admin = await newCaller({ role: 'ADMIN', tenantId: made.id });
    expect(await updateTenant(app, { name: 'INITECH' }, admin)).toMatchObject({
      tenant: { name: 'INITECH' },
    });
  });

  it('cannot be created or listed by administrators or by SYSTEM of another tenant', async () => {
    const tenantId = await newTenant('foreign');
    const foreign = await newCaller({ role: 'SYSTEM', tenantId });
    for (const caller of [app.admin, foreign]) {
      expect(await createTenant(app, { name: 'mine' }, caller)).toMatchObject({ code: 'PERMISSION_DENIED' });
      const { data, errors } = await app.ask('{ tenants { edges { node { name } } } }', {}, caller);
      expect([data, errors?.[0]?.extensions.code]).toEqual([null, 'PERMISSION_DENIED']);
    }
    expect(await tenant(null, foreign)).toMatchObject({ name: 'foreign' });
    for (const by of [{ name: 'default' }, { name: 'nowhere' }, { id: 'no id' }])
      expect(await tenant(by, foreign)).toMatchObject({ code: 'PERMISSION_DENIED' });
    // The own tenant is found by its id, and by its name in any case.
    for (const by of [{ id: tenantId }, { name: 'foreign' }, { name: 'FOREIGN' }])
      expect(await tenant(by, foreign)).toMatchObject({ id: tenantId });
    expect(await tenant({ name: 'nowhere' }, root)).toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('updateTenant', () => {
  it('sets the default level, which applies from the next call on', async () => {
    const tenantId = await newTenant('opening');
    const admin = await newCaller({ role: 'ADMIN', tenantId });
    const user = await newCaller({ role: 'USER', tenantId });
    await registerProject(
      { ...app, ask: (document, variables) => app.ask(document, variables, admin) },
      'shared',
    );
    const seen = async () =>
      (await app.ask('{ projects { edges { node { identifier } } } }', {}, user)).data.projects.edges.length;
    expect(await seen()).toBe(0);
    const input = { defaultLevel: 'READ', creationPolicy: 'RESTRICTED' };
    expect((await updateTenant(app, input, admin)).tenant).toMatchObject(input);
    expect(await seen()).toBe(1);
    await updateTenant(app, { defaultLevel: null }, admin);
    expect(await seen()).toBe(0);
    const rows = await db.auditEvent.findMany({ where: { tenantId, action: 'tenant:update' } });
    expect(rows.map((row) => row.before)).toEqual(
      expect.arrayContaining([{ defaultLevel: null, creationPolicy: 'OPEN' }, { defaultLevel: 'READ' }]),
    );
    expect(await db.accessChange.count({ where: { tenantId, userId: null, kind: 'PRINCIPAL' } })).toBe(2);
  });

  it('renames, refuses a taken name, and refuses an input without changes', async () => {
    const tenantId = await newTenant('before');
    const admin = await newCaller({ role: 'ADMIN', tenantId });
    expect(await updateTenant(app, { name: 'default' }, admin)).toMatchObject({
      ...{ code: 'INVALID_ARGUMENT', path: ['input', 'name'] },
    });
    expect(await updateTenant(app, { by: { id: tenantId }, name: 'after' }, admin)).toMatchObject({
      tenant: { name: 'after' },
    });
    for (const input of [{}, { name: 'ab' }])
      expect(await updateTenant(app, input, admin)).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect((await viewerOf(app, admin)).tenant).toMatchObject({ name: 'after' });
  });

  it('records what was changed just before it, and not what it saw first', async () => {
    const id = await newTenant('overtaken');
    await overtaken(
      () => updateTenant(app, { by: { id }, defaultLevel: 'READ' }, root),
      (tx) => tx.tenant.update({ where: { id }, data: { defaultLevel: 'EDIT' } }),
    );
    const row = await db.auditEvent.findFirstOrThrow({ where: { tenantId: id, action: 'tenant:update' } });
    expect(row).toMatchObject({ before: { defaultLevel: 'EDIT' }, after: { defaultLevel: 'READ' } });
  });

  it('answers the same for a taken name, in any case, as for a reserved one', async () => {
    const admin = await newCaller({ role: 'ADMIN', tenantId: await newTenant('curious') });
    await newTenant('occupied');
    const rename = (name: string) => updateTenant(app, { name }, admin);
    for (const taken of ['occupied', 'OCCUPIED'])
      expect(await askAlike(rename, [taken, 'guests'])).toMatchObject({
        problems: [{ code: 'NameUnavailable', path: ['input', 'name'] }],
      });
  });

  it('requires an administrator of the tenant', async () => {
    const tenantId = await newTenant('closed-off');
    for (const role of ['SUPERUSER', 'USER'] as const)
      expect(
        await updateTenant(app, { name: 'hijacked' }, await newCaller({ role, tenantId })),
      ).toMatchObject({
        code: 'PERMISSION_DENIED',
      });
    expect(await updateTenant(app, { by: { id: tenantId }, name: 'hijacked' })).toMatchObject({
      code: 'PERMISSION_DENIED',
    });
    expect(await updateTenant(app, { by: { id: tenantId }, name: 'by-root' }, root)).toMatchObject({
      tenant: { name: 'by-root' },
    });
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { flushDenials, recordChange } from '../../src/authorization/audit.ts';
import { grantCreator } from '../../src/authorization/grant-creator.ts';
import { systemCaller } from '../../src/platform/caller.ts';
import { db, pool } from '../../src/platform/database/client.ts';
import { inTransaction } from '../../src/platform/database/transaction.ts';
import { newId } from '../../src/platform/ids.ts';
import { registerProject as registerProjectCommand } from '../../src/projects/commands/register-project.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { endOf } from '../support/mutate.ts';
import { eventually, registerProject } from '../support/seed.ts';
import { countStatements } from '../support/statements.ts';
import { grantTo, homeTenant, newTenant, newUser, type User } from '../support/users.ts';
import { permissionMutations } from './stage.ts';

const project = 'audited';
let app: App;
let projectId: string;
let write: ReturnType<typeof permissionMutations>;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  write = permissionMutations(app);
  projectId = await registerProject(app, project);
});
afterAll(() => app.stop());

const document = `query ($filter: AuditEventFilterInput, $tenant: TenantByInput, $first: Int, $after: String) {
  auditEvents(filter: $filter, tenant: $tenant, first: $first, after: $after) {
    edges { node {
      id tenantId createdAt actor { id username } realActor { id username } credentialId address action outcome code
      target { type id name } before after count
    } }
    pageInfo { hasNextPage endCursor }
  }
}`;
const ask = (variables: object = {}, authorization?: string) => app.ask(document, variables, authorization);
async function events(filter: object = {}, more: object = {}, authorization?: string): Promise<Answer[]> {
  await flushDenials();
  const { data, errors } = await ask({ filter, ...more }, authorization);
  expect(errors).toBeUndefined();
  return data.auditEvents.edges.map((edge: Answer) => edge.node);
}

const granting = (whom: User, level = 'READ') => ({
  subject: { user: { id: whom.id } },
  resource: { project: { identifier: project } },
  level,
});
const readSecretly = (who: User) =>
  app.ask(
    'query ($by: ProjectByInput!) { project(by: $by) { id } }',
    { by: { identifier: project } },
    who.authorization,
  );

describe('auditEvents', () => {
  it('shows the actor, credential, address, action and target of an event, and the values before and after', async () => {
    const [admin, ann] = [await newUser({ role: 'ADMIN' }), await newUser()];
    await write.grant(granting(ann), admin.authorization);
    await write.update(granting(ann, 'EDIT'), admin.authorization);
    const { id: credentialId } = await db.credential.findFirstOrThrow({ where: { userId: admin.id } });
    const user = { id: ann.id, username: ann.username };
    expect(await events({ actor: { id: admin.id } })).toEqual([
      {
        id: expect.any(String),
        tenantId: await homeTenant(),
        createdAt: expect.any(String),
        actor: { id: admin.id, username: admin.username },
        realActor: null,
        credentialId,
        address: expect.stringMatching(/127\.0\.0\.1|::1/),
        action: 'permission:update',
        outcome: 'DONE',
        code: null,
        target: { type: 'PROJECT', id: projectId, name: project },
        before: { user, level: 'READ' },
        after: { user, level: 'EDIT' },
        count: 1,
      },
      expect.objectContaining({ action: 'permission:grant', before: null }),
    ]);
  });

  it('filters by actor, action, noun, outcome, target, credential and time', async () => {
    const [admin, ann, eve] = [await newUser({ role: 'ADMIN' }), await newUser(), await newUser()];
    const since = new Date().toISOString();
    await write.grant(granting(ann), admin.authorization);
    await write.grant(granting(eve), eve.authorization);
    await write.revoke({ subject: { user: { id: ann.id } }, resource: { project: { identifier: project } } });
    const of = async (filter: object) => (await events({ since, ...filter })).map((event) => event.action);
    const { id: credentialId } = await db.credential.findFirstOrThrow({ where: { userId: admin.id } });
    const [refused] = await events({ actor: { username: eve.username.toUpperCase() } });
    expect(refused).toMatchObject({ outcome: 'DENIED', code: 'NOT_FOUND', action: 'permission:grant' });
    expect(await of({ actor: { id: admin.id } })).toEqual(['permission:grant']);
    expect(await of({ credentialId })).toEqual(['permission:grant']);
    expect(await of({ action: 'permission:revoke' })).toEqual(['permission:revoke']);
    expect(await of({ action: 'permission', outcome: 'DONE' })).toEqual([
      'permission:revoke',
      'permission:grant',
    ]);
    expect(await of({ action: 'perm' })).toEqual([]);
    expect(await of({ action: 'permissio_' })).toEqual([]);
    expect(await of({ targetType: 'PROJECT', targetId: projectId, outcome: 'DENIED' })).toEqual([
      'permission:grant',
    ]);
    for (const nothing of [{ targetType: 'QUEUE' }, { targetId: newId() }, { actor: { id: 'no id' } }])
      expect(await of(nothing)).toEqual([]);
    expect(await of({ until: since })).toEqual([]);
    expect(endOf(await ask({ filter: { credentialId: 'x' } }))).toBe('INVALID_ARGUMENT');
  });

  it('shows deleted users with their id and the name that they had', async () => {
    // A name may look like an id.
    const admin = await newUser({ role: 'ADMIN', username: newId() });
    await write.grant(granting(await newUser()), admin.authorization);
    await db.user.delete({ where: { id: admin.id } });
    for (const actor of [{ id: admin.id }, { username: admin.username }])
      expect(await events({ actor })).toMatchObject([{ actor: { id: admin.id, username: admin.username } }]);
  });

  it('answers pages, newest first, with a constant number of statements', async () => {
    const admin = await newUser({ role: 'ADMIN' });
    for (let count = 0; count < 7; count += 1)
      await write.grant(granting(await newUser()), admin.authorization);
    const filter = { actor: { id: admin.id } };
    const seen: string[] = [];
    let after: string | null = null;
    do {
      const { data }: Answer = await ask({ filter, first: 3, after });
      seen.push(...data.auditEvents.edges.map((edge: Answer) => edge.node.id));
      after = data.auditEvents.pageInfo.hasNextPage ? data.auditEvents.pageInfo.endCursor : null;
    } while (after);
    expect(seen).toHaveLength(7);
    expect(seen).toEqual([...seen].sort().reverse());
    expect(endOf(await ask({ first: 1001 }))).toBe('INVALID_ARGUMENT');
    await ask({ first: 1 });
    const one = await countStatements(() => ask({ first: 1 }));
    const many = await countStatements(() => ask({ first: 100 }));
    expect(many.statements).toHaveLength(one.statements.length);
  });

  it('answers every combination of filters', async () => {
    const [admin, ann] = [await newUser({ role: 'ADMIN' }), await newUser()];
    await write.grant(granting(ann), admin.authorization);
    const [granted] = await events({ actor: { id: admin.id } });
    const filter = {
      actor: { id: admin.id },
      action: granted.action,
      outcome: granted.outcome,
      targetType: granted.target.type,
      targetId: granted.target.id,
    };
    const bothWays = `query ($filter: AuditEventFilterInput, $first: Int, $last: Int) {
      auditEvents(filter: $filter, first: $first, last: $last) { edges { node { id } } }
    }`;
    const forms = [
      { filter, first: 5 },
      { filter, last: 5 },
      { filter: { ...filter, since: '2020-01-01T00:00:00Z' }, first: 5 },
      { filter: { ...filter, until: '2120-01-01T00:00:00Z' }, last: 5 },
    ];
    // One after the other, so that the same connection is used for every combination.
    for (const variables of [...forms, ...forms]) {
      const { data, errors } = await app.ask(bothWays, variables);
      expect(errors).toBeUndefined();
      expect(data.auditEvents.edges).toEqual([{ node: { id: granted.id } }]);
    }
  });

  it('is for administrators of the tenant; only ROOT can name another tenant, for others it is NOT_FOUND', async () => {
    const tenantId = await newTenant('audited-elsewhere');
    const theirs = await newUser({ role: 'ADMIN', tenantId });
    const root = await newUser({ role: 'ROOT' });
    expect(endOf(await ask({}, (await newUser({ role: 'SUPERUSER' })).authorization))).toBe(
      'PERMISSION_DENIED',
    );
    await readSecretly(await newUser({ role: 'ADMIN', tenantId, scopes: ['queue:read'] }));
    expect(await events({}, {}, theirs.authorization)).toMatchObject([{ tenantId, outcome: 'DENIED' }]);
    expect(await events({}, { tenant: { id: tenantId } }, root.authorization)).toHaveLength(1);
    expect(await events({}, { tenant: { id: tenantId } }, theirs.authorization)).toHaveLength(1);
    for (const tenant of [tenantId, newId()])
      expect(endOf(await ask({ tenant: { id: tenant } }))).toBe('NOT_FOUND');
  });
});

describe('the log', () => {
  it('cannot be changed, deleted or emptied: PostgreSQL refuses all three', async () => {
    await write.grant(granting(await newUser()));
    const { rows: before } = await pool.query('select * from audit_events order by id');
    expect(before.length).toBeGreaterThan(0);
    for (const attempt of [
      `update audit_events set action = 'nothing:happened'`,
      'delete from audit_events',
      'truncate audit_events',
    ])
      await expect(pool.query(attempt)).rejects.toThrow('only ever added');
    await expect(db.auditEvent.deleteMany()).rejects.toThrow();
    expect((await pool.query('select * from audit_events order by id')).rows).toEqual(before);
  });

  it('has no row for a change that was rolled back', async () => {
    const caller = systemCaller(await homeTenant(), newId());
    const work = inTransaction(async (tx) => {
      await recordChange(tx, caller, { action: 'test:rolledBack', target: { type: 'user', id: null } });
      throw new Error('no');
    });
    await expect(work).rejects.toThrow('no');
    expect(await events({ action: 'test:rolledBack' })).toEqual([]);
  });

  it('keeps many refusals of one kind as a few rows with a count', async () => {
    const eve = await newUser();
    const queries = Array.from(
      { length: 25 },
      (_, index) => `q${index}: project(by: { identifier: "${project}" }) { id }`,
    );
    const rounds = 5000 / queries.length;
    let refused = 0;
    for (let round = 0; round < rounds; round += 20) {
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => app.ask(`{ ${queries.join(' ')} }`, {}, eve.authorization)),
      );
      const errors = answers.flatMap((answer) => answer.errors ?? []);
      refused += errors.filter(({ extensions }) => extensions.code === 'NOT_FOUND').length;
    }
    // On a busy machine, a request may be answered UNAVAILABLE, and a batch may be written a moment later.
    expect(refused).toBeGreaterThan(2500);
    const rows = await eventually(
      () => events({ actor: { id: eve.id } }, { first: 1000 }),
      (found) => found.reduce((sum, row) => sum + row.count, 0) >= refused,
    );
    expect(rows.reduce((sum, row) => sum + row.count, 0)).toBe(refused);
    expect(rows.length).toBeLessThan(300);
    expect(new Set(rows.map(({ action, code, target }) => JSON.stringify([action, code, target]))).size).toBe(
      1,
    );
  });

  it('holds no password, secret, hash or token', async () => {
    await readSecretly(await newUser());
    await flushDenials();
    const { rows } = await pool.query('select to_jsonb(audit_events)::text as text from audit_events');
    const told = rows.map(({ text }) => text as string).join('\n');
    const users = await db.user.findMany({ where: { passwordHash: { not: null } } });
    const credentials = await db.credential.findMany();
    expect(users.length + credentials.length).toBeGreaterThan(10);
    const secrets = [
      app.secrets.administrator.password,
      app.secrets.executor.secretKey,
      app.admin.replace('Bearer ', ''),
      ...users.map(({ passwordHash }) => passwordHash ?? ''),
      ...credentials.flatMap(({ accessKey, secretHash }) => [
        accessKey,
        Buffer.from(secretHash).toString('hex'),
        Buffer.from(secretHash).toString('base64'),
      ]),
    ];
    for (const secret of secrets) expect(told.includes(secret)).toBe(false);
    expect(told).not.toMatch(/\$argon2|eyJ[\w-]+\.eyJ|Basic |Bearer /);
  });
});

describe('the permission of a creator', () => {
  const caller = async (userId: string) => ({
    ...systemCaller(await homeTenant(), userId),
    role: 'USER' as const,
  });
  const made = (identifier: string) => ({ identifier, name: identifier, description: '', labels: {} });

  it('has the level MANAGE on the new object', async () => {
    const { id } = await newUser();
    const { id: resourceId } = await registerProjectCommand(await caller(id), made('created'));
    expect(await db.grant.findMany({ where: { resourceId } })).toMatchObject([
      { userId: id, resourceType: 'PROJECT', level: 'MANAGE' },
    ]);
  });

  it('is created together with the object: when the permission fails, the object is not created either', async () => {
    const nobody = newId();
    await expect(registerProjectCommand(await caller(nobody), made('unmade'))).rejects.toThrow();
    expect(await db.project.findFirst({ where: { identifier: 'unmade' } })).toBeNull();
    const { id } = await newUser();
    await expect(registerProjectCommand(await caller(id), made(project))).rejects.toThrow('cannot be used');
    expect(await db.grant.count({ where: { userId: id } })).toBe(0);
  });

  it('raises a permission that exists already instead of failing', async () => {
    const { id } = await newUser();
    const resource = { type: 'PROJECT', id: projectId, name: project } as const;
    const tenantId = await homeTenant();
    await grantTo({ userId: id }, 'PROJECT', projectId, 'READ');
    for (let count = 0; count < 2; count += 1)
      await inTransaction((tx) => grantCreator(tx, systemCaller(tenantId, id), resource));
    expect(await db.grant.findMany({ where: { userId: id } })).toMatchObject([{ level: 'MANAGE' }]);
    const told = await db.auditEvent.findMany({ where: { actorId: id, action: 'permission:grant' } });
    expect(told).toHaveLength(2);
    expect(told[0]).toMatchObject({ targetType: 'project', targetId: projectId, after: { level: 'MANAGE' } });
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { db, pool } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { type App, startApp } from '../support/app.ts';
import { endOf } from '../support/mutate.ts';
import { eventually, registerProject, registerTask, registerWorkflow } from '../support/seed.ts';
import { homeTenant, newGroup, newTenant, newUser, type User } from '../support/users.ts';
import { overtaken } from '../support/waiting.ts';
import { experiment, permissionMutations, registeredModel } from './stage.ts';

let app: App;
let write: ReturnType<typeof permissionMutations>;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  write = permissionMutations(app);
});
afterAll(() => app.stop());

/** Each test has its own project, a user who manages it by a grant, and a user without any grant. */
let project: string;
let projectId: string;
let manager: User;
let other: User;
let projects = 0;
beforeEach(async () => {
  project = `project-${++projects}`;
  projectId = await registerProject(app, project);
  manager = await newUser();
  other = await newUser();
  expect(endOf(await write.grant(granting(manager, 'MANAGE')))).toBe('OK');
});

const on = () => ({ project: { identifier: project } });
const to = ({ username }: User) => ({ user: { username } });
const granting = (whom: User, level: string, resource: object = on()) => ({
  subject: to(whom),
  resource,
  level,
});
const revoking = (whom: User, resource: object = on()) => ({ subject: to(whom), resource });
const reads = async ({ authorization }: User) =>
  endOf(
    await app.ask(
      'query ($by: ProjectByInput!) { project(by: $by) { id } }',
      { by: on().project },
      authorization,
    ),
  );
const rowsOf = (whom: User) => db.grant.findMany({ where: { userId: whom.id } });

describe('grantPermission', () => {
  it('gives a user a level on a resource, which applies from the next call on', async () => {
    expect(await reads(other)).toBe('NOT_FOUND');
    const answer = await write.grant(granting(other, 'READ'), manager.authorization);
    expect(answer).toMatchObject({
      __typename: 'GrantPermissionPayload',
      grant: {
        level: 'READ',
        resource: { type: 'PROJECT', id: projectId, name: project },
        subject: { __typename: 'Principal', id: other.id, username: other.username },
      },
    });
    expect(await reads(other)).toBe('OK');
  });

  it('finds users by id, name and e-mail, without regard to case, and groups by id and name', async () => {
    await db.user.update({
      where: { id: other.id },
      data: { email: 'Ann@Example.com', emailKey: 'ann@example.com' },
    });
    const groupId = await newGroup(`Team-${projects}`, [other]);
    const subjects = [
      { user: { id: other.id } },
      { user: { username: other.username.toUpperCase() } },
      { user: { email: 'ANN@example.COM' } },
      { group: { id: groupId } },
      { group: { name: `TEAM-${projects}` } },
    ];
    const codes = [];
    for (const subject of subjects)
      codes.push(endOf(await write.grant({ subject, resource: on(), level: 'READ' })));
    expect(codes).toEqual(['OK', 'ALREADY_EXISTS', 'ALREADY_EXISTS', 'OK', 'ALREADY_EXISTS']);
  });

  it('accepts every type of resource', async () => {
    await registerTask(app, project, 'double');
    await registerWorkflow(app, project, 'flow', { a: [] });
    await app.ask('mutation ($n: String!) { createQueue(input: { name: $n }) { __typename } }', {
      n: project,
    });
    const made = await experiment(projectId, 'trial');
    const model = await registeredModel(projectId, 'net');
    const resources: [object, string, string][] = [
      [{ project: { id: projectId } }, 'PROJECT', project],
      [{ experiment: { key: { project, name: 'trial' } } }, 'EXPERIMENT', 'trial'],
      [{ registeredModel: { id: model.id } }, 'REGISTERED_MODEL', 'net'],
      [{ workflow: { project, domain: 'development', name: 'flow' } }, 'WORKFLOW', 'flow'],
      [{ queue: { name: project } }, 'QUEUE', project],
    ];
    for (const [resource, type, name] of resources) {
      const answer = await write.grant(granting(other, 'USE', resource));
      expect(answer.grant.resource).toEqual({ type, id: expect.any(String), name });
    }
    const rows = await rowsOf(other);
    expect(rows.map((row) => row.resourceType).sort()).toEqual([
      'EXPERIMENT',
      'PROJECT',
      'QUEUE',
      'REGISTERED_MODEL',
      'WORKFLOW',
    ]);
    expect(rows.map((row) => row.resourceId)).toEqual(expect.arrayContaining([made.id, model.id]));
  });

  it('answers ALREADY_EXISTS and keeps the grant that exists, whatever its level', async () => {
    for (const level of ['READ', 'MANAGE', 'NO_PERMISSIONS']) {
      const answer = await write.grant(granting(manager, level), manager.authorization);
      expect(answer).toMatchObject({ code: 'ALREADY_EXISTS' });
    }
    expect(await rowsOf(manager)).toMatchObject([{ level: 'MANAGE' }]);
  });

  it('reports an invalid level first, then an unknown subject, then a grant that exists', async () => {
    const ghost = { ...other, username: 'ghost' };
    expect(endOf(await write.grant(granting(ghost, 'read'), manager.authorization))).toBe('INVALID_ARGUMENT');
    const unknown = await write.grant(granting(ghost, 'READ'), manager.authorization);
    expect(unknown).toMatchObject({
      __typename: 'NotFoundError',
      path: ['input', 'subject', 'user'],
    });
    const ghosts = { subject: { group: { name: 'ghosts' } }, resource: on(), level: 'READ' };
    expect(await write.grant(ghosts)).toMatchObject({
      __typename: 'NotFoundError',
      path: ['input', 'subject', 'group'],
    });
  });

  it.each(['read', 'Manage', 'NONE', 'ADMIN', ''])('refuses the level %j', async (level) => {
    expect(endOf(await write.grant(granting(other, level)))).toBe('INVALID_ARGUMENT');
    expect(await rowsOf(other)).toEqual([]);
  });

  it('answers the same for a user of another tenant as for one that does not exist', async () => {
    const tenantId = await newTenant(`elsewhere-${projects}`);
    const stranger = await newUser({ tenantId });
    for (const user of [{ id: stranger.id }, { username: stranger.username }, { id: newId() }]) {
      const answer = await write.grant({ subject: { user }, resource: on(), level: 'READ' });
      expect(answer).toMatchObject({ __typename: 'NotFoundError' });
    }
    const theirs = await db.group.findFirstOrThrow({ where: { tenantId } });
    const answer = await write.grant({
      subject: { group: { id: theirs.id } },
      resource: on(),
      level: 'READ',
    });
    expect(answer).toMatchObject({ __typename: 'NotFoundError' });
    expect(await db.grant.count({ where: { OR: [{ userId: stranger.id }, { groupId: theirs.id }] } })).toBe(
      0,
    );
  });

  it.each([
    ['nothing', null, 'NOT_FOUND'],
    ['READ', 'READ', 'PERMISSION_DENIED'],
    ['EDIT', 'EDIT', 'PERMISSION_DENIED'],
    ['MANAGE', 'MANAGE', 'OK'],
  ])('by somebody with %s is %s', async (_name, level, expected) => {
    const writer = await newUser();
    if (level) await write.grant(granting(writer, level));
    for (const [verb, input] of [
      ['grant', granting(other, 'READ')],
      ['update', granting(other, 'USE')],
      ['revoke', revoking(other)],
    ] as const)
      expect([verb, endOf(await write[verb](input, writer.authorization))]).toEqual([verb, expected]);
  });

  it('answers the same for a hidden resource as for an absent one', async () => {
    const plain = async (identifier: string) => {
      const answer = await write.grant(
        granting(other, 'READ', { project: { identifier } }),
        other.authorization,
      );
      return JSON.stringify(answer).replaceAll(identifier, 'x');
    };
    expect(await plain(project)).toBe(await plain('absent'));
  });

  it('does not let a manager grant on other resources, on all resources of a type or on the tenant', async () => {
    const elsewhere = `${project}-b`;
    await registerProject(app, elsewhere);
    const { authorization } = manager;
    const target = { project: { identifier: elsewhere } };
    expect(endOf(await write.grant(granting(manager, 'MANAGE', target), authorization))).toBe('NOT_FOUND');
    for (const wide of [{ all: 'PROJECT' }, { all: 'TENANT' }, { tenant: true }, { tenant: false }])
      expect(endOf(await write.grant(granting(manager, 'MANAGE', wide), authorization))).toBe(
        'PERMISSION_DENIED',
      );
    expect(await rowsOf(manager)).toHaveLength(1);
  });

  it('requires an administrator for all resources of a type and for the tenant; MANAGE on the tenant does not suffice', async () => {
    const tenantWide = await newUser({ role: 'SUPERUSER', level: 'MANAGE' });
    expect(endOf(await write.grant(granting(tenantWide, 'MANAGE', { tenant: true })))).toBe('OK');
    expect(
      endOf(await write.grant(granting(other, 'READ', { tenant: true }), tenantWide.authorization)),
    ).toBe('PERMISSION_DENIED');
    const answer = await write.grant(granting(other, 'READ', { all: 'PROJECT' }));
    expect(answer.grant.resource).toEqual({ type: 'PROJECT', id: null, name: null });
    expect(await reads(other)).toBe('OK');
    expect(endOf(await write.revoke(revoking(other, { all: 'PROJECT' })))).toBe('OK');
    expect(await reads(other)).toBe('NOT_FOUND');
    for (const wrong of [{ all: 'TENANT' }, { tenant: false }])
      expect(await write.grant(granting(other, 'READ', wrong))).toMatchObject({
        __typename: 'InvalidArgumentError',
        path: ['input', 'resource', Object.keys(wrong)[0]],
      });
  });

  it('refuses a credential whose scopes do not include it', async () => {
    const narrow = await newUser({ role: 'ADMIN', scopes: ['project:read', 'permission:read'] });
    expect(endOf(await write.grant(granting(other, 'READ'), narrow.authorization))).toBe('PERMISSION_DENIED');
    const wide = await newUser({ role: 'ADMIN', scopes: ['permission:grant'] });
    expect(endOf(await write.grant(granting(other, 'READ'), wide.authorization))).toBe('OK');
    const tenant = granting(other, 'READ', { tenant: true });
    expect(endOf(await write.grant(tenant, wide.authorization))).toBe('PERMISSION_DENIED');
  });

  it('applies to the next operation of the same request', async () => {
    const answer = await app.ask(
      `mutation ($update: UpdatePermissionInput!, $grant: GrantPermissionInput!) {
         updatePermission(input: $update) { __typename }
         grantPermission(input: $grant) { __typename }
       }`,
      { update: granting(manager, 'USE'), grant: granting(other, 'READ') },
      manager.authorization,
    );
    expect(answer.data).toEqual({
      updatePermission: { __typename: 'UpdatePermissionPayload' },
      grantPermission: null,
    });
    expect(answer.errors?.map((error) => error.extensions.code)).toEqual(['PERMISSION_DENIED']);
  });

  it('applies to the next operation of the same request, also when it lowers the level', async () => {
    const { id } = await experiment(projectId, 'lowered');
    const answer = await app.ask(
      `mutation ($before: UpdateExperimentInput!, $grant: GrantPermissionInput!, $after: UpdateExperimentInput!) {
         before: updateExperiment(input: $before) { __typename }
         grantPermission(input: $grant) { __typename }
         after: updateExperiment(input: $after) { __typename }
       }`,
      {
        before: { by: { id }, name: 'first' },
        grant: granting(manager, 'READ', { experiment: { id } }),
        after: { by: { id }, name: 'second' },
      },
      manager.authorization,
    );
    expect(answer.data).toEqual({
      before: { __typename: 'UpdateExperimentPayload' },
      grantPermission: { __typename: 'GrantPermissionPayload' },
      after: null,
    });
    expect(answer.errors?.map((error) => error.extensions.code)).toEqual(['PERMISSION_DENIED']);
  });
});

describe('updatePermission', () => {
  it('sets any level; NO_PERMISSIONS closes the resource from the next call on', async () => {
    await write.grant(granting(other, 'EDIT'));
    expect(await reads(other)).toBe('OK');
    const answer = await write.update(granting(other, 'NO_PERMISSIONS'), manager.authorization);
    expect(answer.grant).toMatchObject({ level: 'NO_PERMISSIONS' });
    expect(await reads(other)).toBe('NOT_FOUND');
  });

  it('answers NOT_FOUND where there is no grant, even if a default applies', async () => {
    const reader = await newUser({ level: 'READ' });
    expect(await write.update(granting(reader, 'EDIT'), manager.authorization)).toMatchObject({
      __typename: 'NotFoundError',
    });
    expect(await rowsOf(reader)).toEqual([]);
  });

  it('lets a manager lower its own level, after which it is no manager', async () => {
    expect(endOf(await write.update(granting(manager, 'READ'), manager.authorization))).toBe('OK');
    expect(endOf(await write.update(granting(manager, 'MANAGE'), manager.authorization))).toBe(
      'PERMISSION_DENIED',
    );
  });

  it('lets a manager remove the grant of another manager, also the grant of the creator', async () => {
    const creator = await db.grant.findFirstOrThrow({
      where: { resourceId: projectId, userId: { not: manager.id } },
    });
    const subject = { user: { id: creator.userId } };
    expect(endOf(await write.revoke({ subject, resource: on() }, manager.authorization))).toBe('OK');
  });
});

describe('revokePermission', () => {
  it('answers the grant that it removed, and NOT_FOUND when it is repeated', async () => {
    await write.grant(granting(other, 'EDIT'));
    const answer = await write.revoke(revoking(other), manager.authorization);
    expect(answer.grant).toMatchObject({
      level: 'EDIT',
      subject: { id: other.id },
      resource: { id: projectId },
    });
    expect(await reads(other)).toBe('NOT_FOUND');
    const repeat = await write.revoke(revoking(other), manager.authorization);
    expect(repeat).toMatchObject({ __typename: 'NotFoundError', code: 'NOT_FOUND' });
  });

  it('leaves the subject the levels that its groups and the defaults give', async () => {
    const reader = await newUser({ level: 'READ' });
    await write.grant(granting(reader, 'NO_PERMISSIONS'));
    expect(await reads(reader)).toBe('NOT_FOUND');
    await write.revoke(revoking(reader));
    expect(await reads(reader)).toBe('OK');
  });

  it('removes only the grant of the subject: the grant of a group does not belong to its member', async () => {
    const name = `crew-${projects}`;
    await newGroup(name, [other]);
    const resource = on();
    await write.grant({ subject: { group: { name } }, resource, level: 'READ' });
    await write.grant(granting(other, 'USE'));
    expect(endOf(await write.revoke({ subject: { group: { name } }, resource }))).toBe('OK');
    expect(await rowsOf(other)).toMatchObject([{ level: 'USE' }]);
  });
});

describe('concurrent calls', () => {
  it('of 20 equal grants one succeeds and 19 answer ALREADY_EXISTS', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => write.grant(granting(other, 'READ'), manager.authorization)),
    );
    const codes = answers.map(endOf).sort();
    expect(codes).toEqual([...Array(19).fill('ALREADY_EXISTS'), 'OK']);
    expect(await rowsOf(other)).toHaveLength(1);
    const events = await db.auditEvent.count({ where: { action: 'permission:grant', targetId: projectId } });
    // The events of the creator and the manager, from before each test, and the one event of this test.
    expect(events).toBe(3);
  });

  it('of 20 equal grants on all resources of a type one succeeds', async () => {
    const input = granting(other, 'READ', { all: 'QUEUE' });
    const codes = (await Promise.all(Array.from({ length: 20 }, () => write.grant(input)))).map(endOf);
    expect(codes.filter((code) => code === 'OK')).toHaveLength(1);
    expect(await rowsOf(other)).toHaveLength(1);
  });

  it('a grant to a user during its deletion is deleted with the user or answers NOT_FOUND', async () => {
    const codes = new Set<string>();
    for (let round = 0; round < 15; round += 1) {
      const leaver = await newUser();
      const grants = [on(), { all: 'PROJECT' }, { all: 'QUEUE' }, { tenant: true }].map((resource) =>
        write.grant(granting(leaver, 'READ', resource)),
      );
      const gone = db.user.delete({ where: { id: leaver.id } });
      for (const answer of await Promise.all(grants)) codes.add(endOf(answer));
      await gone;
      expect(await rowsOf(leaver)).toEqual([]);
    }
    expect([...codes].filter((code) => code !== 'OK' && code !== 'NOT_FOUND')).toEqual([]);
  });

  it.each(['users', 'groups'])('a grant during the deletion of %s answers NOT_FOUND', async (table) => {
    const groupId = await newGroup(`leaving-${projects}`, [other]);
    const subject = table === 'users' ? { user: { id: other.id } } : { group: { id: groupId } };
    const deletion = await pool.connect();
    try {
      await deletion.query('begin');
      await deletion.query(`delete from ${table} where id = $1`, [table === 'users' ? other.id : groupId]);
      const answer = write.grant({ subject, resource: on(), level: 'READ' }, manager.authorization);
      // The call has found the subject and waits for the end of the deletion.
      await eventually(
        () =>
          pool.query(
            `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
          ),
        ({ rows }) => rows.length > 0,
      );
      await deletion.query('commit');
      expect(await answer).toMatchObject({ __typename: 'NotFoundError', path: ['input'] });
    } finally {
      deletion.release();
    }
  });

  it('updates during a revocation succeed before it or answer NOT_FOUND, and no grant remains', async () => {
    for (let round = 0; round < 10; round += 1) {
      await write.grant(granting(other, 'READ'));
      const updates = ['USE', 'EDIT', 'MANAGE', 'NO_PERMISSIONS'].map((level) =>
        write.update(granting(other, level), app.admin),
      );
      const [revoked, ...updated] = await Promise.all([write.revoke(revoking(other)), ...updates]);
      expect(endOf(revoked)).toBe('OK');
      for (const answer of updated) expect(['OK', 'NOT_FOUND']).toContain(endOf(answer));
      expect(await rowsOf(other)).toEqual([]);
    }
  });

  it('records the level that an update replaces, also when another update comes first', async () => {
    await write.grant(granting(other, 'READ'));
    const where = { userId: other.id };
    const answer = await overtaken(
      () => write.update(granting(other, 'EDIT')),
      (tx) => tx.grant.updateMany({ where, data: { level: 'USE' } }),
    );
    expect(answer.grant).toMatchObject({ level: 'EDIT' });
    const event = await db.auditEvent.findFirstOrThrow({
      where: { action: 'permission:update', targetId: projectId },
    });
    expect(event.before).toMatchObject({ level: 'USE' });
  });

  it('of 20 equal revocations one succeeds and 19 answer NOT_FOUND', async () => {
    await write.grant(granting(other, 'READ'));
    const answers = await Promise.all(Array.from({ length: 20 }, () => write.revoke(revoking(other))));
    expect(answers.map(endOf).sort()).toEqual([...Array(19).fill('NOT_FOUND'), 'OK']);
  });
});

describe('every write', () => {
  it('records an event with the levels before and after, and notifies all processes last', async () => {
    const before = (await db.accessClock.findUniqueOrThrow({ where: { id: 1 } })).version;
    await write.grant(granting(other, 'READ'), manager.authorization);
    await write.update(granting(other, 'EDIT'), manager.authorization);
    await write.revoke(revoking(other), manager.authorization);
    const events = await db.auditEvent.findMany({
      where: { actorId: manager.id, outcome: 'DONE' },
      orderBy: { id: 'asc' },
    });
    const user = { id: other.id, username: other.username };
    expect(events.map(({ action, before, after }) => ({ action, before, after }))).toEqual([
      { action: 'permission:grant', before: null, after: { user, level: 'READ' } },
      { action: 'permission:update', before: { user, level: 'READ' }, after: { user, level: 'EDIT' } },
      { action: 'permission:revoke', before: { user, level: 'EDIT' }, after: null },
    ]);
    for (const event of events)
      expect(event).toMatchObject({ targetType: 'project', targetId: projectId, targetName: project });
    const changes = await db.accessChange.findMany({ where: { version: { gt: before } } });
    expect(changes).toHaveLength(3);
    for (const change of changes)
      expect(change).toMatchObject({ tenantId: await homeTenant(), userId: other.id, kind: 'GRANT' });
  });

  it('records and notifies nothing when it is refused', async () => {
    const events = await db.auditEvent.count({ where: { outcome: 'DONE' } });
    const clock = await db.accessClock.findUniqueOrThrow({ where: { id: 1 } });
    await write.grant(granting(manager, 'READ'));
    await write.update(granting(other, 'READ'));
    await write.revoke(revoking(other));
    expect(await db.auditEvent.count({ where: { outcome: 'DONE' } })).toBe(events);
    expect(await db.accessClock.findUniqueOrThrow({ where: { id: 1 } })).toEqual(clock);
  });
});

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Planner } from '../../src/graphql/execution/plan.ts';
import { db, pool } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { endOf } from '../support/mutate.ts';
import { registerProject } from '../support/seed.ts';
import { countStatements } from '../support/statements.ts';
import { grantTo, homeTenant, newGroup, newUser, tokenOf } from '../support/users.ts';
import { experiment, permissionFields, permissionMutations } from './stage.ts';

const project = 'listed';
let app: App;
let projectId: string;
let otherId: string;
let trialId: string;
let write: ReturnType<typeof permissionMutations>;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  write = permissionMutations(app);
  projectId = await registerProject(app, project);
  otherId = await registerProject(app, 'other');
  trialId = (await experiment(projectId, 'trial')).id;
});
afterAll(() => app.stop());

/** Without a plan, nobody knows before what is selected. */
const hasPlans = !process.env['REFERENCE_EXECUTOR'];

async function grantOnNothing(userId: string): Promise<void> {
  const tenantId = await homeTenant();
  await db.grant.create({
    data: { tenantId, userId, resourceType: 'PROJECT', resourceId: newId(), level: 'READ' },
  });
}

const trial = () => ({ experiment: { id: trialId } });
const grant = async (subject: object, resource: object, level: string) =>
  expect(endOf(await write.grant({ subject, resource, level }))).toBe('OK');
const pageInfo = 'pageInfo { hasNextPage hasPreviousPage startCursor endCursor }';

const permissionsDocument = `query ($resource: ResourceByInput!, $inherited: Boolean, $first: Int, $after: String, $last: Int, $before: String) {
  permissions(resource: $resource, inherited: $inherited, first: $first, after: $after, last: $last, before: $before) {
    edges { node { ${permissionFields} } } ${pageInfo}
  }
}`;
const list = (variables: object, authorization?: string) =>
  app.ask(permissionsDocument, { resource: trial(), ...variables }, authorization);
const nodes = (connection: Answer) => connection.edges.map((edge: Answer) => edge.node);

describe('permissions', () => {
  it('shows managers all grants on a resource and those it inherits, in the order in which they decide', async () => {
    const [ann, bob] = [await newUser(), await newUser()];
    await newGroup('crew', [ann]);
    await grant({ user: { id: ann.id } }, { tenant: true }, 'READ');
    await grant({ user: { id: ann.id } }, { all: 'EXPERIMENT' }, 'READ');
    await grant({ group: { name: 'crew' } }, { project: { id: projectId } }, 'USE');
    await grant({ user: { id: bob.id } }, trial(), 'MANAGE');
    await grant({ user: { id: ann.id } }, trial(), 'NO_PERMISSIONS');
    const explicit = nodes((await list({}, bob.authorization)).data.permissions);
    expect(explicit.map(({ level, subject }: Answer) => [level, subject.id])).toEqual([
      ['NO_PERMISSIONS', ann.id],
      ['MANAGE', bob.id],
    ]);
    // Bob does not manage the resources that contain it, so he cannot see the grants on them.
    expect(nodes((await list({ inherited: true }, bob.authorization)).data.permissions)).toHaveLength(2);
    const all = nodes((await list({ inherited: true })).data.permissions);
    expect(all.map(({ resource }: Answer) => [resource.type, resource.id])).toEqual([
      ['EXPERIMENT', trialId],
      ['EXPERIMENT', trialId],
      ['PROJECT', projectId],
      // The user who registered it.
      ['PROJECT', projectId],
      ['EXPERIMENT', null],
      ['TENANT', null],
    ]);
    expect(all[2].subject).toMatchObject({ __typename: 'Group', name: 'crew' });
    for (const [level, expected] of [
      ['EDIT', 'PERMISSION_DENIED'],
      [null, 'NOT_FOUND'],
    ] as const) {
      const other = await newUser();
      if (level) await grant({ user: { id: other.id } }, trial(), level);
      expect(endOf(await list({}, other.authorization))).toBe(expected);
    }
  });

  it('shows the sign-in of an administrator that is limited to a resource only the grants on it', async () => {
    const confined = await tokenOf(app, app.admin, { resources: [{ type: 'EXPERIMENT', id: trialId }] });
    const shown = nodes((await list({ inherited: true }, confined)).data.permissions);
    expect(new Set(shown.map(({ resource }: Answer) => resource.type))).toEqual(new Set(['EXPERIMENT']));
    expect(shown.filter(({ resource }: Answer) => resource.id === null)).toEqual([]);
  });

  it('shows no grant on another type of resource, even if the id is the same', async () => {
    const somebody = await newUser();
    const { id } = await experiment(projectId, 'alone');
    await grantTo({ userId: somebody.id }, 'QUEUE', id, 'MANAGE');
    expect(nodes((await list({ resource: { experiment: { id } } })).data.permissions)).toEqual([]);
  });

  it('shows the grants on a public resource to those who would manage it, if their scopes allow it', async () => {
    const { id } = await experiment(projectId, 'public', new Date());
    const resource = { experiment: { id } };
    const manager = { grants: [{ type: 'EXPERIMENT', id, level: 'MANAGE' }] } as const;
    for (const [options, expected] of [
      [manager, 'OK'],
      [{ ...manager, scopes: ['permission:read'] }, 'OK'],
      [{ ...manager, scopes: ['permission:grant'] }, 'PERMISSION_DENIED'],
      [{}, 'PERMISSION_DENIED'],
    ] as const)
      expect(endOf(await list({ resource }, (await newUser(options)).authorization))).toBe(expected);
  });

  it('takes the same statements for a hidden resource as for an absent one', async () => {
    const outsider = await newUser();
    const statementsFor = async (id: string) => {
      const { result, statements } = await countStatements(() =>
        list({ resource: { experiment: { id } } }, outsider.authorization),
      );
      expect(endOf(result)).toBe('NOT_FOUND');
      return statements.filter((text) => !/audit_events|credentials/.test(text));
    };
    await statementsFor(trialId);
    const hidden = await statementsFor(trialId);
    expect(hidden.length).toBeGreaterThan(1);
    expect(await statementsFor(newId())).toEqual(hidden);
  });

  it('answers pages, forward and backward, without gap or repeat', async () => {
    const wanted = nodes((await list({ inherited: true, first: 1000 })).data.permissions).map(
      (node: Answer) => node.id,
    );
    expect(wanted.length).toBeGreaterThan(5);
    const walk = async (size: 'first' | 'last', from: 'after' | 'before', cursor: string, more: string) => {
      const seen: string[][] = [];
      let at: string | null = null;
      do {
        const page: Answer = (await list({ inherited: true, [size]: 2, [from]: at })).data.permissions;
        seen.push(nodes(page).map((node: Answer) => node.id));
        at = page.pageInfo[more] ? page.pageInfo[cursor] : null;
      } while (at);
      return seen;
    };
    expect((await walk('first', 'after', 'endCursor', 'hasNextPage')).flat()).toEqual(wanted);
    const backward = await walk('last', 'before', 'startCursor', 'hasPreviousPage');
    expect(backward.reverse().flat()).toEqual(wanted);
  });

  it('requires an administrator for all resources of a type and for the tenant', async () => {
    const manager = await newUser({ level: 'MANAGE' });
    for (const resource of [{ all: 'EXPERIMENT' }, { tenant: true }]) {
      expect(endOf(await list({ resource }, manager.authorization))).toBe('PERMISSION_DENIED');
      expect(nodes((await list({ resource })).data.permissions)).toHaveLength(1);
    }
  });

  it('takes the same number of statements for one row and for many', async () => {
    const ids = Array.from({ length: 60 }, () => newId());
    const tenantId = await homeTenant();
    await db.user.createMany({
      data: ids.map((id) => ({ id, tenantId, username: id, usernameKey: id, name: id })),
    });
    const { id: resourceId } = await experiment(projectId, 'crowded');
    await db.grant.createMany({
      data: ids.map((userId) => ({
        id: newId(),
        tenantId,
        userId,
        resourceType: 'EXPERIMENT' as const,
        resourceId,
        level: 'READ' as const,
      })),
    });
    const resource = { experiment: { id: resourceId } };
    await list({ resource, first: 2 });
    const one = await countStatements(() => list({ resource, first: 1 }));
    const many = await countStatements(() => list({ resource, first: 60 }));
    expect(nodes(many.result.data.permissions)).toHaveLength(60);
    expect(many.statements).toHaveLength(one.statements.length);
  });
});

const mineDocument = `query ($filter: MyGrantFilterInput, $first: Int, $after: String) {
  myPermissions(filter: $filter, first: $first, after: $after) {
    edges { node { effectiveLevel grant { ${permissionFields} } } } ${pageInfo}
  }
}`;
const mine = async (authorization: string, variables: object = {}): Promise<Answer> => {
  const { data, errors } = await app.ask(mineDocument, variables, authorization);
  expect(errors).toBeUndefined();
  return data.myPermissions;
};

describe('myPermissions', () => {
  it('lists the permissions of the caller and of its groups with the level that results', async () => {
    const ann = await newUser({ role: 'ANNOTATOR' });
    await newGroup('readers', [ann]);
    await newGroup('strangers');
    await grant({ group: { name: 'readers' } }, { project: { id: projectId } }, 'READ');
    await grant({ group: { name: 'strangers' } }, { project: { id: projectId } }, 'MANAGE');
    await grant({ group: { name: 'everyone' } }, { all: 'QUEUE' }, 'USE');
    await grant({ user: { id: ann.id } }, { project: { id: projectId } }, 'MANAGE');
    const rows = nodes(await mine(ann.authorization)).map(({ effectiveLevel, grant: row }: Answer) => ({
      effectiveLevel,
      level: row.level,
      of: row.subject.username ?? row.subject.name,
      on: row.resource.name ?? row.resource.type,
    }));
    // An annotator has USE at most.
    expect(rows).toEqual([
      { effectiveLevel: 'USE', level: 'MANAGE', of: ann.username, on: project },
      { effectiveLevel: 'USE', level: 'USE', of: 'everyone', on: 'QUEUE' },
      { effectiveLevel: 'USE', level: 'READ', of: 'readers', on: project },
    ]);
    const filtered = nodes(await mine(ann.authorization, { filter: { resourceType: 'QUEUE' } }));
    expect(filtered).toHaveLength(1);
    await write.revoke({ subject: { group: { name: 'everyone' } }, resource: { all: 'QUEUE' } });
  });

  it('does not show resources that a permission closes', async () => {
    const secret = await experiment(projectId, 'secret');
    const shut = await experiment(projectId, 'shut');
    const bob = await newUser();
    const crew = await newGroup('closers', [bob]);
    await grant({ user: { id: bob.id } }, { experiment: { id: secret.id } }, 'NO_PERMISSIONS');
    await grant({ group: { id: crew } }, { experiment: { id: secret.id } }, 'MANAGE');
    await grant({ group: { id: crew } }, { experiment: { id: shut.id } }, 'NO_PERMISSIONS');
    const text = JSON.stringify(await mine(bob.authorization));
    expect(text).not.toContain(secret.id);
    expect(text).not.toContain(shut.id);
    await write.update({
      subject: { user: { id: bob.id } },
      resource: { experiment: { id: secret.id } },
      level: 'READ',
    });
    expect(JSON.stringify(await mine(bob.authorization))).toContain(secret.id);
  });

  it('gives no level on an object that does not exist any more', async () => {
    const { authorization } = await newUser({ grants: [{ type: 'QUEUE', id: newId(), level: 'MANAGE' }] });
    expect(nodes(await mine(authorization))).toMatchObject([
      { effectiveLevel: 'NO_PERMISSIONS', grant: { level: 'MANAGE', resource: { name: null } } },
    ]);
  });

  it('computes the effective level only where it is selected', async () => {
    const ann = await newUser();
    await grant({ user: { id: ann.id } }, { project: { id: projectId } }, 'READ');
    const ask = (selected: string) =>
      app.ask(`{ myPermissions { edges { node { ${selected} } } } }`, {}, ann.authorization);
    await ask('effectiveLevel');
    expect((await countStatements(() => ask('grant { level }'))).statements).toHaveLength(1);
    expect((await countStatements(() => ask('effectiveLevel'))).statements.length).toBeGreaterThan(1);
  });

  it.each([
    ['nodes { grant { level } }', 1],
    ['nodes { grant { resource { type id } } }', 1],
    ['edges { node { grant { resource { name } } } }', hasPlans ? 2 : 3],
    ['nodes { mine: grant { on: resource { called: name } } }', hasPlans ? 2 : 3],
  ])('reads the names of projects together with the grants: %s', async (selected, expected) => {
    const ann = await newUser();
    await grant({ user: { id: ann.id } }, { project: { id: projectId } }, 'READ');
    await grant({ user: { id: ann.id } }, { project: { id: otherId } }, 'READ');
    await grant({ user: { id: ann.id } }, trial(), 'READ');
    await grantOnNothing(ann.id);
    const ask = () => app.ask(`{ myPermissions { ${selected} } }`, {}, ann.authorization);
    await ask();
    const { result, statements } = await countStatements(ask);
    expect(result.errors).toBeUndefined();
    expect(statements).toHaveLength(expected);
    const text = JSON.stringify(result.data);
    for (const name of [project, 'other', 'trial'])
      expect(text.includes(`"${name}"`)).toBe(selected.includes('name'));
    vi.spyOn(Planner.prototype, 'planFor').mockReturnValue(null);
    expect((await ask()).data).toEqual(result.data);
    vi.restoreAllMocks();
  });

  it('answers 3,400 permissions in pages with the same number of statements each', async () => {
    const tenantId = await homeTenant();
    const rich = await newUser();
    const ids = Array.from({ length: 3400 }, () => newId());
    await pool.query(
      `insert into experiments (id, tenant_id, project_id, name, created_by_id, updated_at)
       select id, $2, $3, id::text, $4, now() from unnest($1::uuid[]) as id`,
      [ids, tenantId, projectId, rich.id],
    );
    await pool.query(
      `insert into grants (id, tenant_id, user_id, resource_type, resource_id, level, updated_at)
       select row.id, $3, $4, 'EXPERIMENT', row.resource_id, 'EDIT', now()
         from unnest($1::uuid[], $2::uuid[]) as row(id, resource_id)`,
      [ids.map(() => newId()), ids, tenantId, rich.id],
    );
    const seen = new Set<string>();
    let after: string | null = null;
    let pages = 0;
    do {
      const page: Answer = await mine(rich.authorization, { first: 1000, after });
      for (const { grant: row, effectiveLevel } of nodes(page)) {
        expect(effectiveLevel).toBe('EDIT');
        seen.add(row.resource.id);
      }
      after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
      pages += 1;
    } while (after);
    expect([seen.size, pages]).toEqual([3400, 4]);
    const one = await countStatements(() => mine(rich.authorization, { first: 1 }));
    const many = await countStatements(() => mine(rich.authorization, { first: 1000 }));
    expect(many.statements).toHaveLength(one.statements.length);
  });
});

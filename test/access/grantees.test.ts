/** Whom somebody who manages a resource can share it with. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { newTenant } from '../support/credentials.ts';
import { newUser } from '../support/people.ts';
import { registerProject } from '../support/seed.ts';
import { countStatements } from '../support/statements.ts';
import { group, homeTenant, outcome, type Person, permissionMutations, person } from './stage.ts';

const project = 'shared';
const resource = { project: { identifier: project } };
let app: App;
let manager: Person;
let projectId: string;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  projectId = await registerProject(app, project);
  for (const username of ['Marie', 'Mario', 'marion', 'maximilian'])
    await newUser(app, { username, email: `${username}@example.com` });
  await newUser(app, { username: 'martha' });
  await db.user.updateMany({ where: { usernameKey: 'martha' }, data: { disabledAt: new Date() } });
  await group('Marketing');
  const tenantId = await newTenant('neighbours');
  await db.user.create({
    data: { id: newId(), tenantId, username: 'mara', usernameKey: 'mara', name: 'Mara' },
  });
  manager = await person(app);
  await db.grant.create({
    data: {
      tenantId: await homeTenant(),
      userId: manager.id,
      resourceType: 'PROJECT',
      resourceId: projectId,
      level: 'MANAGE',
    },
  });
});
afterAll(() => app.stop());

const document = `query ($resource: ResourceByInput!, $prefix: String!, $first: Int! = 10) {
  grantees(resource: $resource, prefix: $prefix, first: $first) { id kind name }
}`;
const search = (variables: object, authorization = manager.authorization) =>
  app.ask(document, { resource, ...variables }, authorization);
const namesOf = ({ data }: Answer) => data.grantees.map(({ kind, name }: Answer) => `${kind} ${name}`);

describe('grantees', () => {
  it('finds users and groups by how their names begin, in any case, by name', async () => {
    const all = ['USER Marie', 'USER Mario', 'USER marion', 'GROUP Marketing'];
    expect(namesOf(await search({ prefix: 'mar' }))).toEqual(all);
    expect(namesOf(await search({ prefix: 'ＭＡＲ' }))).toEqual(all);
    expect(namesOf(await search({ prefix: 'mario' }))).toEqual(['USER Mario', 'USER marion']);
    expect(namesOf(await search({ prefix: 'mar', first: 2 }))).toEqual(all.slice(0, 2));
    expect(namesOf(await search({ prefix: 'm%' }))).toEqual([]);
  });

  it('answers what a grant takes, also of a group that the manager is not in', async () => {
    const write = permissionMutations(app);
    const { data } = await search({ prefix: 'mar' });
    for (const { id, kind } of data.grantees) {
      const subject = kind === 'USER' ? { user: { id } } : { group: { id } };
      const input = { subject, resource, level: 'READ' };
      expect(outcome(await write.grant(input, manager.authorization))).toBe('OK');
      expect(outcome(await write.revoke({ subject, resource }, manager.authorization))).toBe('OK');
    }
  });

  it('is for those who manage the resource, and refused as granting is', async () => {
    const [outsider, reader] = [await person(app), await person(app, 'USER', { level: 'READ' })];
    expect(outcome(await search({ prefix: 'mar' }, outsider.authorization))).toBe('NOT_FOUND');
    expect(outcome(await search({ prefix: 'mar' }, reader.authorization))).toBe('PERMISSION_DENIED');
    const all = { resource: { all: 'PROJECT' }, prefix: 'mar' };
    expect(outcome(await search(all))).toBe('PERMISSION_DENIED');
    expect(namesOf(await search(all, app.admin))).toHaveLength(4);
  });

  it.each([
    ['an empty prefix', { prefix: '' }],
    ['a prefix of one character', { prefix: 'm' }],
    ['spaces', { prefix: '   ' }],
    ['none', { prefix: 'mar', first: 0 }],
    ['more than 50', { prefix: 'mar', first: 51 }],
  ])('is no list of everybody: %s', async (_name, variables) => {
    expect(outcome(await search(variables))).toBe('INVALID_ARGUMENT');
  });

  it('is one statement, however many it finds', async () => {
    await search({ prefix: 'mar' });
    const one = await countStatements(() => search({ prefix: 'maximilian' }));
    const many = await countStatements(() => search({ prefix: 'mar' }));
    expect(many.statements).toHaveLength(one.statements.length);
  });
});

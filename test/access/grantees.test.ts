/** The users and groups with whom the manager of a resource can share it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { endOf } from '../support/mutate.ts';
import { createUser } from '../support/people.ts';
import { registerProject } from '../support/seed.ts';
import { countStatements } from '../support/statements.ts';
import { newGroup, newTenant, newUser, type User } from '../support/users.ts';
import { permissionMutations } from './stage.ts';

const project = 'shared';
const resource = { project: { identifier: project } };
let app: App;
let manager: User;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  const projectId = await registerProject(app, project);
  for (const username of ['Marie', 'Mario', 'marion', 'maximilian'])
    await createUser(app, { username, email: `${username}@example.com` });
  await createUser(app, { username: 'martha' });
  await db.user.updateMany({ where: { usernameKey: 'martha' }, data: { disabledAt: new Date() } });
  await newGroup('Marketing');
  await newUser({ tenantId: await newTenant('neighbours'), username: 'mara' });
  manager = await newUser({ grants: [{ type: 'PROJECT', id: projectId, level: 'MANAGE' }] });
});
afterAll(() => app.stop());

const document = `query ($resource: ResourceByInput!, $prefix: String!, $first: Int! = 10) {
  grantees(resource: $resource, prefix: $prefix, first: $first) { id kind name }
}`;
const search = (variables: object, authorization = manager.authorization) =>
  app.ask(document, { resource, ...variables }, authorization);
const namesOf = ({ data }: Answer) => data.grantees.map(({ kind, name }: Answer) => `${kind} ${name}`);

describe('grantees', () => {
  it('finds users and groups by the beginning of their names, in any case, ordered by name', async () => {
    const all = ['USER Marie', 'USER Mario', 'USER marion', 'GROUP Marketing'];
    expect(namesOf(await search({ prefix: 'mar' }))).toEqual(all);
    expect(namesOf(await search({ prefix: 'ＭＡＲ' }))).toEqual(all);
    expect(namesOf(await search({ prefix: 'mario' }))).toEqual(['USER Mario', 'USER marion']);
    for (const first of [1, 2, 50])
      expect(namesOf(await search({ prefix: 'mar', first }))).toEqual(all.slice(0, first));
    expect(namesOf(await search({ prefix: 'm%' }))).toEqual([]);
  });

  it('answers subjects that can be granted a level, also groups that the manager does not belong to', async () => {
    const write = permissionMutations(app);
    const { data } = await search({ prefix: 'mar' });
    for (const { id, kind } of data.grantees) {
      const subject = kind === 'USER' ? { user: { id } } : { group: { id } };
      const input = { subject, resource, level: 'READ' };
      expect(endOf(await write.grant(input, manager.authorization))).toBe('OK');
      expect(endOf(await write.revoke({ subject, resource }, manager.authorization))).toBe('OK');
    }
  });

  it('is for managers of the resource, and refuses others as grantPermission does', async () => {
    const [outsider, reader] = [await newUser(), await newUser({ level: 'READ' })];
    expect(endOf(await search({ prefix: 'mar' }, outsider.authorization))).toBe('NOT_FOUND');
    expect(endOf(await search({ prefix: 'mar' }, reader.authorization))).toBe('PERMISSION_DENIED');
    const all = { resource: { all: 'PROJECT' }, prefix: 'mar' };
    expect(endOf(await search(all))).toBe('PERMISSION_DENIED');
    expect(namesOf(await search(all, app.admin))).toHaveLength(4);
  });

  it.each([
    ['an empty prefix', { prefix: '' }],
    ['a prefix of one character', { prefix: 'm' }],
    ['spaces', { prefix: '   ' }],
    ['none', { prefix: 'mar', first: 0 }],
    ['more than 50', { prefix: 'mar', first: 51 }],
  ])('refuses a search that would list everybody: %s', async (_name, variables) => {
    expect(endOf(await search(variables))).toBe('INVALID_ARGUMENT');
  });

  it('takes one statement, however many subjects it finds', async () => {
    await search({ prefix: 'mar' });
    const one = await countStatements(() => search({ prefix: 'maximilian' }));
    const many = await countStatements(() => search({ prefix: 'mar' }));
    expect(many.statements).toHaveLength(one.statements.length);
  });
});

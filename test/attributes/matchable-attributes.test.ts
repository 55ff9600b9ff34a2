import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { domain, registerProject } from '../support/seed.ts';
import { statementsOf } from '../support/statements.ts';
import { homeTenant, newCaller, newTenant } from '../support/users.ts';
import { override, overrides, tags, update } from './attributes-seed.ts';

let app: App;
let projects: { open: string; closed: string };
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  projects = { open: await registerProject(app, 'open'), closed: await registerProject(app, 'closed') };
  const workflow = (name: string) => ({ project: 'open', domain, workflow: name });
  await update(app, workflow('first'), tags('a'));
  await update(app, { project: 'open' }, tags('b'));
  await update(app, { project: 'open', domain }, tags('c'));
  await update(app, { project: 'closed', domain }, tags('d'));
  await update(app, workflow('second'), tags('e'));
  await update(app, workflow('first'), tags('changed'));
  const tenantId = await homeTenant();
  const scope = { domain, workflow: 'first', launchPlan: 'nightly', priority: 1000 };
  await db.matchableAttributes.create({
    data: {
      ...scope,
      tenantId,
      projectId: projects.open,
      resourceType: 'EXECUTION_QUEUE',
      payload: { tags: ['f'] },
    },
  });
  for (const at of [1, 2, 3]) {
    const attributes = [1, 2, 3].map((one) => ({ key: `k${one}`, value: 'v' }));
    await update(app, workflow(`w${at}`), { clusterResource: { attributes } });
    await update(
      app,
      workflow(`w${at}`),
      overrides(override('a', 'p'), override('b', 'p'), override('c', 'p')),
    );
  }
});
afterAll(() => app.stop());

async function list(args = '', authorization?: string, selected = ''): Promise<Answer> {
  const { data, errors } = await app.ask(
    `{ matchableAttributes(resourceType: EXECUTION_QUEUE ${args}) {
         totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
         nodes { launchPlanName attributes { executionQueue { tags } } ${selected} } } }`,
    {},
    authorization,
  );
  expect(errors).toBeUndefined();
  return data.matchableAttributes;
}
const tagsOf = ({ nodes }: Answer): string =>
  nodes.map(({ attributes }: Answer) => attributes.executionQueue.tags[0]).join(' ');

describe('matchableAttributes', () => {
  it('lists all records of a kind, the narrowest scopes first, and of equal scopes the newest', async () => {
    const all = await list();
    expect(tagsOf(all)).toBe('f e changed d c b');
    expect(all.totalCount).toBe(6);
    expect(all.nodes[0].launchPlanName).toBe('nightly');
  });

  it('has pages in both directions', async () => {
    const first = await list(', first: 4');
    expect([tagsOf(first), first.pageInfo.hasNextPage]).toEqual(['f e changed d', true]);
    const second = await list(`, first: 4, after: "${first.pageInfo.endCursor}"`);
    expect([tagsOf(second), second.pageInfo.hasNextPage]).toEqual(['c b', false]);
    expect(tagsOf(await list(`, last: 2, before: "${second.pageInfo.startCursor}"`))).toBe('changed d');
  });

  it('is empty for a kind without records', async () => {
    const { data } = await app.ask(
      '{ matchableAttributes(resourceType: CLUSTER_ASSIGNMENT) { totalCount nodes { domain } } }',
    );
    expect(data.matchableAttributes).toEqual({ totalCount: 0, nodes: [] });
  });

  it('leaves out what the caller may not read, also from the count', async () => {
    const reads = (id: string) => newCaller({ grants: [{ type: 'PROJECT', id, level: 'READ' }] });
    const ofOpen = await list('', await reads(projects.open));
    expect([tagsOf(ofOpen), ofOpen.totalCount]).toEqual(['f e changed c b', 5]);
    const ofClosed = await list('', await reads(projects.closed));
    expect([tagsOf(ofClosed), ofClosed.totalCount]).toEqual(['d', 1]);
    const none = await list('', await newCaller());
    expect([tagsOf(none), none.totalCount]).toEqual(['', 0]);
  });

  it('shows nothing of other tenants', async () => {
    const tenantId = await newTenant('another tenant');
    const other = await list('', await newCaller({ role: 'ADMIN', tenantId }));
    expect([tagsOf(other), other.totalCount]).toEqual(['', 0]);
  });

  it('shows the project only to those who may see it', async () => {
    const selected = 'projectIdentifier project { identifier }';
    const narrow = await newCaller({ role: 'ADMIN', scopes: ['attributes:read'] });
    const [hidden] = (await list(', first: 1', narrow, selected)).nodes;
    expect(hidden).toMatchObject({ projectIdentifier: 'open', project: null });
    const wide = await newCaller({ role: 'ADMIN', scopes: ['attributes:read', 'project:read'] });
    const [shown] = (await list(', first: 1', wide, selected)).nodes;
    expect(shown).toMatchObject({ projectIdentifier: 'open', project: { identifier: 'open' } });
  });

  it('reads the projects of all rows in one statement', async () => {
    const selected = 'projectIdentifier project { identifier }';
    await list('', undefined, selected);
    const one = await statementsOf(() => list(', first: 1', undefined, selected));
    const many = await statementsOf(() => list('', undefined, selected));
    expect(one.statements).toHaveLength(3);
    expect(many.statements).toHaveLength(3);
  });

  it.each([
    ['CLUSTER_RESOURCE', 'clusterResource { attributes { key value } }'],
    ['PLUGIN_OVERRIDE', 'pluginOverride { overrides { taskType pluginIds } }'],
  ])('shows the lists of %s without a further statement', async (type, selected) => {
    const ask = (first: number) =>
      app.ask(
        `{ matchableAttributes(resourceType: ${type}, first: ${first}) { nodes { attributes { ${selected} } } } }`,
      );
    await ask(3);
    for (const first of [1, 3]) {
      const { result, statements } = await statementsOf(() => ask(first));
      expect(result.data.matchableAttributes.nodes).toHaveLength(first);
      expect(JSON.stringify(result.data).match(/"(key|taskType)"/g)).toHaveLength(first * 3);
      expect(statements).toHaveLength(1);
    }
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { payloadFor } from '../../src/attributes/domain/resolve.ts';
import { priorityOf, projectScope, type Scope } from '../../src/attributes/domain/scopes.ts';
import { readMatching } from '../../src/attributes/store.ts';
import { db } from '../../src/platform/database/client.ts';
import { inTransaction } from '../../src/platform/database/transaction.ts';
import { type App, startApp } from '../support/app.ts';
import { registerProject } from '../support/seed.ts';
import { statementsOf } from '../support/statements.ts';
import { homeTenant, newTenant } from '../support/users.ts';

let app: App;
let tenantId: string;
let projectId: string;
const scope = (domain: string, workflow: string | null = null, launchPlan: string | null = null): Scope => ({
  ...{ projectId, domain, workflow, launchPlan },
});

async function store(of: Scope, clusterPoolName: string, inTenant = tenantId): Promise<void> {
  const data = { ...of, tenantId: inTenant, priority: priorityOf(of), payload: { clusterPoolName } };
  await db.matchableAttributes.create({ data: { ...data, resourceType: 'CLUSTER_ASSIGNMENT' } });
}

beforeAll(async () => {
  app = await startApp({ scheduler: false });
  tenantId = await homeTenant();
  projectId = await registerProject(app, 'matched');
  const otherId = await registerProject(app, 'unmatched');
  await store(scope('d', 'w'), 'workflow');
  await store(projectScope(projectId), 'project');
  await store(scope('d', 'w', 'l'), 'launch plan');
  await store(scope('d'), 'domain');
  await store(scope('other'), 'other domain');
  await store(scope('d', 'other'), 'other workflow');
  await store(scope('d', 'w', 'other'), 'other launch plan');
  await store({ ...scope('d'), projectId: otherId }, 'other project');
  const data = { tenantId, projectId, domain: 'd', priority: 10, payload: { tags: ['a'] } };
  await db.matchableAttributes.create({ data: { ...data, resourceType: 'EXECUTION_QUEUE' } });
});
afterAll(() => app.stop());

const pools = ['CLUSTER_ASSIGNMENT'] as const;
const namesOf = (rows: Awaited<ReturnType<typeof readMatching>>) =>
  rows.map((row) =>
    row.resourceType === 'CLUSTER_ASSIGNMENT' ? row.payload.clusterPoolName : row.resourceType,
  );

describe('readMatching', () => {
  it('reads all records whose scope contains the given one, the narrowest first, in one statement', async () => {
    const { result, statements } = await statementsOf(() =>
      readMatching(tenantId, scope('d', 'w', 'l'), pools),
    );
    expect(namesOf(result)).toEqual(['launch plan', 'workflow', 'domain', 'project']);
    expect(statements).toHaveLength(1);
  });

  it.each<[() => Scope, string[]]>([
    [() => scope('d', 'w'), ['workflow', 'domain', 'project']],
    [() => scope('d'), ['domain', 'project']],
    [() => projectScope(projectId), ['project']],
    [() => scope('unknown', 'w', 'l'), ['project']],
  ])('reads nothing narrower: %#', async (of, expected) => {
    expect(namesOf(await readMatching(tenantId, of(), pools))).toEqual(expected);
  });

  it('reads several kinds at once, and only these', async () => {
    const both = await readMatching(tenantId, scope('d'), [...pools, 'EXECUTION_QUEUE']);
    expect(namesOf(both).toSorted()).toEqual(['EXECUTION_QUEUE', 'domain', 'project']);
    expect(payloadFor(both, 'EXECUTION_QUEUE', scope('d', 'w', 'l'))).toEqual({ tags: ['a'] });
    expect(payloadFor(both, 'CLUSTER_ASSIGNMENT', scope('d', 'w', 'l'))).toEqual({
      clusterPoolName: 'domain',
    });
    expect(await readMatching(tenantId, scope('d'), [])).toEqual([]);
  });

  it('reads only records of the tenant', async () => {
    expect(await readMatching(await newTenant('a tenant apart'), scope('d'), pools)).toEqual([]);
  });

  it('reads inside of a transaction, too', async () => {
    const rows = await inTransaction((tx) => readMatching(tenantId, scope('d', 'w', 'l'), pools, tx));
    expect(namesOf(rows)).toEqual(['launch plan', 'workflow', 'domain', 'project']);
  });
});

describe('the table', () => {
  it('has one record of a kind in each scope, whatever parts of it are null', async () => {
    for (const of of [projectScope(projectId), scope('d'), scope('d', 'w'), scope('d', 'w', 'l')])
      await expect(store(of, 'again')).rejects.toThrow(/unique/i);
  });

  it('has no workflow without a domain, and no launch plan without a workflow', async () => {
    const withoutDomain = { ...projectScope(projectId), workflow: 'w' };
    const withoutWorkflow = { ...scope('d'), launchPlan: 'l' };
    for (const of of [withoutDomain, withoutWorkflow]) await expect(store(of, 'x')).rejects.toThrow();
  });
});

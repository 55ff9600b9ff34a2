/** What people see of executors and their machines. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { controlPlaneConfig } from '../../src/platform/config/control-plane.ts';
import { db, pool } from '../../src/platform/database/client.ts';
import { type App, startApp } from '../support/app.ts';
import { newCaller, newTenant } from '../support/users.ts';
import { FleetExecutor, node } from './fleet.ts';
import { PlainQueue } from './plain-jobs.ts';
import { leaseAs, newService } from './stage.ts';

let app: App;
let queue: PlainQueue;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  queue = await PlainQueue.open(app);
});
afterAll(() => app.stop());

const ask = async (query: string, authorization?: string) => {
  const { data, errors } = await app.ask(query, {}, authorization);
  expect(errors).toBeUndefined();
  return data;
};

/** The names that the list shows. */
async function namesOf(filter: string, authorization?: string): Promise<string[]> {
  const { executors } = await ask(
    `{ executors(filter: { ${filter} }) { totalCount edges { node { name } } } }`,
    authorization,
  );
  const names = executors.edges.map((edge: { node: { name: string } }) => edge.node.name);
  expect(executors.totalCount).toBe(names.length);
  return names;
}

/** As if an executor had called so many seconds ago. */
const silent = (name: string, seconds: number) =>
  pool.query('update executors set last_seen_at = now() - make_interval(secs => $2) where name = $1', [
    name,
    seconds,
  ]);

const labels = [{ key: 'zone', value: 'a' }];
const taints = [{ key: 'gpu', value: 'yes', effect: 'NoSchedule' }];

describe('an executor', () => {
  it('shows its machines, what they have, what runs there, and what is left', async () => {
    const nodes = [
      node('n2', '8', { labels, taints, unschedulable: true }),
      node('n1', '4', { labels }),
      { name: 'n3' },
    ];
    const fleet = new FleetExecutor(app, 'shown', { nodes, pool: queue.pool });
    await fleet.call();
    const [id] = await queue.submit([{ nodeSelector: labels }]);
    await queue.stage.assign(queue.pool);
    const read = () =>
      ask(`{ executor(by: { name: "shown" }) {
        name pool state slots nodeCount runCount unacknowledgedRuns held owner { username } cordoned cordonReason
        nodes { totalCount edges { node {
          name executor pool labels { key value } taints { key value effect } unschedulable allocatable held available
          runCount runs { state node executor jobId } cordoned cordonReason cordonedAt } } }
        runs { totalCount edges { node { jobId } } }
        onNode: runs(node: "n1") { edges { node { jobId } } }
        elsewhere: runs(node: "n2") { totalCount edges { node { jobId } } }
      } }`);
    const { executor } = await read();
    const held = { cpu: '1000m', memory: '1073741824' };
    expect(executor).toMatchObject({
      ...{ name: 'shown', pool: queue.pool, state: 'CONNECTED', slots: 10, nodeCount: 3, cordoned: false },
      ...{ runCount: 1, unacknowledgedRuns: 1, held, cordonReason: null },
      owner: { username: expect.any(String) },
      runs: { totalCount: 1, edges: [{ node: { jobId: id } }] },
      onNode: { edges: [{ node: { jobId: id } }] },
      elsewhere: { totalCount: 0, edges: [] },
    });
    expect(executor.nodes.totalCount).toBe(3);
    const bare = { runCount: 0, runs: [], held: {}, cordoned: false, cordonReason: null, cordonedAt: null };
    expect(executor.nodes.edges.map((edge: { node: object }) => edge.node)).toEqual([
      {
        ...{
          ...bare,
          name: 'n1',
          executor: 'shown',
          pool: queue.pool,
          labels,
          taints: [],
          unschedulable: false,
        },
        allocatable: { cpu: '4', memory: '8Gi' },
        held,
        available: { cpu: '3000m', memory: String(7 * 2 ** 30) },
        runCount: 1,
        runs: [{ state: 'LEASED', node: 'n1', executor: 'shown', jobId: id }],
      },
      {
        ...{ ...bare, name: 'n2', executor: 'shown', pool: queue.pool, labels, taints, unschedulable: true },
        allocatable: { cpu: '8', memory: '8Gi' },
        available: { cpu: '8000m', memory: String(8 * 2 ** 30) },
      },
      {
        ...{ ...bare, name: 'n3', executor: 'shown', pool: queue.pool, labels: [], taints: [] },
        ...{ unschedulable: false, allocatable: null, available: null },
      },
    ]);
    const { runs } = await fleet.call({ maxJobs: 0 });
    await fleet.call({ maxJobs: 0 });
    expect((await read()).executor).toMatchObject({ runCount: 1, unacknowledgedRuns: 0, slots: 1 });
    const events = [
      { run: runs[0].id, kind: 'SUCCEEDED', outputs: {}, occurredAt: new Date().toISOString() },
    ];
    await app.ask(
      'mutation ($events: [JobEventInput!]!) { reportJobEvents(input: { events: $events }) { __typename } }',
      { events },
      app.executor,
    );
    expect((await read()).executor).toMatchObject({ runCount: 0, held: {}, runs: { totalCount: 0 } });
  });

  it('shows its runs although it reports no machines', async () => {
    const other = await PlainQueue.open(app);
    const fleet = new FleetExecutor(app, 'bare', { pool: other.pool });
    await fleet.call();
    await other.submit([{}, {}]);
    await other.stage.assign(other.pool);
    const { executor } = await ask(
      '{ executor(by: { name: "bare" }) { nodeCount held nodes { edges { cursor } } runs(first: 1) { totalCount pageInfo { hasNextPage } } } }',
    );
    expect(executor).toEqual({
      nodeCount: 0,
      held: { cpu: '2000m', memory: String(2 ** 31) },
      nodes: { edges: [] },
      runs: { totalCount: 2, pageInfo: { hasNextPage: true } },
    });
  });

  it('is CONNECTED, SILENT or LOST, by when it called last', async () => {
    const { silentSeconds, lostSeconds } = controlPlaneConfig.executorLimits;
    const stateAfter = async (seconds: number) => {
      await silent('aged', seconds);
      return (await ask('{ executor(by: { name: "aged" }) { state } }')).executor.state;
    };
    await leaseAs(app, { executor: 'aged' });
    expect(await stateAfter(silentSeconds - 5)).toBe('CONNECTED');
    expect(await stateAfter(silentSeconds + 5)).toBe('SILENT');
    expect(await stateAfter(lostSeconds - 5)).toBe('SILENT');
    expect(await stateAfter(lostSeconds + 5)).toBe('LOST');
    await leaseAs(app, { executor: 'aged' });
    expect((await ask('{ executor(by: { name: "aged" }) { state } }')).executor.state).toBe('CONNECTED');
  });

  it('is found by its id too, and by node', async () => {
    await leaseAs(app, { executor: 'found' });
    const { id } = await db.executor.findFirstOrThrow({ where: { name: 'found' } });
    const answer = await ask(`{
      executor(by: { id: "${id}" }) { id name }
      node(id: "${id}") { __typename ... on Executor { name } } }`);
    expect(answer).toEqual({
      executor: { id, name: 'found' },
      node: { __typename: 'Executor', name: 'found' },
    });
  });
});

describe('the list of executors', () => {
  beforeAll(async () => {
    for (const [executor, pool] of [
      ['list-c', 'list-one'],
      ['list-a', 'list-one'],
      ['list-b', 'list-two'],
    ])
      await leaseAs(app, { executor, pool });
    await silent('list-b', 7200);
    const { tenantId, userId } = queue.stage;
    await db.executorSettings.createMany({
      data: [
        { tenantId, name: 'list-a', cordoned: true, cordonReason: 'broken', setById: userId },
        { tenantId, name: 'list-c', cordoned: false, setById: userId },
      ],
    });
  });

  it.each([
    ['namePrefix: "list-"', ['list-a', 'list-b', 'list-c']],
    ['pool: "list-one"', ['list-a', 'list-c']],
    ['namePrefix: "list-", states: [LOST]', ['list-b']],
    ['namePrefix: "list-", states: [CONNECTED, SILENT]', ['list-a', 'list-c']],
    ['namePrefix: "list-", cordoned: true', ['list-a']],
    ['namePrefix: "list-", cordoned: false', ['list-b', 'list-c']],
    ['namePrefix: "list-%"', []],
  ])('has the executors that fit { %s }, by name', async (filter, names) => {
    expect(await namesOf(filter)).toEqual(names);
  });

  it('does not have the executors of other tenants', async () => {
    const tenantId = await newTenant('fleet-elsewhere');
    const theirs = await newService(tenantId);
    await leaseAs(app, { executor: 'list-theirs' }, theirs);
    const admin = await newCaller({ role: 'ADMIN', tenantId });
    expect(await namesOf('namePrefix: "list-"', admin)).toEqual(['list-theirs']);
    expect(await namesOf('namePrefix: "list-theirs"')).toEqual([]);
    const { data, errors } = await app.ask('{ executor(by: { name: "list-theirs" }) { name } }');
    expect([data.executor, errors?.[0]?.extensions.code]).toEqual([null, 'NOT_FOUND']);
  });

  it('requires SUPERUSER, and shows a superuser only the runs that it may read', async () => {
    const user = await newCaller({ role: 'USER', level: 'MANAGE' });
    const { errors } = await app.ask('{ executors { edges { node { name } } } }', {}, user);
    expect(errors?.[0]?.extensions.code).toBe('PERMISSION_DENIED');
    const other = await PlainQueue.open(app);
    const fleet = new FleetExecutor(app, 'seen', { nodes: [node('one')], pool: other.pool });
    await fleet.call();
    await other.submit([{}]);
    await other.stage.assign(other.pool);
    const query =
      '{ executor(by: { name: "seen" }) { runCount runs { totalCount edges { cursor } } nodes { edges { node { runCount runs { id } } } } } }';
    const runsFor = async (authorization: string) => {
      const { executor } = await ask(query, authorization);
      expect([executor.runCount, executor.nodes.edges[0].node.runCount]).toEqual([1, 1]);
      return [executor.runs?.edges.length, executor.nodes.edges[0].node.runs?.length];
    };
    const reader = [{ type: 'QUEUE' as const, id: other.id, level: 'READ' as const }];
    expect(await runsFor(await newCaller({ role: 'SUPERUSER' }))).toEqual([0, 0]);
    expect(await runsFor(await newCaller({ role: 'SUPERUSER', grants: reader }))).toEqual([1, 1]);
    const scoped = await newCaller({ role: 'ADMIN', scopes: ['executor:read'] });
    expect(await runsFor(scoped)).toEqual([undefined, undefined]);
  });

  it('filters machines by their cordon', async () => {
    const fleet = new FleetExecutor(app, 'filtered', { nodes: [node('a'), node('b')] });
    await fleet.call({ maxJobs: 0 });
    const { tenantId, userId } = queue.stage;
    await db.nodeCordon.create({
      data: { tenantId, executorName: 'filtered', node: 'b', reason: 'hot', setById: userId },
    });
    const { executor } = await ask(`{ executor(by: { name: "filtered" }) {
      yes: nodes(cordoned: true) { totalCount edges { node { name cordonReason cordonedBy { username } } } }
      no: nodes(cordoned: false) { totalCount edges { node { name } } } } }`);
    expect(executor).toEqual({
      yes: {
        totalCount: 1,
        edges: [{ node: { name: 'b', cordonReason: 'hot', cordonedBy: { username: 'admin' } } }],
      },
      no: { totalCount: 1, edges: [{ node: { name: 'a' } }] },
    });
  });
});

/** What executors really use. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { db, pool } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { newCaller, newTenant, newUser } from '../support/users.ts';
import { FleetExecutor, node } from './fleet.ts';
import { PlainQueue } from './plain-jobs.ts';
import { leaseAs, newService } from './stage.ts';

let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
});
afterAll(() => app.stop());

let queue: PlainQueue;
let fleet: FleetExecutor;
beforeEach(async () => {
  queue = await PlainQueue.open(app);
  fleet = new FleetExecutor(app, `used-${queue.name.slice(-12)}`, { nodes: [node('a')], pool: queue.pool });
  await fleet.call();
});

const at = '2026-11-27T12:00:00.000Z';
const report = (input: object, authorization = app.executor): Promise<Answer> =>
  mutate(app, 'reportUsage', { executor: fleet.name, reportedAt: at, ...input }, 'storedRuns', authorization);

const queueUsage = (more: object = {}) => ({
  ...{ name: queue.name, resources: { cpu: '2', memory: '1Gi' }, resourcesUsed: { cpu: '250m' } },
  ...{ runsByState: [{ state: 'RUNNING', count: 2 }], ...more },
});
const nodeType = (more: object = {}) => ({
  ...{ nodeType: 'plain', capacity: { cpu: '4' }, availableCapacity: { cpu: '3.5' }, totalNodes: 2 },
  ...{ schedulableNodes: 1, queues: [queueUsage()], ...more },
});

async function runOf(): Promise<{ id: string; jobId: string }> {
  await queue.submit([{}]);
  await queue.stage.assign(queue.pool);
  const { runs } = await fleet.call();
  return runs[0];
}

const read = async (query: string, authorization?: string) => {
  const { data, errors } = await app.ask(query, {}, authorization);
  expect(errors).toBeUndefined();
  return data;
};
const usageOfExecutor = async () =>
  (
    await read(`{ executor(by: { name: "${fleet.name}" }) { usage { reportedAt nodeTypes {
      nodeType taints { key value effect } capacity availableCapacity cordonedUsage totalNodes schedulableNodes
      queues { name resources resourcesUsed runsByState { state count } } } } } }`)
  ).executor.usage;
const usageOfQueue = async (authorization?: string) =>
  (
    await read(
      `{ queue(by: { name: "${queue.name}" }) { usage { pool resources resourcesUsed runsByState { state count } reportedAt } } }`,
      authorization,
    )
  ).queue.usage;
const usageOfRun = async (id: string) =>
  (
    await read(
      `{ jobRun(by: { id: "${id}" }) { usage { reportedAt maxResources avgResources cumulativeUsage } } }`,
    )
  ).jobRun;

const utilisations = async (jobId: string) => {
  const { rows } = await pool.query(
    `select sequence from job_events where job_id = $1 and kind = 'UTILISATION' order by sequence`,
    [jobId],
  );
  return rows.length;
};

describe('reportUsage', () => {
  it('shows on the executor and on the queue what was reported last', async () => {
    expect(await usageOfExecutor()).toBeNull();
    const taints = [{ key: 'gpu', value: 'yes', effect: 'NoSchedule' }];
    const cordonedUsage = { 'nvidia.com/gpu': '1' };
    expect(await report({ nodeTypes: [nodeType({ taints, cordonedUsage })] })).toMatchObject({
      storedRuns: 0,
    });
    const resources = { cpu: '2000m', memory: String(2 ** 30) };
    const used = { resources, resourcesUsed: { cpu: '250m' }, runsByState: [{ state: 'RUNNING', count: 2 }] };
    expect(await usageOfExecutor()).toEqual({
      reportedAt: at,
      nodeTypes: [
        {
          ...{ nodeType: 'plain', taints, capacity: { cpu: '4000m' }, availableCapacity: { cpu: '3500m' } },
          ...{ cordonedUsage, totalNodes: 2, schedulableNodes: 1, queues: [{ name: queue.name, ...used }] },
        },
      ],
    });
    expect(await usageOfQueue()).toEqual([{ pool: queue.pool, ...used, reportedAt: expect.any(String) }]);
    await report({ nodeTypes: [] });
    expect((await usageOfExecutor()).nodeTypes).toEqual([]);
    expect(await usageOfQueue()).toEqual([]);
  });

  it('adds up what several types and executors report about a queue, by pool', async () => {
    const other = new FleetExecutor(app, `b-${fleet.name}`.slice(0, 40), { pool: queue.pool });
    const far = new FleetExecutor(app, `c-${fleet.name}`.slice(0, 40), { pool: 'another' });
    await other.call();
    await far.call();
    const pending = { runsByState: [{ state: 'PENDING', count: 1 }], resourcesUsed: {} };
    const types = [nodeType(), nodeType({ nodeType: 'second', queues: [queueUsage(pending)] })];
    await report({ nodeTypes: types });
    await report({ executor: other.name, nodeTypes: [nodeType()] });
    await report({ executor: far.name, nodeTypes: [nodeType()] });
    const [first, second] = await usageOfQueue();
    expect([first.pool, second.pool]).toEqual(['another', queue.pool]);
    expect(second).toMatchObject({
      resources: { cpu: '6000m', memory: String(3 * 2 ** 30) },
      resourcesUsed: { cpu: '500m' },
      runsByState: [
        { state: 'PENDING', count: 1 },
        { state: 'RUNNING', count: 4 },
      ],
    });
  });

  it('shows nothing on queues that is older than 15 minutes', async () => {
    await report({ nodeTypes: [nodeType()] });
    const age = (seconds: number) =>
      pool.query('update executors set usage_at = now() - make_interval(secs => $2) where name = $1', [
        fleet.name,
        seconds,
      ]);
    await age(890);
    expect(await usageOfQueue()).toHaveLength(1);
    await age(910);
    expect(await usageOfQueue()).toEqual([]);
  });

  it('stores what a run uses, and writes an event about it, at most once a minute', async () => {
    const run = await runOf();
    const usage = { maxResources: { cpu: '1500m', memory: '64Mi' }, avgResources: { cpu: '1' } };
    const runs = [{ run: run.id, ...usage, cumulativeUsage: { cpu: '90' } }];
    expect(await usageOfRun(run.id)).toEqual({ usage: null });
    expect(await report({ runs })).toMatchObject({ storedRuns: 1 });
    const shown = {
      maxResources: { cpu: '1500m', memory: String(64 * 2 ** 20) },
      avgResources: { cpu: '1000m' },
      cumulativeUsage: { cpu: '90000m' },
    };
    expect((await usageOfRun(run.id)).usage).toEqual({ ...shown, reportedAt: expect.any(String) });
    expect(await report({ runs: [{ run: run.id, maxResources: { cpu: '9' } }] })).toMatchObject({
      storedRuns: 0,
    });
    expect((await usageOfRun(run.id)).usage).toMatchObject(shown);
    expect(await utilisations(run.jobId)).toBe(1);
    const { jobSetEvents } = await read(
      `{ jobSetEvents(queue: { name: "${queue.name}" }, jobSet: "set") { events { kind occurredAt usage { maxResources } } } }`,
    );
    expect(jobSetEvents.events.at(-1)).toEqual({
      ...{ kind: 'UTILISATION', occurredAt: at, usage: { maxResources: shown.maxResources } },
    });
    await db.jobRun.update({ where: { id: run.id }, data: { usageAt: new Date(Date.now() - 61_000) } });
    expect(await report({ runs: [{ run: run.id, maxResources: { cpu: '9' } }] })).toMatchObject({
      storedRuns: 1,
    });
    expect((await usageOfRun(run.id)).usage).toMatchObject({
      maxResources: { cpu: '9000m' },
      avgResources: {},
    });
    expect(await utilisations(run.jobId)).toBe(2);
  });

  it('stores each run once when reports about it arrive at the same time', async () => {
    const run = await runOf();
    const runs = [{ run: run.id, maxResources: { cpu: '1' } }];
    const answers = await Promise.all(Array.from({ length: 8 }, () => report({ runs })));
    expect(answers.reduce((all, { storedRuns }) => all + storedRuns, 0)).toBe(1);
    expect(await utilisations(run.jobId)).toBe(1);
  });

  it('leaves out runs that have ended, do not exist, or belong to another executor', async () => {
    const run = await runOf();
    const other = new FleetExecutor(app, `d-${fleet.name}`.slice(0, 40), { pool: queue.pool });
    await queue.submit([{}], 'set');
    await other.call();
    fleet.nodes[0] = node('a', '0');
    await fleet.call({ maxJobs: 0 });
    await queue.stage.assign(queue.pool);
    const [theirs] = (await other.call()).runs;
    const about = (id: string) => ({ run: id, maxResources: {} });
    const both = [about(run.id), about(theirs.id)];
    expect(await report({ executor: other.name, runs: both })).toMatchObject({ storedRuns: 1 });
    expect(await usageOfRun(run.id)).toEqual({ usage: null });
    expect(await report({ runs: [about(newId())] })).toMatchObject({ storedRuns: 0 });
    await db.jobRun.update({ where: { id: run.id }, data: { state: 'SUCCEEDED', endedAt: new Date() } });
    expect(await report({ runs: [about(run.id)] })).toMatchObject({ storedRuns: 0 });
    expect(await utilisations(run.jobId)).toBe(0);
  });

  it('does not find an executor that never called, or that somebody else uses', async () => {
    const missing = { code: 'NOT_FOUND', path: ['input', 'executor'] };
    expect(await report({ executor: 'nobody' })).toMatchObject(missing);
    expect(await report({}, await newService())).toMatchObject(missing);
    expect(await report({}, await newService(await newTenant(queue.name)))).toMatchObject(missing);
    const instance = newId();
    const name = `e-${fleet.name}`.slice(0, 40);
    await leaseAs(app, { executor: name, instance });
    expect(await report({ executor: name, instance: newId() })).toMatchObject(missing);
    expect(await report({ executor: name, instance })).toMatchObject({ storedRuns: 0 });
  });

  it('gets no new jobs for an executor that was silent', async () => {
    await db.executor.updateMany({ where: { name: fleet.name }, data: { lastSeenAt: new Date(0) } });
    await queue.submit([{}]);
    await report({});
    expect((await queue.stage.assign(queue.pool)).assigned).toBe(0);
    await fleet.call();
    expect((await queue.stage.assign(queue.pool)).assigned).toBe(1);
  });

  it('shows the usage of a queue to those who may read the queue', async () => {
    await report({ nodeTypes: [nodeType()] });
    const grants = [{ type: 'QUEUE' as const, id: queue.id, level: 'READ' as const }];
    const { authorization } = await newUser({ grants });
    expect(await usageOfQueue(authorization)).toHaveLength(1);
    const elsewhere = await newCaller({ role: 'ADMIN', tenantId: await newTenant(`u-${queue.name}`) });
    await mutate(app, 'createQueue', { name: queue.name }, '', elsewhere);
    expect(await usageOfQueue(elsewhere)).toEqual([]);
  });

  const run = () => ({ run: newId(), maxResources: {} });
  it.each<[string, () => object, readonly string[]]>([
    [
      'amounts that are no quantities',
      () => ({ nodeTypes: [nodeType({ capacity: { cpu: 'many' } })] }),
      ['nodeTypes', '0', 'capacity'],
    ],
    [
      'amounts that are no object',
      () => ({ runs: [{ ...run(), avgResources: [1] }] }),
      ['runs', '0', 'avgResources'],
    ],
    [
      'a negative amount',
      () => ({ nodeTypes: [nodeType({ cordonedUsage: { cpu: '-1' } })] }),
      ['nodeTypes', '0', 'cordonedUsage'],
    ],
    [
      'a negative count',
      () => ({ nodeTypes: [nodeType({ totalNodes: -1 })] }),
      ['nodeTypes', '0', 'totalNodes'],
    ],
    [
      'a negative count of runs',
      () => ({
        nodeTypes: [nodeType({ queues: [queueUsage({ runsByState: [{ state: 'RUNNING', count: -1 }] })] })],
      }),
      ['nodeTypes', '0', 'queues', '0', 'runsByState'],
    ],
    [
      'a queue without a name',
      () => ({ nodeTypes: [nodeType({ queues: [queueUsage({ name: '' })] })] }),
      ['nodeTypes', '0', 'queues', '0', 'name'],
    ],
    [
      'too many types',
      () => ({ nodeTypes: Array.from({ length: 101 }, () => nodeType({ queues: [] })) }),
      ['nodeTypes'],
    ],
    [
      'too many queues',
      () => ({ nodeTypes: [nodeType({ queues: Array.from({ length: 1001 }, () => queueUsage()) })] }),
      ['nodeTypes'],
    ],
    ['too many runs', () => ({ runs: Array.from({ length: 2501 }, run) }), ['runs']],
    [
      'too many resources',
      () => ({
        runs: [
          {
            ...run(),
            maxResources: Object.fromEntries(Array.from({ length: 65 }, (_, at) => [`r${at}`, '1'])),
          },
        ],
      }),
      ['runs', '0', 'maxResources'],
    ],
    [
      'a run twice',
      () => {
        const one = run();
        return { runs: [one, one] };
      },
      ['runs', '1', 'run'],
    ],
    ['a run that is no id', () => ({ runs: [{ ...run(), run: 'x' }] }), ['runs', '0', 'run']],
    ['a process that is no id', () => ({ instance: 'x' }), ['instance']],
    ['a time before 1970', () => ({ reportedAt: '1969-12-31T23:59:59.000Z' }), ['reportedAt']],
  ])('refuses %s', async (_what, input, path) => {
    const answer = await report(input());
    expect(answer.problems?.map((problem: { path: string[] }) => problem.path)).toEqual([['input', ...path]]);
  });

  it('accepts a report of the largest size', async () => {
    const queues = Array.from({ length: 10 }, (_, index) => queueUsage({ name: `q${index}` }));
    const nodeTypes = Array.from({ length: 100 }, () => nodeType({ queues }));
    expect(await report({ nodeTypes, runs: Array.from({ length: 2500 }, run) })).toMatchObject({
      storedRuns: 0,
    });
  });
});

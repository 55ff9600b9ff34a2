import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expireLeases } from '../../src/jobs/commands/expire-leases.ts';
import { db, pool } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { statementsOf } from '../support/statements.ts';
import { newCaller, newUser } from '../support/users.ts';
import { PlainQueue } from './plain-jobs.ts';
import { newJob, Stage } from './stage.ts';

let app: App;
let queue: PlainQueue;
/** Three jobs of the job set `set`, and one of the job set `two`. */
let ids: string[];
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  queue = await PlainQueue.open(app);
  const label = (value: string) => [
    { key: 'team', value },
    { key: 'all', value: 'yes' },
  ];
  ids = [
    ...(await queue.submit([
      { clientId: 'a', labels: label('red'), externalUri: 'ticket:1', priority: 5 },
      { clientId: 'b', labels: label('blue'), priorityClass: 'slipway-preemptible', priority: 1 },
      { labels: label('red'), pool: 'elsewhere', priority: 1 },
    ])),
    ...(await queue.submit([{ clientId: 'd' }], 'two')),
  ];
  await mutate(app, 'cancelJobs', { ids: [ids[3]] });
  await pool.query(`update jobs set submitted_at = '2026-01-01T00:00:00Z' where id = $1`, [ids[0]]);
});
afterAll(() => app.stop());

async function list(filter: object, orderBy = 'NEWEST', authorization?: string): Promise<Answer> {
  const { data, errors } = await app.ask(
    `query ($filter: JobFilterInput, $orderBy: JobOrder) {
       jobs(filter: $filter, orderBy: $orderBy, first: 1000) { nodes { id } totalCount } }`,
    { filter, orderBy },
    authorization,
  );
  if (errors) return { code: errors[0]?.extensions.code, message: errors[0]?.message };
  expect(data.jobs.totalCount).toBe(data.jobs.nodes.length);
  return data.jobs.nodes.map((node: Answer) => node.id);
}

/** The places of the listed jobs among `ids`. */
async function placesOf(filter: object, orderBy?: string): Promise<number[]> {
  const listed: string[] = await list({ queue: queue.name, ...filter }, orderBy);
  return listed.map((id) => ids.indexOf(id));
}

describe('jobs', () => {
  it.each([
    ['all of a queue, newest first', {}, [3, 2, 1, 0]],
    ['of a job set', { jobSet: 'set' }, [2, 1, 0]],
    ['of another job set', { jobSet: 'two' }, [3]],
    ['in these states', { states: ['CANCELLED', 'RUNNING'] }, [3]],
    ['in no state', { states: [] }, []],
    ['with these client ids', { clientIds: ['a', 'd', 'x'] }, [3, 0]],
    ['with a reference', { externalUri: 'ticket:1' }, [0]],
    ['of a class', { priorityClasses: ['slipway-preemptible'] }, [1]],
    ['of a pool', { pools: ['elsewhere'] }, [2]],
    ['with a label', { labels: [{ key: 'team', value: 'red' }] }, [2, 0]],
    [
      'with all of several labels',
      {
        labels: [
          { key: 'team', value: 'blue' },
          { key: 'all', value: 'yes' },
        ],
      },
      [1],
    ],
    ['that were submitted at a time or later', { submittedAfter: '2026-01-01T00:00:00.001Z' }, [3, 2, 1]],
    ['that were submitted at exactly this time', { submittedAfter: '2026-01-01T00:00:00Z' }, [3, 2, 1, 0]],
    ['that were submitted before a time', { submittedBefore: '2026-01-01T00:00:00.001Z' }, [0]],
    ['that were submitted before, not at a time', { submittedBefore: '2026-01-01T00:00:00Z' }, []],
  ])('are listed: %s', async (_what, filter, places) => {
    expect(await placesOf(filter)).toEqual(places);
  });

  it('are listed by ids, whatever their queue; unknown ids are left out', async () => {
    const [first = '', , , last = ''] = ids;
    expect(await list({ ids: [first, newId(), last, 'no id'] })).toEqual([last, first]);
    expect(await list({ ids: [] })).toEqual([]);
  });

  it('are sorted by age, or in the order in which they start', async () => {
    expect(await placesOf({}, 'OLDEST')).toEqual([0, 1, 2, 3]);
    expect(await placesOf({}, 'PRIORITY')).toEqual([3, 1, 2, 0]);
    await pool.query('update jobs set class_priority = 2000 where id = $1', [ids[0]]);
    expect(await placesOf({}, 'PRIORITY')).toEqual([0, 3, 1, 2]);
    await pool.query('update jobs set class_priority = 1000 where id = $1', [ids[0]]);
  });

  it.each(['NEWEST', 'OLDEST', 'PRIORITY'])(
    'are listed page by page without gap or repeat: %s',
    async (order) => {
      const all = await placesOf({}, order);
      const places: number[] = [];
      for (let after: string | null = null, more = true; more; ) {
        const { data } = (await app.ask(
          `query ($after: String, $queue: String!) { jobs(filter: { queue: $queue }, orderBy: ${order}, first: 1, after: $after) {
           nodes { id } pageInfo { hasNextPage endCursor } } }`,
          { after, queue: queue.name },
        )) as Answer;
        places.push(ids.indexOf(data.jobs.nodes[0].id));
        after = data.jobs.pageInfo.endCursor;
        more = data.jobs.pageInfo.hasNextPage;
      }
      expect(places).toEqual(all);
    },
  );

  it.each([
    ['501 ids', 'ids', Array.from({ length: 501 }, newId)],
    ['501 client ids', 'clientIds', Array.from({ length: 501 }, () => 'x')],
    ['101 classes', 'priorityClasses', Array.from({ length: 101 }, () => 'x')],
    ['101 pools', 'pools', Array.from({ length: 101 }, () => 'x')],
    ['17 labels', 'labels', Array.from({ length: 17 }, (_, at) => ({ key: `k${at}`, value: '' }))],
  ])('are not filtered by %s', async (_what, field, values) => {
    const { errors } = await app.ask(
      'query ($filter: JobFilterInput) { jobs(filter: $filter) { totalCount } }',
      { filter: { [field]: values } },
    );
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'INVALID_ARGUMENT', path: ['filter', field] });
    expect(await list({ [field]: values.slice(1) })).toBeInstanceOf(Array);
  });
});

describe('the right to list jobs', () => {
  it('follows the levels of the caller, also in totalCount', async () => {
    const reader = await newCaller({ grants: [{ type: 'QUEUE', id: queue.id, level: 'READ' }] });
    const other = await PlainQueue.open(app);
    await other.submit();
    expect(await list({}, 'OLDEST', reader)).toEqual(ids);
    expect(await list({}, 'OLDEST', await newCaller())).toEqual([]);
    const away = await newCaller({
      tenantId: (await db.tenant.create({ data: { id: newId(), name: 'away', nameKey: 'away' } })).id,
    });
    expect(await list({ ids }, 'OLDEST', away)).toEqual([]);
  });

  it('a hidden queue looks like none, unless one of its jobs is readable', async () => {
    const stage = await Stage.open(app);
    const { ownerId, ids: owned } = await stage.submit(newJob());
    await stage.submit(newJob());
    const workflow = newId();
    await pool.query('update job_sets set workflow_entity_id = $2 where owner_id = $1', [ownerId, workflow]);
    const { name } = await db.queue.findUniqueOrThrow({ where: { id: stage.queueId } });
    const outsider = await newCaller();
    const ofWorkflow = await newCaller({ grants: [{ type: 'WORKFLOW', id: workflow, level: 'READ' }] });
    const [hidden, absent] = [
      await list({ queue: name }, 'NEWEST', outsider),
      await list({ queue: 'none' }, 'NEWEST', outsider),
    ];
    expect(hidden).toEqual({ code: 'NOT_FOUND', message: `queue ${name} not found` });
    expect(absent).toEqual({ code: 'NOT_FOUND', message: 'queue none not found' });
    expect(await list({ queue: name }, 'NEWEST', ofWorkflow)).toEqual(owned);
  });

  it('asks about a hidden queue and about none with the same statements', async () => {
    const outsider = await newCaller();
    const ask = (name: string) => statementsOf(() => list({ queue: name }, 'NEWEST', outsider));
    await ask('warm');
    const [hidden, absent] = [await ask(queue.name), await ask('none')];
    expect(hidden.statements).toEqual(absent.statements);
  });
});

const details = `id namespace pool priorityClass isPreemptible onPreemption failFast externalUri activeDeadline
  terminationGrace container { image command args env { key value } resources { requests { name value } limits { name value } } }
  environment { key value } interface inputs labels { key value } annotations { key value }
  nodeSelector { key value } tolerations { key operator value effect }
  gang { gangId cardinality nodeUniformityLabel submittedJobs } owner { username }
  cancelReason cancelledAt cancelledBy { username } preemptReason preemptedBy { username }
  error { code message kind } lastTransitionAt submittedAt latestRun { id jobId node state pendingAt }`;

async function read(id: string): Promise<Answer> {
  const { data, errors } = await app.ask(`query ($id: ID!) { job(by: { id: $id }) { ${details} } }`, { id });
  expect(errors).toBeUndefined();
  return data.job;
}

describe('a job', () => {
  it('shows what was submitted, with all defaults', async () => {
    const user = await newUser({ grants: [{ type: 'QUEUE', id: queue.id, level: 'EDIT' }] });
    const job = {
      ...{ pool: 'shown', namespace: 'team', failFast: true, onPreemption: 'REQUEUE', externalUri: 'x' },
      ...{ priorityClass: 'slipway-preemptible', activeDeadline: 'PT10M', terminationGrace: 'PT30S' },
      container: { image: 'i', command: ['c'], args: ['a'], env: [{ key: 'K', value: 'V' }] },
      interface: { inputs: { n: { type: { simple: 'INTEGER' } } } },
      inputs: { n: 1 },
      labels: [{ key: 'l', value: '1' }],
      annotations: [{ key: 'a', value: '2' }],
      nodeSelector: [{ key: 's', value: '3' }],
      tolerations: [{ key: 't', value: '4', effect: 'NoExecute' }],
      gang: { id: 'shown', cardinality: 3, nodeUniformityLabel: 'zone' },
    };
    const { results } = await mutate(
      app,
      'submitJobs',
      { queue: queue.name, jobSet: 'shown', jobs: [job] },
      'results { job { id } }',
      user.authorization,
    );
    const { id } = results[0].job;
    const reason = 'because';
    await mutate(app, 'cancelJobs', { ids: [id], reason }, '', user.authorization);
    const amounts = [
      { name: 'cpu', value: '1' },
      { name: 'memory', value: '1Gi' },
    ];
    const shown = await read(id);
    expect(shown).toMatchObject({
      ...{ namespace: 'team', pool: 'shown', priorityClass: 'slipway-preemptible', isPreemptible: true },
      ...{ onPreemption: 'REQUEUE', failFast: true, externalUri: 'x', activeDeadline: 'PT10M' },
      terminationGrace: 'PT30S',
      container: { ...job.container, resources: { requests: amounts, limits: amounts } },
      interface: { inputs: { n: { type: { simple: 'INTEGER' } } }, outputs: {} },
      ...{
        inputs: { n: 1 },
        labels: job.labels,
        annotations: job.annotations,
        nodeSelector: job.nodeSelector,
      },
      tolerations: [{ key: 't', operator: 'Equal', value: '4', effect: 'NoExecute' }],
      gang: { gangId: 'shown', cardinality: 3, nodeUniformityLabel: 'zone', submittedJobs: 1 },
      ...{
        owner: { username: user.username },
        cancelledBy: { username: user.username },
        cancelReason: reason,
      },
      ...{ error: null, latestRun: null, preemptReason: null, preemptedBy: null },
    });
    expect(shown.environment).toContainEqual({ key: 'SLIPWAY_JOB_ID', value: id });
    expect(shown.lastTransitionAt).toBe(shown.cancelledAt);
    expect(shown.lastTransitionAt > shown.submittedAt).toBe(true);
  });

  it('shows the newest of its runs, and the error of this run', async () => {
    const [id = ''] = await queue.submit([{ priorityClass: 'slipway-preemptible' }]);
    const [run] = await queue.begin();
    if (!run) throw new Error('no run');
    expect(await read(id)).toMatchObject({
      error: null,
      latestRun: { id: run.id, jobId: id, state: 'LEASED', pendingAt: null },
    });
    const at = '2026-11-27T10:00:00.000Z';
    const report = (kind: string, more = {}) =>
      mutate(
        app,
        'reportJobEvents',
        { events: [{ run: run.id, kind, occurredAt: at, ...more }] },
        'outcomes',
        app.executor,
      );
    await report('PENDING');
    expect(await read(id)).toMatchObject({ latestRun: { state: 'PENDING', pendingAt: at } });
    const error = { code: 'NonZeroExit', message: 'it broke', kind: 'USER' };
    await report('FAILED', { error, exitCode: 1 });
    expect(await read(id)).toMatchObject({ error, latestRun: { state: 'FAILED' } });
  });

  it('shows why it failed if no run says it: its leases were lost', async () => {
    const [id = ''] = await queue.submit([{ maxAttempts: 1 }]);
    const [run] = await queue.begin();
    await pool.query(`update job_runs set lease_expires_at = now() - interval '1 second' where id = $1`, [
      run?.id,
    ]);
    await expireLeases();
    expect(await read(id)).toMatchObject({
      error: {
        code: 'LeaseLost',
        kind: 'SYSTEM',
        message: expect.stringMatching(/^the lease was lost 1 times; last: /),
      },
      latestRun: { state: 'LEASE_EXPIRED' },
    });
  });

  it('shows the node of its run, and why it was preempted by whom', async () => {
    const admin = await newUser({ role: 'ADMIN' });
    const place = await PlainQueue.open(app);
    const [id = ''] = await place.submit([{ priorityClass: 'slipway-preemptible' }]);
    const nodes = [{ name: 'node-1', allocatable: { cpu: '4', memory: '8Gi' } }];
    const lease = (maxJobs: number) =>
      mutate(
        app,
        'leaseJobs',
        { executor: place.name, pool: place.pool, nodes, maxJobs, knownRuns: [], wait: 'PT0S' },
        'runs { id }',
        app.executor,
      );
    await lease(1);
    await place.stage.assign(place.pool);
    expect(await read(id)).toMatchObject({ latestRun: { node: 'node-1' } });
    await mutate(app, 'preemptJobs', { ids: [id], reason: 'room' }, '', admin.authorization);
    expect(await read(id)).toMatchObject({
      preemptReason: 'room',
      preemptedBy: { username: admin.username },
    });
  });
});

/** Why jobs do not run. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assignPool } from '../../src/jobs/commands/assign-jobs.ts';
import { sweepEndedJobs } from '../../src/jobs/commands/sweep-ended-jobs.ts';
import { pool as database, db } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { countStatements } from '../support/statements.ts';
import { homeTenant, newUser } from '../support/users.ts';
import { PlainQueue, statesOf } from './plain-jobs.ts';
import { leaseAs } from './stage.ts';

let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
});
afterAll(() => app.stop());

const fields = `verdict summary explainedAt lastRoundAt pool jobsBefore otherQueuesServed fittingNodes
  executors { live cordoned silent } gang { cardinality submitted waiting ended uniformityLabel }
  queueStanding { weight cost fairShare adjustedFairShare demandShare actualShare }
  obstacles { kind nodes text }`;

async function explain(id: string, authorization?: string): Promise<Answer> {
  const document = `query ($id: ID!) { explainJob(by: { id: $id }) { ${fields} } }`;
  const { data, errors } = await app.ask(document, { id }, authorization);
  expect(errors).toBeUndefined();
  return data.explainJob;
}

const machine = (name: string, cpu: string, more = {}) => ({
  name,
  allocatable: { cpu, memory: '1Ti' },
  ...more,
});
const asks = (cpu: string, more: object = {}) => ({
  container: { image: 'x', command: ['true'], resources: { requests: [{ name: 'cpu', value: cpu }] } },
  ...more,
});
const gang = (id: string, cardinality: number) => ({ gang: { id, cardinality } });

const report = (queue: PlainQueue, nodes: readonly object[], more: object = {}) =>
  leaseAs(app, { executor: queue.pool, pool: queue.pool, nodes, maxJobs: 50, wait: 'PT0S', ...more });
const assign = async (queue: PlainQueue) =>
  await assignPool({ tenantId: await homeTenant(), name: queue.pool }, 30);

/** A queue with a pool of one executor with these nodes. */
async function open(nodes: readonly object[], more: object = {}): Promise<PlainQueue> {
  const queue = await PlainQueue.open(app);
  await report(queue, nodes, more);
  return queue;
}

const first = async (queue: PlainQueue, ...jobs: object[]) => (await queue.submit(jobs))[0] ?? '';

describe('explainJob', () => {
  it('says that the next round assigns a job, and afterwards that it does not wait', async () => {
    const queue = await open([machine('a', '4'), machine('b', '1')]);
    const id = await first(queue, asks('2'));
    expect(await explain(id)).toEqual({
      verdict: 'STARTS_NEXT',
      summary: 'There is room for the job, and the next round assigns it.',
      explainedAt: expect.any(String),
      lastRoundAt: null,
      pool: queue.pool,
      jobsBefore: 0,
      otherQueuesServed: 0,
      fittingNodes: 1,
      executors: { live: 1, cordoned: 0, silent: 0 },
      gang: null,
      queueStanding: {
        ...{ weight: 1, cost: 0, fairShare: 1, actualShare: 0, demandShare: 0.4 },
        adjustedFairShare: 0.4,
      },
      obstacles: [{ kind: 'RESOURCE', nodes: 1, text: 'not enough cpu (asks 2, most free 1)' }],
    });
    await assign(queue);
    expect(await explain(id)).toMatchObject({
      verdict: 'NOT_WAITING',
      summary: 'The job does not wait: it is LEASED.',
      lastRoundAt: expect.any(String),
      ...{ jobsBefore: null, queueStanding: null, fittingNodes: null, obstacles: [] },
    });
  });

  it('names what keeps the job away from each node, in numbers', async () => {
    const taints = [{ key: 'team', value: 'vision', effect: 'NoSchedule' }];
    const queue = await open([
      ...[machine('full', '2'), machine('large', '8'), machine('closed', '64', { unschedulable: true })],
      ...[machine('theirs', '64', { taints }), machine('old', '64')],
    ]);
    const ids = await queue.submit([asks('8', { priority: 1 }), asks('6', { priority: 2 })]);
    expect((await assign(queue)).assigned).toBe(2);
    const [waiting = ''] = await queue.submit([asks('60')]);
    expect(await explain(waiting)).toMatchObject({
      verdict: 'NO_ROOM',
      fittingNodes: 0,
      obstacles: [
        { kind: 'RESOURCE', nodes: 3, text: 'not enough cpu (asks 60, most free 58)' },
        { kind: 'CORDONED', nodes: 1, text: 'cordoned' },
        { kind: 'TAINT', nodes: 1, text: 'the job does not tolerate the taint team=vision:NoSchedule' },
      ],
    });
    const other = await first(queue, { nodeSelector: [{ key: 'gpu', value: 'h100' }] });
    expect((await explain(other)).obstacles).toContainEqual({
      ...{ kind: 'SELECTOR', nodes: 4, text: 'the label gpu=h100 is missing' },
    });
    expect(await statesOf(ids)).not.toContain('QUEUED');
  });

  it('says that the job avoids nodes, unless it would avoid all', async () => {
    const queue = await open([machine('a', '4'), machine('b', '1')]);
    const id = await first(queue, asks('2'));
    const avoid = (...nodes: string[]) =>
      database.query('update jobs set avoided_nodes = $2 where id = $1', [
        id,
        nodes.map((node) => `${queue.pool}/${node}`),
      ]);
    await avoid('a');
    expect(await explain(id)).toMatchObject({
      verdict: 'NO_ROOM',
      obstacles: [
        { kind: 'AVOIDED', nodes: 1 },
        { kind: 'RESOURCE', nodes: 1 },
      ],
    });
    await avoid('a', 'b');
    expect(await explain(id)).toMatchObject({ verdict: 'STARTS_NEXT', fittingNodes: 1 });
  });

  it('counts what goes first in its queue, and other queues', async () => {
    const queue = await open([machine('a', '4')], { maxJobs: 2 });
    const other = await PlainQueue.open(app);
    await other.submit([{ pool: queue.pool }]);
    const [low = '', high = '', later = ''] = await queue.submit([
      ...[asks('1', { priority: 5 }), asks('1', { priority: 1 }), asks('2', { priority: 5 })],
      ...[1, 2].map(() => asks('1', { ...gang('pair', 2), priority: 9 })),
    ]);
    expect(await explain(high)).toMatchObject({
      verdict: 'STARTS_NEXT',
      jobsBefore: 0,
      otherQueuesServed: 1,
    });
    expect(await explain(low)).toMatchObject({
      verdict: 'NO_ROOM',
      ...{ jobsBefore: 1, obstacles: [{ kind: 'ROOM', nodes: 1, text: 'the executor takes no more runs' }] },
    });
    expect(await explain(later)).toMatchObject({ jobsBefore: 2 });
    const { id: member } = await db.job.findFirstOrThrow({
      where: { queueId: queue.id, gangId: { not: null } },
    });
    expect(await explain(member)).toMatchObject({ jobsBefore: 3 });
  });

  it('says that the queue is cordoned, and why', async () => {
    const queue = await open([machine('a', '4')]);
    const id = await first(queue, asks('1'));
    await mutate(app, 'cordonQueue', { by: { name: queue.name }, reason: 'disk full' }, 'queue { id }');
    expect(await explain(id)).toMatchObject({
      verdict: 'QUEUE_CORDONED',
      summary: 'The queue of the job is cordoned and starts no jobs. Reason: disk full',
    });
  });

  it('says how much of the gang waits, and that it does not fit together', async () => {
    const queue = await open([machine('a', '2'), machine('b', '1')]);
    const id = await first(queue, asks('1', gang('trio', 3)), asks('1', gang('trio', 3)));
    expect(await explain(id)).toMatchObject({
      verdict: 'GANG_INCOMPLETE',
      summary: 'The gang starts only as a whole: 2 of its 3 jobs wait.',
      gang: { cardinality: 3, submitted: 2, waiting: 2, ended: 0, uniformityLabel: null },
    });
    await queue.submit([asks('1', gang('trio', 3))]);
    expect(await explain(id)).toMatchObject({ verdict: 'STARTS_NEXT' });
    await report(queue, [machine('a', '2')]);
    expect(await explain(id)).toMatchObject({
      verdict: 'NO_ROOM',
      summary: 'There is room for one job on 1 nodes, but not for the 3 jobs of the gang together.',
    });
  });

  it('says that the gang can never start, also in a cordoned queue, and counts jobs that were deleted', async () => {
    const queue = await open([machine('a', '4')]);
    const [waiting = '', ...others] = await queue.submit(Array(3).fill(asks('1', gang('trio', 3))));
    await mutate(app, 'cancelJobs', { ids: others.slice(1) }, '__typename');
    await mutate(app, 'cordonQueue', { by: { name: queue.name } }, 'queue { id }');
    expect(await explain(waiting)).toMatchObject({
      verdict: 'GANG_BROKEN',
      summary:
        'The job will be rejected: its gang can never start as a whole, because one of its jobs has ended.',
      gang: { cardinality: 3, submitted: 3, waiting: 2, ended: 1 },
    });
    await mutate(app, 'cancelJobs', { ids: others }, '__typename');
    await sweepEndedJobs(new Date('9999-01-01'));
    expect(await explain(waiting)).toMatchObject({
      verdict: 'GANG_BROKEN',
      summary:
        'The job will be rejected: its gang can never start as a whole, because 2 of its jobs have ended.',
      gang: { submitted: 3, waiting: 1, ended: 2 },
    });
  });

  it('says that the limit of the queue is reached', async () => {
    const queue = await open([machine('a', '8')]);
    const limit = {
      priorityClass: 'slipway-default',
      maximumResourceFraction: [{ resource: 'cpu', fraction: 0.5 }],
    };
    await mutate(
      app,
      'updateQueue',
      { name: queue.name, resourceLimitsByPriorityClass: [limit] },
      'queue { id }',
    );
    const [, , third = ''] = await queue.submit([asks('2'), asks('2'), asks('2')]);
    const expected = {
      verdict: 'LIMIT_REACHED',
      summary:
        'The queue holds 4 of the 4 cpu that its jobs of the class slipway-default may hold in this pool, and the job asks for 2.',
    };
    expect(await explain(third)).toMatchObject(expected);
    await assign(queue);
    expect(await explain(third)).toMatchObject(expected);
  });

  it('says that there is no executor in contact, and that the job is impossible', async () => {
    const queue = await PlainQueue.open(app);
    const id = await first(queue, asks('3'));
    expect(await explain(id)).toMatchObject({ verdict: 'NO_EXECUTOR', executors: { live: 0, silent: 0 } });
    await report(queue, [machine('a', '2')]);
    const age = (column: string, by: string) =>
      database.query(`update executors set ${column} = now() - $2::interval where pool = $1`, [
        queue.pool,
        by,
      ]);
    expect(await explain(id)).toMatchObject({ verdict: 'NO_ROOM' });
    await age('last_seen_at', '1 minute');
    expect(await explain(id)).toMatchObject({
      verdict: 'NO_EXECUTOR',
      summary: `The pool ${queue.pool} has no executor in contact; 1 are silent.`,
    });
    await age('created_at', '1 hour');
    expect(await explain(id)).toMatchObject({
      verdict: 'IMPOSSIBLE',
      summary: expect.stringMatching(
        /^The job will be rejected: no node could ever run the job: 1 node: not enough cpu/,
      ),
    });
  });

  it('counts the nodes of silent executors', async () => {
    const queue = await open([machine('a', '2')]);
    await report(queue, [machine('x', '8'), machine('y', '8')], {
      executor: `${queue.pool.slice(0, 30)}-two`,
    });
    await database.query(`update executors set last_seen_at = now() - interval '1 minute' where name = $1`, [
      `${queue.pool.slice(0, 30)}-two`,
    ]);
    const id = await first(queue, asks('3'));
    expect(await explain(id)).toMatchObject({
      executors: { live: 1, cordoned: 0, silent: 1 },
      obstacles: [{ kind: 'RESOURCE' }, { kind: 'SILENT', nodes: 2 }],
    });
  });

  it('says that other work goes first, for a job that the round does not come to', async () => {
    const queue = await open([machine('a', '90')]);
    const ids = await queue.submit(Array.from({ length: 60 }, (_, at) => asks('1', { priority: at })));
    expect(await explain(ids[59] ?? '')).toMatchObject({
      verdict: expect.stringMatching(/BEHIND_OTHERS|NO_ROOM/),
      jobsBefore: 59,
    });
  });

  it('says nothing about a queue that is hidden from the reader', async () => {
    const queue = await open([machine('a', '1')]);
    const id = await first(queue, asks('2'));
    const tenantId = await homeTenant();
    const project = await db.project.create({ data: { tenantId, identifier: newId(), name: 'P' } });
    const data = {
      tenantId,
      projectId: project.id,
      domain: 'development',
      type: 'WORKFLOW' as const,
      name: newId(),
    };
    const workflow = await db.namedEntity.create({ data: { id: newId(), ...data } });
    await database.query(
      `update job_sets set workflow_entity_id = $2 where id = (select job_set_id from jobs where id = $1)`,
      [id, workflow.id],
    );
    const { authorization } = await newUser({
      grants: [{ type: 'WORKFLOW', id: workflow.id, level: 'READ' }],
    });
    expect(await explain(id, authorization)).toMatchObject({
      ...{ verdict: 'NO_ROOM', jobsBefore: null, queueStanding: null },
    });
    await mutate(app, 'cordonQueue', { by: { name: queue.name }, reason: 'secret' }, 'queue { id }');
    expect((await explain(id, authorization)).summary).toBe(
      'The queue of the job is cordoned and starts no jobs.',
    );
  });

  it('is NOT_FOUND for an absent job and a hidden one', async () => {
    const queue = await PlainQueue.open(app);
    const id = await first(queue, {});
    const { authorization } = await newUser();
    for (const one of [id, newId()]) {
      const { data, errors } = await app.ask(
        `{ explainJob(by: { id: "${one}" }) { verdict } }`,
        {},
        authorization,
      );
      expect([data.explainJob, errors?.[0]?.extensions.code]).toEqual([null, 'NOT_FOUND']);
    }
  });

  it('takes as many statements for a long queue as for a short one', async () => {
    const queue = await open([machine('a', '4')]);
    const [id = ''] = await queue.submit([asks('1')]);
    const short = await countStatements(() => explain(id));
    await queue.submit(Array.from({ length: 300 }, () => asks('1')));
    const long = await countStatements(() => explain(id));
    expect(long.statements).toHaveLength(short.statements.length);
  });
});

const jobArbitrary = fc.record({
  cpu: fc.integer({ min: 1, max: 5 }),
  priority: fc.integer({ min: 0, max: 2 }),
  gang: fc.constantFrom(null, 'g'),
  selects: fc.boolean(),
  queue: fc.integer({ min: 0, max: 1 }),
});

describe('explainJob and the next round', () => {
  it('agree about which jobs start, whatever waits', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(jobArbitrary, { minLength: 1, maxLength: 10 }),
        fc.array(fc.record({ cpu: fc.integer({ min: 1, max: 6 }), labelled: fc.boolean() }), {
          minLength: 1,
          maxLength: 3,
        }),
        fc.integer({ min: 1, max: 8 }),
        fc.constantFrom(1, 0.5),
        async (jobs, nodes, maxJobs, fraction) => {
          const queues = [await PlainQueue.open(app), await PlainQueue.open(app)];
          const [home] = queues as [PlainQueue];
          const limit = {
            priorityClass: 'slipway-default',
            maximumResourceFraction: [{ resource: 'cpu', fraction }],
          };
          await mutate(
            app,
            'updateQueue',
            { name: home.name, resourceLimitsByPriorityClass: [limit] },
            'queue { id }',
          );
          await report(
            home,
            nodes.map(({ cpu, labelled }, at) =>
              machine(`n${at}`, String(cpu), { labels: labelled ? [{ key: 'a', value: 'b' }] : [] }),
            ),
            { maxJobs },
          );
          const ids: string[] = [];
          for (const [at, queue] of queues.entries()) {
            const mine = jobs.filter((job) => job.queue === at);
            const size = mine.filter((job) => job.gang !== null).length;
            if (mine.length === 0) continue;
            const given = mine.map(({ cpu, priority, gang: group, selects }) =>
              asks(String(cpu), {
                ...{ priority, pool: home.pool },
                ...(group === null ? {} : gang(group, size)),
                ...(selects ? { nodeSelector: [{ key: 'a', value: 'b' }] } : {}),
              }),
            );
            ids.push(...(await queue.submit(given)));
          }
          for (let round = 0; round < 2; round += 1) {
            const before = await statesOf(ids);
            const said = [];
            for (const id of ids) said.push((await explain(id)).verdict);
            await assign(home);
            const after = await statesOf(ids);
            const started = ids.map((_, at) => before[at] === 'QUEUED' && after[at] === 'LEASED');
            expect(said.map((verdict) => verdict === 'STARTS_NEXT')).toEqual(started);
          }
        },
      ),
      { numRuns: 12 },
    );
  }, 120_000);
});

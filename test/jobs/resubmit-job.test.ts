import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { newCaller, newUser } from '../support/users.ts';
import { kindsOf, PlainQueue } from './plain-jobs.ts';
import { newJob, Stage } from './stage.ts';

let app: App;
let queue: PlainQueue;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  queue = await PlainQueue.open(app);
});
afterAll(() => app.stop());

const resubmit = (id: string, more: object = {}, authorization?: string): Promise<Answer> =>
  mutate(
    app,
    'resubmitJob',
    { by: { id }, ...more },
    'job { id state clientId jobSet priority } isDuplicate',
    authorization,
  );

/** A job that has ended. */
async function ended(job: object = {}): Promise<string> {
  const [id = ''] = await queue.submit([job]);
  await mutate(app, 'cancelJobs', { ids: [id] });
  return id;
}

describe('resubmitJob', () => {
  it('submits the same again as a new job, with texts that name the new job', async () => {
    const id = await ended({
      ...{ clientId: 'first', namespace: 'team', failFast: true, onPreemption: 'REQUEUE', maxAttempts: 9 },
      ...{ externalUri: 'x', activeDeadline: 'PT1M', terminationGrace: 'PT9S', priority: 4 },
      ...{ priorityClass: 'slipway-preemptible', labels: [{ key: 'job', value: 'j-{JobId}' }] },
      annotations: [{ key: 'note', value: '{{JobId}} {JobId}' }],
      nodeSelector: [{ key: 'disk', value: 'ssd' }],
      tolerations: [{ key: 'gpu', operator: 'Exists' }],
      container: { image: 'i', command: ['c'], env: [{ key: 'ARMADA_QUEUE', value: 'mine' }] },
    });
    const user = await newUser({ grants: [{ type: 'QUEUE', id: queue.id, level: 'USE' }] });
    const answer = await resubmit(id, { clientId: 'second' }, user.authorization);
    expect(answer).toMatchObject({
      job: { state: 'QUEUED', clientId: 'second', jobSet: 'set', priority: '4' },
      isDuplicate: false,
    });
    const copyId = answer.job.id;
    const [old, copy] = await Promise.all(
      [id, copyId].map((one) => db.job.findUniqueOrThrow({ where: { id: one } })),
    );
    if (!old || !copy) throw new Error('no jobs');
    const { environment, ...spec } = copy.spec as Answer;
    const { environment: before, ...oldSpec } = old.spec as Answer;
    expect(spec).toEqual(oldSpec);
    expect(environment).toEqual({ ...before, SLIPWAY_JOB_ID: copyId, ARMADA_JOB_ID: copyId });
    expect(environment).not.toHaveProperty('ARMADA_QUEUE');
    expect(copy.labels).toEqual({ job: `j-${copyId}` });
    expect(copy.annotations).toEqual({ note: `JobId ${copyId}` });
    const kept = [
      ...([
        'queueId',
        'jobSetId',
        'priorityClass',
        'classPriority',
        'isPreemptible',
        'onPreemption',
      ] as const),
      ...(['pool', 'resources', 'nodeSelector', 'tolerations', 'shape', 'failFast', 'namespace'] as const),
      ...(['externalUri', 'activeDeadlineSeconds', 'maxAttempts', 'priority', 'isOwned'] as const),
    ];
    for (const column of kept) expect(copy[column], column).toEqual(old[column]);
    expect(copy).toMatchObject({
      ownerId: user.id,
      cancelReason: null,
      cancelledById: null,
      attemptedRuns: 0,
    });
    expect(await kindsOf(copyId)).toEqual(['SUBMITTED', 'QUEUED']);
  });

  it('has the priority that the job had last', async () => {
    const [id = ''] = await queue.submit([{ priority: 1 }]);
    await mutate(app, 'reprioritizeJobs', { ids: [id], newPriority: 6 });
    await mutate(app, 'cancelJobs', { ids: [id] });
    expect((await resubmit(id)).job.priority).toBe('6');
  });

  it('makes one job if the same is asked several times with one client id, and several without', async () => {
    const id = await ended();
    const answers = await Promise.all(Array.from({ length: 4 }, () => resubmit(id, { clientId: 'again' })));
    expect(new Set(answers.map(({ job }) => job.id)).size).toBe(1);
    expect(answers.filter(({ isDuplicate }) => !isDuplicate)).toHaveLength(1);
    const [one, other] = [await resubmit(id), await resubmit(id)];
    expect(one.job.id).not.toBe(other.job.id);
  });

  it('refuses jobs that have not ended, and those of executions and gangs', async () => {
    const [waiting = ''] = await queue.submit();
    expect(await resubmit(waiting)).toMatchObject({ code: 'FAILED_PRECONDITION', path: ['input', 'by'] });
    const ofGang = await ended({ gang: { id: 'g', cardinality: 2 } });
    expect(await resubmit(ofGang)).toMatchObject({ code: 'FAILED_PRECONDITION', message: /gang/ });
    const stage = await Stage.open(app);
    const { ids } = await stage.submit(newJob());
    await db.job.updateMany({
      where: { id: { in: ids } },
      data: { state: 'CANCELLED', endedAt: new Date() },
    });
    expect(await resubmit(ids[0] ?? '')).toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringContaining('relaunchExecution'),
    });
  });

  it('refuses a wrong client id, a class that is gone and a queue that is gone', async () => {
    const id = await ended();
    for (const clientId of ['', 'c'.repeat(101)])
      expect(await resubmit(id, { clientId })).toMatchObject({
        code: 'INVALID_ARGUMENT',
        path: ['input', 'clientId'],
      });
    await db.job.update({ where: { id }, data: { priorityClass: 'gone' } });
    expect(await resubmit(id)).toMatchObject({ code: 'INVALID_ARGUMENT', path: ['input', 'priorityClass'] });
    await db.job.update({ where: { id }, data: { priorityClass: 'slipway-default' } });
    await db.queue.update({ where: { id: queue.id }, data: { deletedAt: new Date() } });
    expect(await resubmit(id)).toMatchObject({ code: 'NOT_FOUND' });
    await db.queue.update({ where: { id: queue.id }, data: { deletedAt: null } });
  });

  it('requires USE on the queue; a hidden job looks like none', async () => {
    const id = await ended();
    const on = (level: 'READ' | 'USE') => newCaller({ grants: [{ type: 'QUEUE', id: queue.id, level }] });
    expect(await resubmit(id, {}, await newCaller())).toMatchObject({ refused: 'NOT_FOUND' });
    expect(await resubmit(newId(), {}, await newCaller())).toMatchObject({ refused: 'NOT_FOUND' });
    expect(await resubmit(id, {}, await on('READ'))).toMatchObject({ refused: 'PERMISSION_DENIED' });
    expect((await resubmit(id, {}, await on('USE'))).job.state).toBe('QUEUED');
  });
});

describe('the jobs of a gang', () => {
  it('are told the value of the label that their nodes share', async () => {
    const place = await PlainQueue.open(app);
    const gang = { id: 'zoned', cardinality: 2, nodeUniformityLabel: 'zone' };
    await place.submit([
      { gang },
      {
        gang,
        container: { image: 'x', env: [{ key: 'ARMADA_GANG_NODE_UNIFORMITY_LABEL_VALUE', value: 'mine' }] },
      },
    ]);
    const node = (name: string, zone: string, cpu: string) => ({
      ...{ name, allocatable: { cpu, memory: '8Gi' } },
      labels: [{ key: 'zone', value: zone }],
    });
    const nodes = [node('a', 'north', '1'), node('b', 'south', '2')];
    const lease = (maxJobs: number) =>
      mutate(
        app,
        'leaseJobs',
        { executor: place.name, pool: place.pool, nodes, maxJobs, knownRuns: [], wait: 'PT0S' },
        'runs { node environment }',
        app.executor,
      );
    await lease(2);
    expect((await place.stage.assign(place.pool)).assigned).toBe(2);
    const { runs } = await lease(0);
    expect(runs).toHaveLength(2);
    for (const run of runs)
      expect(run).toMatchObject({
        node: 'b',
        environment: { SLIPWAY_GANG_ID: 'zoned', SLIPWAY_GANG_NODE_UNIFORMITY_LABEL_VALUE: 'south' },
      });
    const values = runs.map(
      ({ environment }: Answer) => environment.ARMADA_GANG_NODE_UNIFORMITY_LABEL_VALUE ?? null,
    );
    expect(values.sort()).toEqual([null, 'south'].sort());
  });
});
